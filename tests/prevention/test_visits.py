"""Visits recorded on phones: begun once, merged entry by entry, nobody's work dropped."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anze.evidence.models import Media
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, enter, inside, leave
from anze.prevention.actions import missing_of, open_visit, pick_version, return_visit, submit_visit, visit_of_order
from anze.prevention.actions.visits import VISIT
from anze.prevention.models import Order, Visit, VisitChange, VisitEntry
from anze.prevention.rules import Outcome, VisitState
from anze.prevention.rules.visits import Contents, Opening, missing_from
from tests.cast import NOW
from tests.prevention.conftest import HERE, Phone, make_order, record_whole_visit

NOTE = {"text": "现场正常"}


def test_a_visit_of_an_order_is_begun_once_whoever_begins_it(order, by, cast):
    key = visit_of_order(order.pk)
    first = open_visit(Opening(id=key, order=order.pk), by=by, at=NOW)
    again = open_visit(Opening(id=key, order=order.pk), by=by, at=NOW + timedelta(hours=1))
    assert first.pk == again.pk == key
    assert Visit.objects.count() == 1
    assert (first.enterprise_id, first.insurer_id, first.agency_id) == (
        cast.xinghuo.pk,
        cast.huaihai.pk,
        cast.agency.pk,
    )


def test_an_order_has_no_second_visit(order, by):
    with pytest.raises(Refused, match="wrong_visit_id"):
        open_visit(Opening(id=uuid4(), order=order.pk), by=by, at=NOW)


def test_without_an_order_only_where_one_served_before(order, by, cast):
    with pytest.raises(Refused, match="no_policy_for_visit"):
        open_visit(Opening(id=uuid4(), policy=order.policy_id), by=by, at=NOW)


def test_another_expert_does_not_reach_the_order(order, by, cast):
    leave()
    with inside(by.scope.__class__(reader="anze_expert", expert_id=cast.other_expert.pk)):
        assert not Order.objects.exists()
    with inside(by.scope):
        assert Order.objects.count() == 1
    enter(EVERYTHING)


def test_what_is_recorded_is_told_by_the_visit(phone):
    record_whole_visit(phone)
    answers = phone.send()
    assert {each.state for each in answers.values()} == {"APPLIED"}
    visit = Visit.objects.get(pk=phone.visit_id)
    assert (visit.state, visit.findings, visit.photos, visit.nil_findings) == ("FINISHED", 1, 2, False)
    assert visit.started_at.isoformat() == "2026-11-23T01:00:00+00:00"
    assert (str(visit.lon), str(visit.lat), visit.accuracy) == ("117.076000", "36.668000", 12)


def test_a_parcel_sent_again_changes_nothing(phone):
    record_whole_visit(phone)
    first = phone.send(keep=True)
    before = list(VisitEntry.objects.order_by("pk").values())
    again = phone.send(keep=True)
    assert first == again
    assert list(VisitEntry.objects.order_by("pk").values()) == before
    assert VisitChange.objects.count() == len(first)


def test_two_phones_on_one_visit_meet_entry_by_entry(phone, by):
    other = Phone(phone.visit_id, by, "second")
    phone.record("NOTE", {"text": "甲记录"})
    other.record("NOTE", {"text": "乙记录"})
    phone.send()
    other.send()
    assert VisitEntry.objects.filter(visit=phone.visit_id).count() == 2


def test_both_changed_the_same_from_the_same_base(phone, by):
    entry = phone.record("NOTE", {"text": "一"}).entry
    phone.send()
    other = Phone(phone.visit_id, by, "second", knows=dict(phone.knows))
    phone.record("NOTE", {"text": "二"}, entry)
    other.record("NOTE", {"text": "三"}, entry)
    phone.send()
    [answer] = other.send().values()
    assert answer.state == Outcome.CONFLICT
    visit = Visit.objects.get(pk=phone.visit_id)
    assert visit.versions_open == 1
    assert "versions_open" in {each.code for each in missing_of(visit)}
    version = visit.changes.get(outcome=Outcome.CONFLICT)
    assert (version.payload, visit.entries.get().payload) == ({"text": "三"}, {"text": "二"})
    pick_version(version, by=by, at=NOW, take=True)
    visit.refresh_from_db()
    assert (visit.entries.get().payload, visit.versions_open) == ({"text": "三"}, 0)
    assert {"text": "二"} in list(visit.changes.values_list("payload", flat=True))


def test_a_person_picks_on_the_phone(phone, by):
    entry = phone.record("NOTE", {"text": "一"}).entry
    phone.send()
    other = Phone(phone.visit_id, by, "second", knows=dict(phone.knows))
    phone.record("NOTE", {"text": "二"}, entry)
    conflicting = other.record("NOTE", {"text": "三"}, entry)
    phone.send()
    other.send()
    phone.record("NOTE", {"text": "二与三"}, entry, settles=[conflicting.id])
    [answer] = phone.send().values()
    assert answer.state == Outcome.APPLIED
    assert Visit.objects.get(pk=phone.visit_id).versions_open == 0


def test_the_same_answer_from_two_phones_is_no_conflict(phone, by):
    other = Phone(phone.visit_id, by, "second")
    for each in (phone, other):
        each.record("ANSWER", {"item": 3, "answer": "YES"})
    phone.send()
    [answer] = other.send().values()
    assert (answer.state, answer.revision) == ("SAME", 1)


def test_one_person_on_two_phones_is_present_once_from_the_earlier_arrival_to_the_later_departure(phone, by):
    """The phone that was there first sends last; both leave at different times; a colleague is somebody else."""
    other = Phone(phone.visit_id, by, "second")
    expert = {"role": "EXPERT", "name": "示例专家甲", "expert_number": "EXP001"}
    for each, begun, ended in ((phone, "01:10", "02:40"), (other, "01:00", "02:30")):
        each.record("START", {"position": HERE}, made_at=f"2026-11-23T{begun}:00Z")
        each.record("PERSON", expert, made_at=f"2026-11-23T{begun}:00Z")
        each.record("PERSON", {"role": "ENTERPRISE", "name": "示例车间主任", "post": each.name})
        each.record("END", {"position": HERE}, made_at=f"2026-11-23T{ended}:00Z")
    later = NOW + timedelta(hours=2)
    answers = [state.state for each in (phone, other) for state in each.send(at=later).values()]
    assert answers == ["APPLIED"] * 5 + ["SAME"] + ["APPLIED"] * 2
    visit = Visit.objects.get(pk=phone.visit_id)
    persons = visit.entries.filter(kind="PERSON")
    [present] = persons.filter(payload__role="EXPERT")
    assert f"{present.made_at:%H:%M}" == f"{visit.started_at:%H:%M}" == "01:00"
    assert f"{visit.ended_at:%H:%M}" == "02:40"
    assert persons.filter(payload__role="ENTERPRISE").count() == 2
    assert visit.changes.count() == 8  # what each phone sent is kept


def test_an_entry_does_not_become_somebody_else(phone):
    entry = phone.record("PERSON", {"role": "ENTERPRISE", "name": "示例车间主任"}).entry
    phone.send()
    phone.record("PERSON", {"role": "ENTERPRISE", "name": "示例负责人"}, entry)
    [answer] = phone.send().values()
    assert answer.problem["code"] == "id_taken"
    assert VisitEntry.objects.get(pk=entry).payload["name"] == "示例车间主任"


def test_removing_leaves_a_tombstone_and_can_itself_conflict(phone, by):
    entry = phone.record("NOTE", NOTE).entry
    phone.send()
    other = Phone(phone.visit_id, by, "second", knows=dict(phone.knows))
    phone.record("NOTE", NOTE, entry, removed=True)
    other.record("NOTE", {"text": "仍需保留"}, entry)
    phone.send()
    [answer] = other.send().values()
    assert answer.state == Outcome.CONFLICT
    assert VisitEntry.objects.get(pk=entry).is_removed


def test_what_comes_after_submission_is_kept_and_can_be_taken(phone, by):
    record_whole_visit(phone)
    phone.send()
    visit = Visit.objects.get(pk=phone.visit_id)
    submit_visit(visit, by=by, at=NOW)
    phone.record("NOTE", {"text": "第二部手机晚到的记录"})
    [answer] = phone.send().values()
    assert answer.state == Outcome.LATE
    visit.refresh_from_db()
    assert (visit.state, visit.versions_open) == (VisitState.SUBMITTED, 1)
    pick_version(visit.changes.get(outcome=Outcome.LATE), by=by, at=NOW, take=True)
    visit.refresh_from_db()
    assert visit.state == VisitState.RETURNED
    assert visit.entries.filter(kind="NOTE").count() == 1


def test_a_clock_a_day_off_is_put_right(phone):
    phone.record("START", {"position": HERE}, made_at="2026-11-24T01:00:00Z")
    phone.send(sent_at=NOW + timedelta(days=1))
    visit = Visit.objects.get(pk=phone.visit_id)
    assert visit.started_at.isoformat() == "2026-11-23T01:00:00+00:00"
    assert visit.clock_offset == 86400


def test_a_position_that_was_denied_is_recorded_as_such(phone):
    phone.record("START", {"position": {"refused": "denied"}})
    phone.send()
    visit = Visit.objects.get(pk=phone.visit_id)
    assert (visit.lon, visit.position_refused) == (None, "denied")


@pytest.mark.parametrize(
    ("kind", "payload", "field"),
    [
        ("FINDING", {"description": "", "hazard_class": "GENERAL", "deadline_on": "2026-12-01"}, "description"),
        ("FINDING", {"description": "缺盖", "hazard_class": "LARGE", "deadline_on": "2026-12-01"}, "hazard_class"),
        ("PERSON", {"role": "EXPERT", "name": "甲", "telephone": "1"}, "person"),
        ("NOTE", {"text": "甲\u0000乙"}, "note"),
        ("START", {"position": {"lon": 500.0, "lat": 1.0}}, "position.lon"),
    ],
)
def test_what_cannot_be_read_is_refused_by_itself_and_names_the_field(phone, kind, payload, field):
    bad = phone.record(kind, payload, uuid4())
    good = phone.record("NOTE", NOTE)
    answers = phone.send()
    assert answers[good.id].state == "APPLIED"
    assert answers[bad.id].state == "REFUSED"
    assert answers[bad.id].problem["field"] == field
    assert answers[bad.id].problem["remedy"]


def test_an_id_of_somebody_elses_entry_is_refused(phone, cast, by):
    entry = phone.record("NOTE", NOTE).entry
    phone.send()
    other_order = make_order(cast, "PD002")
    key = visit_of_order(other_order.pk)
    open_visit(Opening(id=key, order=other_order.pk), by=by, at=NOW)
    thief = Phone(key, by)
    thief.record("NOTE", {"text": "x"}, entry, base=1)
    [answer] = thief.send().values()
    assert answer.problem["code"] == "id_taken"
    assert VisitEntry.objects.get(pk=entry).payload == NOTE


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_interleaving_of_two_phones_keeps_every_version(phone, by, data):
    """Whatever two phones record, and however often what was sent is sent again, every version is kept, every
    entry has one present state, and what is open to be picked is exactly what was refused a place."""
    visit = Visit.objects.get(pk=phone.visit_id)
    VisitEntry.objects.filter(visit=visit).delete()
    VisitChange.objects.filter(visit=visit).delete()
    Visit.objects.filter(pk=visit.pk).update(versions_open=0)  # of the example before
    phones = [Phone(visit.pk, by, "one"), Phone(visit.pk, by, "two")]
    entries = [uuid4() for _n in range(3)]
    said: set[tuple[UUID, str, bool]] = set()
    old: list[tuple[Phone, list]] = []
    for step in range(data.draw(st.integers(3, 14))):
        who = data.draw(st.sampled_from(phones))
        act = data.draw(st.sampled_from(["record", "record", "remove", "send", "again", "read"]))
        entry = data.draw(st.sampled_from(entries))
        if act in ("record", "remove"):
            text = f"{who.name} {step}"
            who.record("NOTE", {"text": text}, entry, removed=act == "remove")
            said.add((entry, text, act == "remove"))
        elif act == "send":
            old.append((who, list(who.queue)))
            who.send()
        elif act == "again" and old:
            sender, queue = data.draw(st.sampled_from(old))
            later = list(sender.queue)
            sender.queue[:] = queue
            sender.send(keep=True)
            sender.queue[:] = later
        elif act == "read":
            who.knows.update(VisitEntry.objects.filter(visit=visit).values_list("pk", "revision"))
    for each in phones:
        each.send()
    kept = {(row.entry_id, row.payload["text"], row.is_removal) for row in visit.changes.all()}
    assert kept == said
    assert visit.changes.count() == len(said)
    for entry in VisitEntry.objects.filter(visit=visit):
        applied = visit.changes.filter(entry_id=entry.pk, outcome=Outcome.APPLIED)
        assert applied.count() == entry.revision
        newest = applied.get(revision=entry.revision)
        assert (newest.payload, newest.is_removal) == (entry.payload, entry.is_removed)
    visit.refresh_from_db()
    assert visit.versions_open == visit.changes.filter(outcome=Outcome.CONFLICT).count()


def test_what_is_missing_is_named_with_its_remedy():
    empty = missing_from(Contents("HAZARD", ()))
    hard = {each.code for each in empty if each.is_hard}
    assert hard == {"no_start", "no_end", "no_person", "nothing_stated", "not_signed", "no_photo"}
    assert all(str(each.remedy) for each in empty)


def test_a_complete_visit_misses_nothing(phone):
    record_whole_visit(phone)
    phone.send()
    assert missing_of(Visit.objects.get(pk=phone.visit_id)) == []


def test_what_did_not_come_as_a_photo_is_no_photo_of_the_visit(phone):
    """A signature is compared with no other picture: it must not stand for a photo that the entries tell of."""
    record_whole_visit(phone)
    phone.send()
    visit = Visit.objects.get(pk=phone.visit_id)
    Media.objects.filter(subject=visit.pk).update(kind="SIGNATURE", role="SIGNATURE_EXPERT")
    assert "photos_on_the_way" in {each.code for each in missing_of(visit) if each.is_hard}


def test_a_training_needs_no_statement_about_findings():
    assert "nothing_stated" not in {e.code for e in missing_from(Contents("TRAIN", ())) if e.is_hard}


def test_an_incomplete_visit_is_not_submitted(phone, by):
    phone.record("START", {"position": HERE})
    phone.send()
    visit = Visit.objects.get(pk=phone.visit_id)
    with pytest.raises(Refused, match="visit_incomplete"):
        submit_visit(visit, by=by, at=NOW)
    visit.refresh_from_db()
    assert visit.state == VisitState.OPEN


def test_submitted_twice_is_submitted_once(phone, by):
    record_whole_visit(phone)
    phone.send()
    visit = Visit.objects.get(pk=phone.visit_id)
    first = submit_visit(visit, by=by, at=NOW).submitted_at
    assert submit_visit(visit, by=by, at=NOW + timedelta(hours=1)).submitted_at == first


def test_an_expert_does_not_return_a_visit(phone, by):
    record_whole_visit(phone)
    phone.send()
    visit = submit_visit(Visit.objects.get(pk=phone.visit_id), by=by, at=NOW)
    with pytest.raises(Refused, match="not_yours_to_return"):
        return_visit(visit, by=by, at=NOW, reason="照片不清")


def test_every_state_but_the_first_is_reached():
    targets = {each.target for each in VISIT.transitions}
    assert targets | {VISIT.initial} == set(VisitState.values)
