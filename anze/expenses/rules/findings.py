"""What the three-way match of service, invoice and payment finds; hints with numbers, judged by a person."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.lifecycle import Lifecycle, Transition
from anze.parties.rules import Permission


class FindingKind(TextChoices):
    """One cause each: about one payment, about a service and all that is charged for it, or about a policy as a whole."""

    INVOICE_TWICE = "INVOICE_TWICE", _("invoice charged twice")
    VISIT_TWICE = "VISIT_TWICE", _("visit charged twice")
    PRICE_OUTLIER = "PRICE_OUTLIER", _("price far above the usual")
    ABOVE_AGREED = "ABOVE_AGREED", _("above the agreed price")
    FORBIDDEN_USE = "FORBIDDEN_USE", _("use that is not allowed")
    NO_SERVICE = "NO_SERVICE", _("no service behind it")
    SERVICE_TAKEN_BACK = "SERVICE_TAKEN_BACK", _("service taken back or returned")
    NO_INVOICE = "NO_INVOICE", _("paid without invoice")
    NO_VOUCHER = "NO_VOUCHER", _("paid without voucher")
    BEFORE_PREMIUM = "BEFORE_PREMIUM", _("spent before any premium came in")
    OVER_CAP = "OVER_CAP", _("over the cap")
    UNDER_FLOOR = "UNDER_FLOOR", _("under the floor")


# what lies on a service and all that is charged for it
OF_SERVICE = (FindingKind.ABOVE_AGREED,)

# 应急厅函〔2024〕322号: not more than 21 % of the premium received, booked as incurred, no encroachment, no diversion,
# only for insured units. What counts as diversion is read from that; no published list names it.
BASIS: dict[str, str] = {
    FindingKind.INVOICE_TWICE: "应急厅函〔2024〕322号（据实列支）",
    FindingKind.VISIT_TWICE: "应急厅函〔2024〕322号（据实列支）",
    FindingKind.PRICE_OUTLIER: "",
    FindingKind.ABOVE_AGREED: "",
    FindingKind.FORBIDDEN_USE: "应急厅函〔2024〕322号（不得挤占、挪用）",
    FindingKind.NO_SERVICE: "应急厅函〔2024〕322号（据实列支）",
    FindingKind.SERVICE_TAKEN_BACK: "应急厅函〔2024〕322号（据实列支）",
    FindingKind.NO_INVOICE: "应急厅函〔2024〕322号（据实列支）",
    FindingKind.NO_VOUCHER: "应急厅函〔2024〕322号（据实列支）",
    FindingKind.BEFORE_PREMIUM: "应急厅函〔2024〕322号（以实际收取保费为基数）",
    FindingKind.OVER_CAP: "应急厅函〔2024〕322号（不超过实际收取保费的21%）",
    FindingKind.UNDER_FLOOR: "",
}

TONES: dict[str, str] = {
    FindingKind.INVOICE_TWICE: "danger",
    FindingKind.VISIT_TWICE: "danger",
    FindingKind.FORBIDDEN_USE: "danger",
    FindingKind.OVER_CAP: "danger",
    FindingKind.PRICE_OUTLIER: "warning",
    FindingKind.ABOVE_AGREED: "warning",
    FindingKind.NO_SERVICE: "warning",
    FindingKind.SERVICE_TAKEN_BACK: "warning",
    FindingKind.BEFORE_PREMIUM: "warning",
    FindingKind.UNDER_FLOOR: "warning",
    FindingKind.NO_INVOICE: "info",
    FindingKind.NO_VOUCHER: "info",
}


class ForbiddenUse(TextChoices):
    """Why a payment looks like no prevention expense."""

    REBATE = "REBATE", _("the payee is the insured enterprise itself, as if premium were given back")
    COMMISSION = "COMMISSION", _("the payee is a broker, as if a commission were paid")
    OWN_COST = "OWN_COST", _("the payee is the insurer itself, and no service is named")
    ENTERTAINMENT = "ENTERTAINMENT", _("the payee's name tells of meals, travel or gifts")


# words in a payee's name that prevention seldom pays for
TELLING_WORDS = ("餐饮", "酒楼", "饭店", "酒店", "礼品", "烟酒", "旅行社", "旅游", "会所", "娱乐")


class FindingState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("finding", "open")
    ANSWERED = "ANSWERED", _("answered by the insurer")
    JUSTIFIED = "JUSTIFIED", _("in order, with reason")
    CONFIRMED = "CONFIRMED", pgettext_lazy("finding", "confirmed")
    GONE = "GONE", _("cause gone")


PENDING = (FindingState.OPEN, FindingState.ANSWERED)
STATE_TONES: dict[str, str] = {
    FindingState.OPEN: "warning",
    FindingState.ANSWERED: "info",
    FindingState.JUSTIFIED: "success",
    FindingState.CONFIRMED: "danger",
    FindingState.GONE: "success",
}

_JUDGED = (FindingState.OPEN, FindingState.ANSWERED, FindingState.JUSTIFIED, FindingState.CONFIRMED)
FINDING_LIFECYCLE = Lifecycle(
    FindingState.OPEN,
    (
        Transition("answer", PENDING, FindingState.ANSWERED, _("Explain"), Permission.KEEP_EXPENSES),
        Transition("justify", _JUDGED, FindingState.JUSTIFIED, _("It is in order"), Permission.JUDGE_EXPENSES),
        Transition("confirm", _JUDGED, FindingState.CONFIRMED, _("It is wrong"), Permission.JUDGE_EXPENSES),
    ),
)
