"""Code lists of the library, what a checklist asks next, and what changes between two editions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class StandardKind(TextChoices):
    DETERMINATION = "DETERMINATION", _("standard for determining major hazards")
    RELATED = "RELATED", _("related rule")
    SERVICE = "SERVICE", _("service specification")


class TextStatus(TextChoices):
    """Whether somebody has held the published text against ours."""

    CONFIRMED = "CONFIRMED", _("confirmed")
    UNVERIFIED = "UNVERIFIED", _("unverified")


class AnswerKind(TextChoices):
    YES_NO_NA = "YES_NO_NA", _("yes, no or not applicable")
    NUMBER = "NUMBER", _("number")
    TEXT = "TEXT", _("text")


class Answer(TextChoices):
    YES = "YES", _("yes")
    NO = "NO", _("no")
    NA = "NA", _("not applicable")


# The "1+1" campaign of expert guidance and insurer's service at aluminium deep-well casters (domain: 铝加工深井铸造).
ALUMINIUM_CAMPAIGN = "1+1-AL"


# what a checklist asks ----------------------------------------------------------------------------------------


def is_shown(item: Mapping[str, Any], answers: Mapping[int, str], items: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether an item is asked: its condition holds, and the item it depends on is itself asked.

    `items` and `answers` go by the item's number; an item without condition is always asked.
    """
    on = item["shown_if"]
    if on is None:
        return True
    return answers.get(on) == item["shown_if_answer"] and is_shown(items[on], answers, items)


def condition_problem(seq: int, on: int | None, answer: str, kinds: Mapping[int, str]) -> str:
    """Why the condition of item `seq` cannot be met, or nothing. `kinds`: number → kind of answer of each item."""
    if on is None:
        return ""
    if on >= seq:
        return "forward"
    if kinds.get(on) != AnswerKind.YES_NO_NA:
        return "no_such_answer"
    return "" if answer in Answer.values else "unknown_answer"


# what changes between two editions ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """A stretch of text that is in both editions (""), only in the old ("del"), or only in the new ("ins")."""

    kind: str
    text: str


@dataclass(frozen=True)
class Clause:
    """A clause or a question. `code` is the matter it is about, `label` what stands before it in its edition."""

    code: str
    text: str
    label: str = ""


@dataclass(frozen=True)
class Difference:
    """One clause in two editions. `kind`: added, removed, changed, renumbered, same."""

    kind: str
    old: Clause | None
    new: Clause | None
    pieces: tuple[Piece, ...]

    @property
    def old_label(self) -> str:
        return (self.old.label or self.old.code) if self.old else ""

    @property
    def new_label(self) -> str:
        return (self.new.label or self.new.code) if self.new else ""


# Chinese goes character by character, everything else word by word
_TOKENS = re.compile(r"[\u3400-\u9fff]|[A-Za-z0-9][A-Za-z0-9.'-]*|\s+|.", re.DOTALL)
# below this likeness two clauses with different codes are two different matters
LIKE = 0.6


def word_diff(old: str, new: str) -> tuple[Piece, ...]:
    """What was taken away and what was put in, in reading order.

    A single character that stayed between two changes is read with them: otherwise nobody could follow.
    """
    before, after = _TOKENS.findall(old), _TOKENS.findall(new)
    found = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    pieces: list[Piece] = []
    gone = come = ""
    for n, (kind, a, b, c, d) in enumerate(found):
        same = "".join(before[a:b])
        is_small = 0 < n < len(found) - 1 and len(same.strip()) <= 1
        if kind != "equal" or is_small:
            gone, come = gone + same, come + "".join(after[c:d])
            continue
        pieces += _changed(gone, come)
        gone = come = ""
        pieces.append(Piece("", same))
    return (*pieces, *_changed(gone, come))


def _changed(gone: str, come: str) -> list[Piece]:
    return [piece for piece in (Piece("del", gone), Piece("ins", come)) if piece.text]


def likeness(old: str, new: str) -> float:
    return SequenceMatcher(None, _TOKENS.findall(old), _TOKENS.findall(new), autojunk=False).ratio()


def difference(old: Sequence[Clause], new: Sequence[Clause]) -> list[Difference]:
    """Clause by clause in the order of the new edition; what fell away follows where it stood before.

    A clause is the same matter under the same code. What is left over on both sides is paired by likeness:
    such a clause only got another number.
    """
    by_code = {each.code: each for each in old}
    pairs: dict[str, Clause] = {each.code: by_code[each.code] for each in new if each.code in by_code}
    left_old = [each for each in old if each.code not in pairs]
    left_new = [each for each in new if each.code not in pairs]
    for one in left_new:
        best = max(left_old, key=lambda each: likeness(each.text, one.text), default=None)
        if best is not None and likeness(best.text, one.text) >= LIKE:
            pairs[one.code] = best
            left_old.remove(best)
    made = [_compared(pairs.get(each.code), each) for each in new]
    position = {each.code: index for index, each in enumerate(old)}
    for gone in left_old:
        before = [n for n, d in enumerate(made) if d.old and position[d.old.code] < position[gone.code]]
        made.insert(before[-1] + 1 if before else 0, Difference("removed", gone, None, (Piece("del", gone.text),)))
    return made


def _compared(old: Clause | None, new: Clause) -> Difference:
    if old is None:
        return Difference("added", None, new, (Piece("ins", new.text),))
    if old.text == new.text:
        kind = "same" if old.code == new.code and old.label == new.label else "renumbered"
        return Difference(kind, old, new, (Piece("", new.text),))
    return Difference("changed", old, new, word_diff(old.text, new.text))


def touched_codes(differences: Iterable[Difference]) -> list[str]:
    """Codes of the old edition whose findings should be looked at again under the new one."""
    return [each.old.code for each in differences if each.old and each.kind in ("removed", "changed", "renumbered")]
