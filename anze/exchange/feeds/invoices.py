"""Invoices for prevention as their sellers made them out; the expenses that name them are sent after."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from anze.exchange.feed import Check, Feed, Field, Kind, Sender
from anze.exchange.feeds.policies import money
from anze.exchange.feeds.prevention import AGENCY, agency_code
from anze.expenses.models import Invoice

INVOICES = Feed(
    name="invoices",
    title=_("Invoices for prevention"),
    about=_("Each invoice once, with its whole amount; the expenses that name its number are what it was charged to."),
    sender=Sender.INSURER,
    model=Invoice,
    key=("invoice_no",),
    event="issued_on",
    module="expenses",
    own_fields=(
        Field(
            "invoice_no",
            Kind.TEXT,
            _("invoice no."),
            ("26372000000012345678", "26372000000012345679"),
            _("The number printed on it, twenty digits for an electronic invoice."),
            max_length=40,
        ),
        Field("seller_name", Kind.TEXT, _("seller"), ("示例安全技术服务公司", "示例印务公司"), max_length=120),
        Field("seller_uscc", Kind.USCC, _("seller's credit code"), ("", ""), required=False, max_length=18),
        agency_code(("AGY01", "")),
        Field("subject", Kind.TEXT, _("for what"), ("隐患排查服务", "宣传资料印制"), required=False),
        money("amount", _("amount"), ("1200.00", "8650.00"), note=_("Yuan, tax included."), minimum=0),
        money("tax", _("of which tax"), ("67.92", "995.13")),
        Field("issued_on", Kind.DATE, _("issued on"), ("2026-05-20", "2026-06-30")),
    ),
    references=(AGENCY,),
    checks=(
        Check(
            "amount_zero",
            "amount",
            "r.amount = 0",
            _("The amount is 0."),
            _("Give the amount in yuan; to take a record back, send it as void."),
        ),
        Check(
            "tax_over_amount",
            "tax",
            "r.tax > r.amount",
            _("The tax is more than the amount, or has the other sign."),
            _("The amount includes the tax; check both."),
        ),
    ),
    sets={"region_code": "(SELECT o.region_id FROM parties_organisation o WHERE o.id = r.sender_id)"},
)
