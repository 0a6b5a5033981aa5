"""Code lists of the library, what a checklist asks next, and what changes between two editions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anze.kernel.lifecycle import Lifecycle, Transition
from anze.kernel.rules import Sector


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


# materials and trainings ----------------------------------------------------------------------------------------


class MaterialKind(TextChoices):
    VIDEO = "VIDEO", _("video")
    POSTER = "POSTER", _("poster")
    HANDBOOK = "HANDBOOK", _("handbook")


class Audience(TextChoices):
    ALL = "ALL", _("everybody")
    ENTERPRISE = "ENTERPRISE", _("enterprises")
    EXPERT = "EXPERT", _("experts and agencies")
    INSURER = "INSURER", _("insurers")


class Use(TextChoices):
    VIEW = "VIEW", _("opened")
    DOWNLOAD = "DOWNLOAD", _("downloaded")


# beginning of a file → what it is; what a name says is not asked
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
)
EXTENSIONS = {
    "application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "video/mp4": "mp4", "video/webm": "webm",
}  # fmt: skip
OF_KIND = {
    MaterialKind.VIDEO: ("video/mp4", "video/webm", "application/pdf"),  # a storyboard may stand for the film
    MaterialKind.POSTER: ("application/pdf", "image/png", "image/jpeg"),
    MaterialKind.HANDBOOK: ("application/pdf",),
}
MAX_MATERIAL = 200 * 1024 * 1024


def media_type_of(head: bytes) -> str:
    """What a file is by its first bytes, or nothing when it is none of those taken."""
    return next((kind for at, mark, kind in SIGNATURES if head[at : at + len(mark)] == mark), "")


class TrainingState(TextChoices):
    OPEN = "OPEN", _("open for sign-up")
    UNDER_WAY = "UNDER_WAY", pgettext_lazy("training", "under way")
    HELD = "HELD", pgettext_lazy("training", "held")
    CANCELLED = "CANCELLED", pgettext_lazy("training", "cancelled")


TRAINING = Lifecycle(
    initial=TrainingState.OPEN,
    transitions=(
        Transition("start", (TrainingState.OPEN,), TrainingState.UNDER_WAY, _("Start"), "KEEP_LIBRARY"),
        Transition("finish", (TrainingState.UNDER_WAY,), TrainingState.HELD, _("Finish"), "KEEP_LIBRARY"),
        Transition("cancel", (TrainingState.OPEN,), TrainingState.CANCELLED, _("Cancel the training"), "KEEP_LIBRARY"),
    ),
)


class SignUpState(TextChoices):
    SIGNED_UP = "SIGNED_UP", _("signed up")
    PRESENT = "PRESENT", _("present")
    WITHDRAWN = "WITHDRAWN", _("withdrawn")


SIGN_UP = Lifecycle(
    initial=SignUpState.SIGNED_UP,
    transitions=(
        Transition("attend", (SignUpState.SIGNED_UP,), SignUpState.PRESENT, _("I am here"), "JOIN_TRAININGS"),
        Transition("withdraw", (SignUpState.SIGNED_UP,), SignUpState.WITHDRAWN, _("Withdraw"), "JOIN_TRAININGS"),
    ),
)


def score_of(correct: Mapping[int, int], given: Mapping[int, int]) -> int:
    """Points out of 100, rounded half up: the share of questions answered with the right option."""
    if not correct:
        return 0
    right = sum(given.get(seq) == option for seq, option in correct.items())
    return (200 * right + len(correct)) // (2 * len(correct))


def masked(name: str) -> str:
    """A name as strangers may see it: the first character, and a star for each of the others."""
    name = name.strip()
    if " " in name:
        return " ".join(masked(part) for part in name.split())
    return name[:1] + "*" * max(1, len(name) - 1)


class DraftKind(TextChoices):
    STANDARD = "STANDARD", pgettext_lazy("draft", "edition of a standard")
    CHECKLIST = "CHECKLIST", pgettext_lazy("draft", "version of a checklist")


class DraftState(TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("draft", "draft")
    PUBLISHED = "PUBLISHED", pgettext_lazy("draft", "published")
    DISCARDED = "DISCARDED", pgettext_lazy("draft", "discarded")


DRAFT = Lifecycle(
    initial=DraftState.DRAFT,
    transitions=(
        Transition("publish", (DraftState.DRAFT,), DraftState.PUBLISHED, _("Publish"), "KEEP_LIBRARY"),
        Transition("discard", (DraftState.DRAFT,), DraftState.DISCARDED, _("Discard"), "KEEP_LIBRARY"),
    ),
)


class Misread(ValueError):
    """A line of questions that cannot be understood: its number and what is wrong."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line, self.problem = line, problem


