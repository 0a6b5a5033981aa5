"""Trainings: announcing, signing up, being there, the test, certificates."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.models import parameter
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, widened
from anze.library.models import Certificate, Question, SignUp, Training
from anze.library.rules import SIGN_UP, TRAINING, SignUpState, TrainingState, score_of
from anze.parties.models import Enterprise, Expert, Organisation
from anze.parties.rules import Permission

KEEP, JOIN = Permission.KEEP_LIBRARY, Permission.JOIN_TRAININGS
SALT = "training-attendance"


# announcing ---------------------------------------------------------------------------------------------------


@action(KEEP, "training.announced")
def announce_training(code: str, *, by: Actor, at: datetime, host: Organisation, fields: Mapping[str, Any]) -> Training:
    try:
        with transaction.atomic():
            return Training.objects.create(code=code, host=host, **fields)
    except IntegrityError as problem:
        if "ends_after_start" in str(problem):
            raise Refused(
                "ends_before_start",
                _("The training ends before it begins."),
                remedy=_("Give an end after the beginning."),
                field="ends_at",
            ) from None
        raise Refused(
            "code_taken", _("Another training has this number."), remedy=_("Choose another number."), field="code"
        ) from None


@action(KEEP, "training.changed")
def change_training(training: Training, *, by: Actor, at: datetime, fields: Mapping[str, Any]) -> Training:
    """Time, place and words may change until it has begun; seats never below those taken."""
    held = Training.objects.select_for_update().get(pk=training.pk)
    if held.state != TrainingState.OPEN:
        raise Refused(
            "not_open",
            _("The training has begun or was cancelled; it can no longer be changed."),
            remedy=_("Announce another one."),
            status=409,
        )
    if fields.get("capacity", held.capacity) < held.taken:
        raise Refused(
            "seats_taken",
            ngettext_lazy("%(taken)s seat is taken already.", "%(taken)s seats are taken already.", "taken"),
            remedy=_("Give at least that many seats."),
            field="capacity",
            values={"taken": held.taken},
        )
    for name, value in fields.items():
        setattr(held, name, value)
    held.save(update_fields=list(fields))
    return held


@action(KEEP, "training.questions_set")
def set_questions(training: Training, *, by: Actor, at: datetime, questions: Sequence[Mapping[str, Any]]) -> Training:
    """Put the questions of the short test in place of those before. Not once somebody has taken it."""
    if SignUp.objects.filter(training=training, attempts__gt=0).exists():
        raise Refused(
            "test_taken",
            _("Somebody has taken the test already."),
            remedy=_("Leave the questions as they are."),
            status=409,
        )
    for number, each in enumerate(questions, 1):
        if not 2 <= len(each["options"]) <= 6 or not 0 <= each["correct"] < len(each["options"]):
            raise Refused(
                "options",
                _("Question %(number)s needs two to six options, one of them right."),
                remedy=_("Correct the options of this question."),
                field="questions",
                values={"number": number},
            )
    Question.objects.filter(training=training).delete()
    Question.objects.bulk_create(Question(training=training, seq=n, **each) for n, each in enumerate(questions, 1))
    return training


@action(KEEP, "training.moved")
def move_training(training: Training, *, by: Actor, at: datetime, name: str) -> Training:
    """Start, finish or cancel. A finished training without a test gives everybody present his certificate."""
    TRAINING.move(training, name)
    if name == "finish" and not Question.objects.filter(training=training).exists():
        for each in SignUp.objects.filter(training=training, state=SignUpState.PRESENT).order_by("id"):
            _certify(each, at)
    return training


# signing up ---------------------------------------------------------------------------------------------------


def party_of(by: Actor) -> dict[str, Any]:
    """The organisation an actor signs people up for, as the scope columns of a sign-up."""
    scope = by.scope
    words: dict[str, Any] = dict.fromkeys(("insurer_id", "agency_id", "expert_id", "enterprise_id"))
    words |= {"insurer_id": scope.insurer_id, "agency_id": scope.agency_id}
    words |= {"expert_id": scope.expert_id, "enterprise_id": scope.enterprise_id, "sector": ""}
    words["organisation_name"], words["region_code"] = by.organisation_name, scope.region_from
    with widened(EVERYTHING):
        if scope.enterprise_id:
            enterprise = Enterprise.objects.get(pk=scope.enterprise_id)
            words |= {"organisation_name": enterprise.name, "region_code": enterprise.region_code}
            words["sector"] = enterprise.sector
        elif scope.expert_id:
            expert = Expert.objects.select_related("agency").get(pk=scope.expert_id)
            words |= {"organisation_name": str(expert.agency or expert.name), "region_code": expert.region_id}
            words["sector"] = expert.sector
        elif scope.agency_id:
            words["region_code"] = Organisation.objects.get(pk=scope.agency_id).region_id
    return words


@action(JOIN, "training.signed_up")
def sign_up(training: Training, *, by: Actor, at: datetime, attendee: str) -> SignUp:
    """Take a seat for somebody of the own organisation."""
    attendee = " ".join(attendee.split())
    if not attendee:
        raise Refused("no_name", _("Who will come?"), remedy=_("Give the attendee's name."), field="attendee")
    words = party_of(by)
    with widened(EVERYTHING):
        return _seat(training, words, attendee, by, at)


def _seat(training: Training, words: dict[str, Any], attendee: str, by: Actor, at: datetime) -> SignUp:
    held = Training.objects.select_for_update().get(pk=training.pk)
    if held.state not in (TrainingState.OPEN, TrainingState.UNDER_WAY):
        raise Refused(
            "not_open",
            _("This training takes no more sign-ups."),
            remedy=_("Look for another one in the list."),
            status=409,
        )
    if held.taken >= held.capacity:
        raise Refused(
            "full",
            ngettext_lazy("The only seat is taken.", "All %(seats)s seats are taken.", "seats"),
            remedy=_("Choose another training, or ask the host for more seats."),
            status=409,
            values={"seats": held.capacity},
        )
    try:
        with transaction.atomic():
            made = SignUp.objects.create(
                training=held, attendee=attendee, account_id=by.account_id, signed_up_at=at, **words
            )
    except IntegrityError:
        raise Refused(
            "twice",
            _("%(name)s is signed up already."),
            remedy=_("Sign up somebody else, or leave it as it is."),
            field="attendee",
            values={"name": attendee},
        ) from None
    Training.objects.filter(pk=held.pk).update(taken=F("taken") + 1)
    return made


@action(JOIN, "training.withdrawn")
def withdraw_sign_up(row: SignUp, *, by: Actor, at: datetime) -> SignUp:
    """Give the seat back."""
    with widened(EVERYTHING):
        SIGN_UP.move(row, "withdraw")
        Training.objects.filter(pk=row.training_id).update(taken=F("taken") - 1)
    return row


# being there --------------------------------------------------------------------------------------------------


def attendance_code(training: Training, at: datetime) -> str:
    """What the code on the trainer's screen says: the training and the second, signed."""
    return signing.dumps([str(training.pk), int(at.timestamp())], salt=SALT)


