"""Topics the regulators set (出题目) and tasks the committee makes of them (列任务), with their states and duties."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.duty import OURS, Duty, Party
from anze.kernel.lifecycle import Lifecycle, Transition
from anze.parties.rules import Permission


class TopicState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("topic", "draft")
    ISSUED = "ISSUED", pgettext_lazy("topic", "issued")
    CLOSED = "CLOSED", pgettext_lazy("topic", "closed")


TOPIC = Lifecycle(
    "DRAFT",
    (
        Transition("issue", ("DRAFT",), "ISSUED", _("Issue the topic"), Permission.SET_TOPICS),
        Transition("close", ("ISSUED",), "CLOSED", _("Close the topic"), Permission.SET_TOPICS),
    ),
)


class TaskState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("task", "draft")
    ISSUED = "ISSUED", pgettext_lazy("task", "issued")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("task", "withdrawn")


TASK = Lifecycle(
    "DRAFT",
    (
        Transition("issue", ("DRAFT",), "ISSUED", _("Issue to the insurers"), Permission.LIST_TASKS),
        Transition("withdraw", ("ISSUED",), "WITHDRAWN", _("Withdraw the task"), Permission.LIST_TASKS),
    ),
)


class TaskMeasure(TextChoices):
    """What is counted: a number of services, or each enterprise of the filter once."""

    TIMES = "TIMES", _("so many services in all")
    EACH_ENTERPRISE = "EACH_ENTERPRISE", _("every enterprise of the filter once")


class ShareRule(TextChoices):
    """By what a task's total is divided among the insurers."""

    PREMIUM = "PREMIUM", _("share of premium")
    REGION = "REGION", _("by region, among the insurers there")
    SECTOR = "SECTOR", _("by sector, among its insurers")
    FIXED = "FIXED", _("a fixed list")


class ShareState(TextChoices):
    SENT = "SENT", pgettext_lazy("share", "waits for the insurer")
    ACCEPTED = "ACCEPTED", pgettext_lazy("share", "accepted")
    DECLINED = "DECLINED", pgettext_lazy("share", "declined")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("share", "withdrawn")


SHARE = Lifecycle(
    "SENT",
    (
        Transition("accept", ("SENT", "DECLINED"), "ACCEPTED", _("Accept"), Permission.RUN_SERVICES),
        Transition("decline", ("SENT",), "DECLINED", _("Decline"), Permission.RUN_SERVICES),
        Transition("withdraw", ("SENT", "ACCEPTED", "DECLINED"), "WITHDRAWN", _("Withdraw"), Permission.LIST_TASKS),
    ),
)

ANSWER_TASK = Duty(
    "ANSWER_TASK",
    _("Answer a task"),
    "task_answer_workdays",
    "WORKDAYS",
    OURS,
    (Party.INSURER,),
    pgettext_lazy("clock starts", "the task is issued"),
)

Key = TypeVar("Key", bound=Hashable)


def allocate(total: int, bases: Mapping[Key, Decimal | int]) -> dict[Key, int]:
    """Divide a total in whole numbers in proportion to the bases, by the largest remainder.

    The parts sum to the total; who has more base never gets less; who has none gets nothing. Where remainders are
    equal the larger base comes first, then the key that sorts first, so that the same question always has the same
    answer. Empty if nobody has any base.
    """
    held = {key: Fraction(base) for key, base in bases.items() if base > 0}
    whole = sum(held.values(), Fraction(0))
    if not whole:
        return {}
    exact = {key: total * base / whole for key, base in held.items()}
    parts = {key: int(share) for key, share in exact.items()}
    by_remainder = sorted(held, key=lambda key: (parts[key] - exact[key], -held[key], str(key)))
    for key in by_remainder[: total - sum(parts.values())]:
        parts[key] += 1
    return parts


def allocate_by_group(
    total: int, bases: Mapping[tuple[str, Key], int]
) -> tuple[dict[Key, int], dict[Key, dict[str, int]]]:
    """Divide first among groups (cities, sectors), then within each: the parts, and what of each group they hold."""
    groups: dict[str, dict[Key, int]] = {}
    for (group, key), base in bases.items():
        groups.setdefault(group, {})[key] = base
    parts: dict[Key, int] = {}
    inside: dict[Key, dict[str, int]] = {}
    for group, number in allocate(total, {name: sum(each.values()) for name, each in groups.items()}).items():
        for key, part in allocate(number, groups[group]).items():
            parts[key] = parts.get(key, 0) + part
            if part:
                inside.setdefault(key, {})[group] = part
    return parts, inside
