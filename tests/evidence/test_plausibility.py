"""Graded hints: what fits gives none, what does not fit gives one with its reason, and innocent causes stay innocent."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from anze.evidence.rules import GRADES, Site
from anze.evidence.rules.plausibility import HintCode, Limits, metres, plausibility
from tests.kernel.test_parameter_data import value_on

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
WINDOW = (START, START + timedelta(hours=2))
SITE = Site(117.1200, 36.6500)
LIMITS = Limits(**{each.name: float(value_on(f"evidence_{each.name}", "2026-11-23")) for each in fields(Limits)})


@dataclass(frozen=True)
class Photo:
    """As the phone app sends it: taken within the visit, at the site, received a minute later."""

    captured_at: datetime | None = START + timedelta(minutes=30)
    received_at: datetime = START + timedelta(minutes=31)
    clock_offset_s: int | None = 2
    lon: Decimal | None = Decimal("117.120100")
    lat: Decimal | None = Decimal("36.650100")
    accuracy_m: int | None = 15
    exif_at: datetime | None = START + timedelta(minutes=30)
    exif_lon: Decimal | None = None
    exif_lat: Decimal | None = None
    device: str = "Hualu X1"
    id: UUID = field(default_factory=uuid4)


def codes(*photos: Photo, window=WINDOW, site=SITE) -> set[str]:
    return {hint.code for hint in plausibility(window, site, photos, LIMITS)}


def test_an_ordinary_photo_gives_no_hint():
    assert codes(Photo()) == set()
    assert plausibility(None, None, [], LIMITS) == []


def test_taken_another_day_weighs_more_than_taken_an_hour_late():
    late = Photo(captured_at=START + timedelta(hours=3), exif_at=None, received_at=START + timedelta(hours=3))
    (hint,) = [h for h in plausibility(WINDOW, SITE, [late], LIMITS) if h.code == HintCode.OUTSIDE_WINDOW]
    assert hint.grade == "NOTICE"
    before = Photo(captured_at=START - timedelta(days=30), exif_at=None)
    (hint,) = [h for h in plausibility(WINDOW, SITE, [before], LIMITS) if h.code == HintCode.OUTSIDE_WINDOW]
    assert hint.grade == "STRONG"
    assert "30" in hint.reason_said


def test_a_clock_a_day_off_is_a_hint_about_the_clock_and_not_about_the_visit():
    day = timedelta(days=1)
    wrong = Photo(
        captured_at=START + timedelta(minutes=30) + day,
        exif_at=START + timedelta(minutes=30) + day,
        clock_offset_s=86400,
    )
    assert codes(wrong) == {HintCode.CLOCK}


def test_a_photo_through_a_messenger_is_only_information():
    hints = plausibility(WINDOW, SITE, [Photo(exif_at=None, device="", captured_at=None, lon=None, lat=None)], LIMITS)
    assert {(h.code, h.grade) for h in hints} == {(HintCode.NO_EXIF, "INFO"), (HintCode.NO_POSITION, "INFO")}


def test_the_offset_of_chinese_maps_and_a_poor_position_are_given_away():
    def away(metres_: float, accuracy: int = 15) -> set[str]:
        lat = Decimal(str(round(36.65 + metres_ / 111_195, 6)))
        return codes(Photo(lat=lat, lon=Decimal("117.12"), accuracy_m=accuracy))

    assert away(600) == set()
    assert away(1100) == set()
    assert away(2500, accuracy=2000) == set()
    assert away(1300) == {HintCode.FAR_FROM_SITE}
    (hint,) = plausibility(WINDOW, SITE, [Photo(lat=Decimal("36.9"))], LIMITS)
    assert hint.grade == "STRONG"


def test_an_album_picture_gives_two_times():
    assert HintCode.TIMES_DIFFER in codes(Photo(exif_at=START - timedelta(days=90)))
    assert HintCode.PLACES_DIFFER in codes(Photo(exif_lon=Decimal("120.3"), exif_lat=Decimal("36.1")))


def test_received_days_later_and_out_of_order():
    late = Photo(received_at=START + timedelta(days=4))
    assert codes(late) == {HintCode.LATE}
    first = Photo(captured_at=START + timedelta(minutes=90), exif_at=None, received_at=START + timedelta(minutes=91))
    added = Photo(received_at=START + timedelta(minutes=95))
    (hint,) = [h for h in plausibility(WINDOW, SITE, [first, added], LIMITS) if h.code == HintCode.ORDER]
    assert (hint.photo, hint.grade) == (added.id, "INFO")


places = st.tuples(st.floats(73, 135), st.floats(18, 54))


@given(places, places)
def test_ways_are_symmetric_and_within_the_earth(one, other):
    there, back = metres(*one, *other), metres(*other, *one)
    assert abs(there - back) < 1e-3
    assert 0 <= there <= 20_040_000
    assert metres(*one, *one) < 1e-3


known = st.integers(946_684_800, 4_070_908_800).map(lambda s: datetime.fromtimestamp(s, UTC))
moments = st.none() | known
photos = st.builds(
    Photo, captured_at=moments, exif_at=moments, received_at=known,
    clock_offset_s=st.none() | st.integers(-(2**31), 2**31 - 1), accuracy_m=st.none() | st.integers(0, 10**6),
    lon=st.none() | st.decimals(-180, 180, places=6), lat=st.decimals(-90, 90, places=6), device=st.sampled_from(["", "X"]),
)  # fmt: skip


@given(st.lists(photos, max_size=5), st.none() | st.just(WINDOW), st.none() | st.just(SITE))
def test_whatever_a_phone_says_each_hint_has_its_reason_and_remedy_and_the_weightiest_stand_first(taken, window, site):
    hints = plausibility(window, site, taken, LIMITS)
    assert all(hint.reason_said and str(hint.remedy) for hint in hints)
    weights = [GRADES.index(hint.grade) for hint in hints]
    assert weights == sorted(weights, reverse=True)
    if window is None:
        assert all(hint.code != HintCode.OUTSIDE_WINDOW for hint in hints)


@given(photos, st.floats(1, 10))
def test_wider_limits_never_give_more_hints(photo, by):
    wider = replace(LIMITS, **{name: value * by for name, value in vars(LIMITS).items()})
    assert len(plausibility(WINDOW, SITE, [photo], wider)) <= len(plausibility(WINDOW, SITE, [photo], LIMITS))


def test_every_limit_may_be_made_narrower_than_it_is_shipped() -> None:
    near = Photo(lat=Decimal("36.661500"))  # about 1.28 km north, of which the offset of maps is given away
    assert HintCode.FAR_FROM_SITE in codes(near)
    nearer = Photo(lat=Decimal("36.660000"))
    assert HintCode.FAR_FROM_SITE not in codes(nearer)
    narrow = replace(LIMITS, site_metres=100)
    assert HintCode.FAR_FROM_SITE in {hint.code for hint in plausibility(WINDOW, SITE, [nearer], narrow)}