def read_questions(text: str) -> list[dict[str, Any]]:
    """Questions as a keeper types them: a line with the question, a line for each option, an empty line between.

    The right option begins with a star. Chinese and English stand on one line with a bar between: 是 | yes.
    """
    found: list[dict[str, Any]] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            found.append(_question(block))
            block = []
    return found


def _question(block: list[tuple[int, str]]) -> dict[str, Any]:
    first, *rest = block
    options: list[list[str]] = []
    right: list[int] = []
    for number, line in rest:
        if line.startswith("*"):
            right.append(len(options))
            line = line[1:].strip()
        options.append(_both(number, line))
    if not 2 <= len(options) <= 6:
        raise Misread(first[0], "options")
    if len(right) != 1:
        raise Misread(first[0], "right")
    chinese, english = _both(*first)
    return {"text_zh": chinese, "text_en": english, "options": options, "correct": right[0]}


def _both(number: int, line: str) -> list[str]:
    chinese, bar, english = (part.strip() for part in line.replace("\uff5c", "|").partition("|"))
    if not (chinese and bar and english):
        raise Misread(number, "languages")
    return [chinese, english]


def write_questions(questions: Iterable[Any]) -> str:
    """The way back: what `read_questions` reads."""
    return "\n\n".join(
        "\n".join(
            [f"{q.text_zh} | {q.text_en}"]
            + [f"{'* ' if n == q.correct else ''}{zh} | {en}" for n, (zh, en) in enumerate(q.options)]
        )
        for q in questions
    )