def read_code(code: str, at: datetime) -> Training:
    """The training of a code that is genuine and fresh."""
    try:
        key, second = signing.loads(code, salt=SALT)
        training = Training.objects.get(pk=UUID(key))
    except (signing.BadSignature, ValueError, TypeError, Training.DoesNotExist):
        raise Refused(
            "code_unknown",
            _("This is no attendance code of ours."),
            remedy=_("Scan the code on the trainer's screen again."),
            field="code",
        ) from None
    age = at.timestamp() - second
    if not -5 <= age <= int(parameter("training.code_seconds", beijing_day(at))):
        raise Refused(
            "code_old",
            _("The code has expired."),
            remedy=_("Scan the one that is on the screen now."),
            field="code",
        )
    return training


@action(JOIN, "training.attended")
def attend(training: Training, *, by: Actor, at: datetime, attendee: str = "", row: SignUp | None = None) -> SignUp:
    """Mark somebody of the own organisation as present: a sign-up, or a person who comes without one."""
    words = party_of(by)
    with widened(EVERYTHING):
        held = Training.objects.select_for_update().get(pk=training.pk)
        if held.state != TrainingState.UNDER_WAY:
            raise Refused(
                "not_under_way",
                _("The training is not under way."),
                remedy=_("Wait until the trainer has started it."),
                status=409,
            )
        if row is None:
            row = _seat(held, words, " ".join(attendee.split()) or by.name, by, at)
        SIGN_UP.move(row, "attend", present_at=at, account_id=row.account_id or by.account_id)
    return row


