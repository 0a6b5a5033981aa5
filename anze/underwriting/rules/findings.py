"""What is found wrong with cover, who has to answer, and how a finding ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.parties.rules import Permission
from anze.underwriting.rules.register import Ground


class FindingKind(TextChoices):
    """The three violations (应急厅函〔2026〕352号), then what is only a hint: a person looks at it."""

    UNINSURED = "UNINSURED", _("not insured")
    PARTIAL_HEADCOUNT = "PARTIAL_HEADCOUNT", _("not all workers insured")
    UNDER_LIMIT = "UNDER_LIMIT", _("limit below the minimum")
    LOW_PRICE = "LOW_PRICE", _("price far below the benchmark")
    GAP = "GAP", _("gap between expiry and renewal")
    SUBSTITUTE = "SUBSTITUTE", _("insurance of another kind instead")


KIND_TONES = {
    "UNINSURED": "danger", "PARTIAL_HEADCOUNT": "danger", "UNDER_LIMIT": "danger", "LOW_PRICE": "warning",
    "GAP": "warning", "SUBSTITUTE": "warning",
}  # fmt: skip
WHY: dict[str, Promise] = {
    "UNINSURED": _("On the register and without a policy in force (安全生产法 Art. 51, 109)."),
    "PARTIAL_HEADCOUNT": _("All workers, temporary and dispatched ones included, must be covered (应急〔2025〕27号)."),
    "UNDER_LIMIT": _("The limit per person is below the minimum of the policy's first day (应急〔2025〕27号)."),
    "LOW_PRICE": _("A price far below the benchmark may mean that neither cover nor service is real. It is a hint."),
    "GAP": _("The present cover began days after the one before had ended; those days were without cover."),
    "SUBSTITUTE": _("Another kind of insurance does not fulfil the duty; it may be extended or converted."),
}


class FindingState(TextChoices):
    OPEN = "OPEN", pgettext_lazy("cover finding", "open")
    REMINDED = "REMINDED", pgettext_lazy("cover finding", "reminded")
    REPLIED = "REPLIED", pgettext_lazy("cover finding", "answered")
    CLOSED = "CLOSED", pgettext_lazy("cover finding", "closed")


FINDING_TONES = {"OPEN": "danger", "REMINDED": "warning", "REPLIED": "info", "CLOSED": "success"}
FINDING = Lifecycle(
    "OPEN",
    (
        Transition("remind", ("OPEN", "REMINDED", "REPLIED"), "REMINDED", _("Remind"), Permission.KEEP_REGISTER),
        Transition("reply", ("OPEN", "REMINDED", "REPLIED"), "REPLIED", _("Answer"), Permission.ANSWER_COVER),
        Transition("close", ("OPEN", "REMINDED", "REPLIED"), "CLOSED", _("Close"), Permission.KEEP_REGISTER),
    ),
)
REPLY_FINDING = Duty(
    "REPLY_FINDING", _("Answer a reminder about cover"), "cover_reply_workdays", "WORKDAYS",
    OURS,
    (Party.INSURER, Party.ENTERPRISE),
    pgettext_lazy("clock starts", "the reminder"),
)  # fmt: skip


class Answer(TextChoices):
    """What enterprise or insurer says to a finding."""

    DONE = "DONE", _("it is put right; the data will follow")
    WILL_DO = "WILL_DO", _("it will be put right by a day")
    NOT_OBLIGED = "NOT_OBLIGED", _("the enterprise does not have to insure")
    CLOSED = "CLOSED", _("the enterprise is closed")
    SUSPENDED = "SUSPENDED", _("the enterprise has suspended its operation")
    OTHER_POLICY = "OTHER_POLICY", _("it has insurance of another kind")
    WORKERS = "WORKERS", _("the registered number of workers is wrong")
    EXPLAINED = "EXPLAINED", _("another explanation")


# answers that dispute the register: they become a dispute of their own
DISPUTES = {
    Answer.NOT_OBLIGED: Ground.NOT_OBLIGED,
    Answer.CLOSED: Ground.CLOSED,
    Answer.SUSPENDED: Ground.SUSPENDED,
    Answer.WORKERS: Ground.WORKERS,
}
# answers that name a day
WITH_DAY = (Answer.WILL_DO, Answer.CLOSED, Answer.SUSPENDED)


class Closing(TextChoices):
    GONE = "GONE", _("the cause is gone")
    JUSTIFIED = "JUSTIFIED", _("the explanation holds")
    MISTAKEN = "MISTAKEN", _("the finding was mistaken")
    PURSUED = "PURSUED", _("handed over for enforcement")


# what a person may close a finding with; the cause's being gone is seen by the platform itself
CLOSINGS = (Closing.JUSTIFIED, Closing.MISTAKEN, Closing.PURSUED)


class NoteKind(TextChoices):
    REMINDER = "REMINDER", pgettext_lazy("cover finding", "reminder")
    REPLY = "REPLY", pgettext_lazy("cover finding", "answer")
    CLOSING = "CLOSING", pgettext_lazy("cover finding", "closing")


class OtherKind(TextChoices):
    """Insurance that is offered in the place of work-safety liability insurance (应急〔2025〕27号 Art. 5, draft)."""

    EMPLOYER = "EMPLOYER", _("employer's liability")
    ACCIDENT = "ACCIDENT", _("group personal accident")
    PUBLIC = "PUBLIC", _("public liability")
    CARRIER = "CARRIER", _("carrier's liability")
    WORK_INJURY = "WORK_INJURY", _("work-injury insurance")
    OTHER = "OTHER", pgettext_lazy("insurance", "another kind")


def measured_text(kind: str, measured: Decimal | None, required: Decimal | None, since: Any, note: str) -> str:
    """What was found, in a sentence with the two numbers it rests on."""
    has, needs = (None if each is None else each for each in (measured, required))
    if kind == FindingKind.UNINSURED:
        return ngettext(
            "No policy in force since %(since)s; %(workers)s registered worker.",
            "No policy in force since %(since)s; %(workers)s registered workers.",
            int(has or 0),
        ) % {
            "since": since, "workers": f"{has or 0:,.0f}",
        }  # fmt: skip
    if kind == FindingKind.PARTIAL_HEADCOUNT:
        return _now("Registered workers insured: %(has)s of %(needs)s.") % {
            "has": f"{has or 0:,.0f}", "needs": f"{needs or 0:,.0f}",
        }  # fmt: skip
    if kind == FindingKind.UNDER_LIMIT:
        return _now("¥%(has)s per person; the minimum is ¥%(needs)s.") % {
            "has": f"{has or 0:,.2f}", "needs": f"{needs or 0:,.2f}",
        }  # fmt: skip
    if kind == FindingKind.LOW_PRICE:
        share = "–" if not needs or has is None else f"{has / needs:.0%}"
        return _now("Rate %(has)s against a benchmark of %(needs)s: %(share)s of it.") % {
            "has": f"{has or 0:.4%}", "needs": f"{needs or 0:.4%}", "share": share,
        }  # fmt: skip
    if kind == FindingKind.GAP:
        return ngettext(
            "%(days)s day without cover from %(since)s on.",
            "%(days)s days without cover from %(since)s on.",
            int(has or 0),
        ) % {"days": f"{has or 0:,.0f}", "since": since}
    return _now("“%(note)s” in the place of work-safety liability insurance.") % {"note": note}