# what a draft holds, in the order of its columns; also the columns of the file it is edited in
DRAFT_COLUMNS: dict[str, tuple[tuple[str, Any], ...]] = {
    DraftKind.STANDARD: (
        ("code", _("code")),
        ("clause", _("clause")),
        ("sector", _("sector")),
        ("text_zh", _("text (Chinese)")),
        ("text_en", _("text (English)")),
        ("status", _("status")),
    ),
    DraftKind.CHECKLIST: (
        ("section_zh", _("section (Chinese)")),
        ("section_en", _("section (English)")),
        ("text_zh", _("text (Chinese)")),
        ("text_en", _("text (English)")),
        ("criterion", _("criterion")),
        ("standard", _("standard")),
        ("basis_zh", _("basis (Chinese)")),
        ("basis_en", _("basis (English)")),
        ("hazard", _("hazard if not")),
        ("answer", _("answer")),
        ("needs_photo", _("photo required")),
        ("shown_if", _("only if item")),
        ("shown_if_answer", _("was answered")),
    ),
}
LONGEST_OF = {
    "code": 20, "clause": 40, "text_zh": 300, "text_en": 400, "section_zh": 40, "section_en": 80,
    "basis_zh": 160, "basis_en": 200,
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """What keeps a draft from being published: the row (0: the head), the field, what is wrong, what helps."""

    row: int
    field: str
    code: str

    @property
    def message(self) -> str:
        return str(PROBLEMS[self.code][0])

    @property
    def remedy(self) -> str:
        return str(PROBLEMS[self.code][1])


PROBLEMS: dict[str, tuple[Any, Any]] = {
    "missing": (_("This field is empty."), _("Fill in this field.")),
    "too_long": (_("The text is too long."), _("Shorten it.")),
    "unknown_value": (_("This value is not in the code list."), _("Choose one of the list.")),
    "twice": (_("The code stands in two rows."), _("Give each row a code of its own.")),
    "no_basis": (_("The question rests on nothing."), _("Give a criterion, a standard or a basis in both languages.")),
    "unknown_criterion": (_("There is no such criterion."), _("Write it as standard/criterion, such as INDUSTRY-2023/AL-1.")),
    "unknown_standard": (_("There is no such standard."), _("Use the code of a standard in the list.")),
    "unknown_hazard": (_("The hazard library has no such code."), _("Use the code of a hazard in the list.")),
    "not_a_number": (_("This is not a whole number."), _("Give the number of an earlier item.")),
    "forward": (_("The condition points to itself or to a later item."), _("Let it point to an earlier item.")),
    "no_such_answer": (_("The condition points to an item that is not answered with yes or no."), _("Let it point to a yes-or-no item.")),
    "unknown_answer": (_("The condition names no answer."), _("Write YES, NO or NA.")),
    "no_rows": (_("The draft has no rows."), _("Add rows, or upload a file.")),
    "no_date": (_("The day it comes into force is missing."), _("Give the day.")),
    "past": (_("The day it comes into force has passed."), _("Give today or a later day: what was done under the old text stays so.")),
    "not_after": (_("It would come into force before the edition it replaces."), _("Give a later day.")),
    "edition_taken": (_("This edition exists already."), _("Give another edition.")),
}  # fmt: skip


def row_problems(kind: str, rows: Sequence[Mapping[str, str]]) -> list[Problem]:
    """Everything wrong with the rows of a draft that can be told from the draft alone."""
    found: list[Problem] = []
    needed = ("code", "text_zh", "text_en", "status") if kind == DraftKind.STANDARD else (
        "section_zh", "section_en", "text_zh", "text_en", "answer")  # fmt: skip
    kinds = {n: row.get("answer", "") for n, row in enumerate(rows, 1)}
    seen: set[str] = set()
    for n, row in enumerate(rows, 1):
        found += [Problem(n, name, "missing") for name in needed if not row.get(name)]
        found += [Problem(n, name, "too_long") for name, most in LONGEST_OF.items() if len(row.get(name, "")) > most]
        if kind == DraftKind.STANDARD:
            if row.get("code") and row["code"] in seen:
                found.append(Problem(n, "code", "twice"))
            seen.add(row.get("code", ""))
            found += _unknown(n, row, "status", TextStatus.values)
            found += _unknown(n, row, "sector", Sector.values)
        else:
            found += _unknown(n, row, "answer", AnswerKind.values)
            if not (row.get("criterion") or row.get("standard") or (row.get("basis_zh") and row.get("basis_en"))):
                found.append(Problem(n, "basis_zh", "no_basis"))
            found += _condition(n, row, kinds)
    return found if rows else [Problem(0, "rows", "no_rows")]


def _unknown(n: int, row: Mapping[str, str], name: str, known: Sequence[str]) -> list[Problem]:
    return [Problem(n, name, "unknown_value")] if row.get(name) and row[name] not in known else []


def _condition(n: int, row: Mapping[str, str], kinds: Mapping[int, str]) -> list[Problem]:
    on = row.get("shown_if", "")
    if not on:
        return []
    if not on.isdecimal():
        return [Problem(n, "shown_if", "not_a_number")]
    problem = condition_problem(n, int(on), row.get("shown_if_answer", ""), kinds)
    return [Problem(n, "shown_if_answer" if problem == "unknown_answer" else "shown_if", problem)] if problem else []


@lru_cache(maxsize=4096)
def initials(words: str) -> str:
    """The first letters of Chinese words in pinyin, as people type them with one thumb: 结晶器 → jjq.

    Letters and digits stay; a character read in several ways has the reading of the word it stands in."""
    from pypinyin import Style, lazy_pinyin  # its dictionary takes longer to load than most of the platform

    return "".join(lazy_pinyin(words, style=Style.FIRST_LETTER, errors=_letters_only)).lower()


def _letters_only(other: str) -> str:
    return "".join(each for each in other if each.isalnum())