# the test -----------------------------------------------------------------------------------------------------


@action(JOIN, "training.tested")
def take_test(row: SignUp, *, by: Actor, at: datetime, answers: Mapping[int, int]) -> SignUp:
    """Hand in the test. Who passes gets the certificate at once; who does not may try again a few times."""
    today = beijing_day(at)
    with widened(EVERYTHING):
        held = SignUp.objects.select_for_update().get(pk=row.pk)
        if held.state != SignUpState.PRESENT:
            raise Refused(
                "not_present",
                _("Only those who were there take the test."),
                remedy=_("Scan the attendance code first."),
                status=409,
            )
        if held.passed_at:
            raise Refused("passed", _("The test is passed already."), remedy=_("Open the certificate."), status=409)
        if held.attempts >= int(parameter("training.test_attempts", today)):
            raise Refused(
                "no_attempt_left",
                _("The test was taken as often as allowed."),
                remedy=_("Come to another training."),
                status=409,
            )
        correct = dict(Question.objects.filter(training=held.training_id).values_list("seq", "correct"))
        if not correct:
            raise Refused("no_test", _("This training has no test."), remedy=_("Nothing is left to do."), status=409)
        missing = sorted(set(correct) - set(answers))
        if missing:
            raise Refused(
                "unanswered",
                _("Question %(number)s has no answer."),
                remedy=_("Answer every question."),
                field=f"question-{missing[0]}",
                values={"number": missing[0]},
            )
        held.attempts += 1
        held.score = max(score_of(correct, answers), held.score or 0)
        if held.score >= int(parameter("training.pass_mark", today)):
            held.passed_at = at
        held.save(update_fields=["attempts", "score", "passed_at"])
        if held.passed_at:
            _certify(held, at)
    return held


# certificates -------------------------------------------------------------------------------------------------


def _certify(row: SignUp, at: datetime) -> Certificate:
    training = Training.objects.select_for_update().get(pk=row.training_id)
    place = Certificate.objects.filter(training=training).count() + 1
    made, _is_new = Certificate.objects.get_or_create(
        sign_up=row,
        defaults={
            "number": f"{training.code}-{place:04}", "token": secrets.token_urlsafe(18), "training": training,
            "issued_at": at, "score": row.score, "attendee": row.attendee,
            "organisation_name": row.organisation_name, "region_code": row.region_code, "sector": row.sector,
            "insurer_id": row.insurer_id, "agency_id": row.agency_id, "expert_id": row.expert_id,
            "enterprise_id": row.enterprise_id,
        },
    )  # fmt: skip
    return made


@action(KEEP, "certificate.revoked")
def revoke_certificate(certificate: Certificate, *, by: Actor, at: datetime, reason: str) -> Certificate:
    """From now on the verification page says that it is revoked, and why. It cannot be taken back."""
    if not reason.strip():
        raise Refused("no_reason", _("Why is it revoked?"), remedy=_("Give the reason."), field="reason")
    if certificate.revoked_at:
        raise Refused(
            "revoked", _("The certificate is revoked already."), remedy=_("Nothing is left to do."), status=409
        )
    certificate.revoked_at, certificate.revoke_reason = at, reason.strip()
    certificate.save(update_fields=["revoked_at", "revoke_reason"])
    return certificate
