"""Insurers' apps pulled over real HTTP: mapped by a file, checked as everything else, slowly, and never inside."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from anze.evidence.models import Media
from anze.exchange.actions import due_connectors, make_connector, pull
from anze.exchange.actions.pulling import fetcher_of
from anze.exchange.connectors.fetching import FetchProblem, target_of
from anze.exchange.connectors.mapping import FOLDER, MappingProblem, mappings, read_mapping
from anze.exchange.models import Connector, ConnectorRun, RejectedRow
from anze.hazards.models import Hazard
from anze.kernel.actor import platform
from anze.kernel.models import Event
from anze.kernel.refusal import Refused
from anze.parties.rules import Permission, Role
from anze.prevention.models import Service
from tests.cast import NOW, XINGHUO, policy_row
from tests.exchange.apps import TOKEN, App, danger, serving, visit
from tests.web.conftest import browser_of, put_down

__all__ = ["browser_of", "put_down"]
BY = platform(frozenset({Permission.MANAGE_KEYS}))


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def app(cast, everything, settings):
    settings.PRIVATE_NETWORKS = ["127.0.0.0/8"]
    cast.accepted(cast.huaihai, "policies", policy_row("PA", XINGHUO))
    with serving(App()) as found:
        yield found


def connect(cast, app, mapping="field-service") -> Connector:
    return make_connector(
        cast.huaihai, by=BY, at=NOW, name="示例应用", mapping=mapping, base_url=app.base,
        token=TOKEN.encode(), every_minutes=60,
    )  # fmt: skip


def pulled(connector, clock=None) -> ConnectorRun:
    clock = clock or Clock()

    def fetcher(each):
        made = fetcher_of(each)
        made.sleep, made.clock = clock.sleep, clock
        return made

    run = pull(connector.pk, fetcher=fetcher, now=lambda: NOW)
    assert run is not None
    connector.refresh_from_db()
    return run


def test_visits_come_with_their_photos_and_only_once(cast, app):
    app.visits = [visit(n) for n in range(5)]
    connector = connect(cast, app)
    run = pulled(connector)
    assert (run.state, run.pages, run.rows, run.rejected, run.photos) == ("DONE", 3, 5, 0, 5)
    service = Service.objects.get(service_no="V0003")
    assert (service.channel, service.service_type, service.photo_count) == ("APP", "HAZARD", 1)
    assert service.started_at.isoformat() == "2026-10-04T01:00:00+00:00"
    assert service.persons.get().name == "示例查勘员"
    assert Media.objects.get(subject=service.pk).insurer_id == cast.huaihai.pk
    assert connector.cursors == {"visits": "5"}
    # nothing new, then one more
    assert pulled(connector).rows == 0
    app.visits.append(visit(5))
    assert pulled(connector).rows == 1
    assert Service.objects.count() == Media.objects.count() == 6


def test_hazards_of_a_self_check_app(cast, app):
    app.dangers = [danger(n) for n in range(3)]
    connector = connect(cast, app, "safety-factory")
    run = pulled(connector)
    assert (run.state, run.rows, run.rejected) == ("DONE", 3, 0)
    hazard = Hazard.objects.get(hazard_no="D0001")
    assert (hazard.source, hazard.state, str(hazard.deadline_on), str(hazard.found_on)) == (
        "SELF_CHECK", "RECTIFYING", "2026-12-01", "2026-09-21",
    )  # fmt: skip


def test_what_the_checks_refuse_is_told_and_stops_nothing(cast, app):
    app.visits = [visit(0), visit(1, policy="NONE"), visit(2, taskType="77"), visit(3)]
    run = pulled(connect(cast, app))
    assert (run.state, run.rows, run.rejected) == ("DONE", 4, 2)
    assert set(Service.objects.values_list("service_no", flat=True)) == {"V0000", "V0003"}
    assert set(RejectedRow.objects.values_list("key", flat=True)) == {"V0001", "V0002"}  # their clocks run on


def test_failures_that_pass_are_tried_again_with_growing_pauses(cast, app):
    app.visits = [visit(0)]
    app.answers = [(503, {}), "break off", (429, {"Retry-After": "17"})]
    clock = Clock()
    run = pulled(connect(cast, app), clock)
    assert (run.state, run.rows) == ("DONE", 1)
    assert 17.0 in clock.slept
    assert len(app.asked) == 5  # three failures, the page, its photo


def test_a_failing_app_is_asked_less_and_less_and_resumes_where_it_stopped(cast, app):
    app.visits = [visit(n) for n in range(4)]
    connector = connect(cast, app)
    app.answers = [(404, {})]
    run = pulled(connector)
    assert (run.state, connector.state, connector.failures) == ("FAILED", "FAILING", 1)
    assert connector.next_run_at == NOW + timedelta(minutes=60)
    app.answers = [(404, {})]
    pulled(connector)
    assert connector.next_run_at == NOW + timedelta(minutes=120)
    assert due_connectors(NOW + timedelta(minutes=119)) == []
    assert due_connectors(NOW + timedelta(minutes=120)) == [connector.pk]
    assert pulled(connector).rows == 4
    assert (connector.state, connector.failures) == ("ACTIVE", 0)


def test_not_more_requests_a_minute_than_the_app_bears(cast, app):
    app.visits = [visit(n) for n in range(4)]
    clock = Clock()
    pulled(connect(cast, app), clock)
    assert len(app.asked) == 6
    assert clock.now == pytest.approx(5.0)  # sixty a minute: a second between two


def test_a_photo_that_is_not_to_be_had_does_not_keep_the_visit_out(cast, app):
    app.visits = [visit(0, photos=[{"url": "/gone/1.jpg", "fileName": "1.jpg"}])]
    run = pulled(connect(cast, app))
    assert (run.rows, run.rejected, run.photos, run.photos_missing) == (1, 0, 0, 1)


def test_a_photo_s_address_in_any_script_is_asked_as_http_writes_it(cast, app):
    app.visits = [visit(0, photos=[{"url": "/photos/0.现场 照片.jpg?说明=甲%20乙", "fileName": "现场.jpg"}])]
    run = pulled(connect(cast, app))
    assert (run.state, run.photos, run.photos_missing) == ("DONE", 1, 0)
    asked = "/photos/0.%E7%8E%B0%E5%9C%BA%20%E7%85%A7%E7%89%87.jpg?%E8%AF%B4%E6%98%8E=%E7%94%B2%20%E4%B9%99"
    assert app.asked[-1] == asked


@pytest.mark.parametrize(
    "photo",
    [{"url": "http://[broken/1.jpg"}, {"url": "http://a..example/1.jpg"}, {"url": "/photos/x"},
     {"url": "/photos/1.jpg", "fileName": "a\x00b"}, "no photo"],
)  # fmt: skip
def test_whatever_is_wrong_with_a_photo_the_visits_come_in(cast, app, photo):
    good = {"url": "/photos/7.jpg", "fileName": "7.jpg"}
    app.visits = [visit(0, photos=[photo, good]), visit(1, photos="none"), visit(2)]
    run = pulled(connect(cast, app))
    assert (run.state, run.rows, run.rejected) == ("DONE", 3, 0)
    assert run.photos + run.photos_missing == 3
    assert run.photos >= 2


def test_the_token_of_an_app_stands_in_no_event(cast, app):
    connector = connect(cast, app)
    event = Event.objects.get(kind="connector.made")
    assert (event.row_id, event.details["mapping"]) == (connector.pk, "field-service")
    assert TOKEN not in str(vars(event))


@pytest.mark.parametrize("token", ["", "令牌", "one\nline more", " x"])
def test_a_token_no_heading_can_carry_is_refused(cast, app, token):
    with pytest.raises(Refused) as refused:
        make_connector(
            cast.huaihai, by=BY, at=NOW, name="示例应用", mapping="field-service", base_url=app.base,
            token=token.encode(), every_minutes=60,
        )  # fmt: skip
    assert (refused.value.code, refused.value.field) == ("token_characters", "token")


def test_paused_it_rests_and_resumed_it_goes_on(cast, app, browser_of):
    app.visits = [visit(0)]
    connector = connect(cast, app)
    manager = browser_of(Role.INSURER_MANAGER)
    assert manager.post(reverse("connector-pause", args=[connector.pk])).status_code == 302
    assert pull(connector.pk, now=lambda: NOW) is None
    assert (
        browser_of(Role.INSURER_MANAGER, other=True).post(reverse("connector-pause", args=[connector.pk])).status_code
        == 404
    )
    assert manager.post(reverse("connector-resume", args=[connector.pk])).status_code == 302
    assert pulled(connector).rows == 1
    page = manager.get(reverse("connector", args=[connector.pk])).content.decode()
    assert "V0000" not in page
    assert TOKEN not in page
    assert "· 服务记录<" in page  # a dataset's name, not its code


@pytest.mark.parametrize(
    "address",
    ["http://example.com/", "https://127.0.0.1/", "https://10.1.2.3/", "https://[::1]/", "https://169.254.169.254/",
     "ftp://example.com/", "https://user:word@1.1.1.1/", "https://0.0.0.0/", "https://[::ffff:10.0.0.1]/"],
)  # fmt: skip
def test_addresses_inside_are_refused(settings, address):
    settings.PRIVATE_NETWORKS = []
    with pytest.raises(Refused) as refused:
        target_of(address)
    assert refused.value.code == "address_not_allowed"


def test_no_redirect_is_followed(cast, app):
    app.visits = [visit(0)]
    connector = connect(cast, app)
    app.answers = [(302, {"Location": "http://169.254.169.254/"})]
    run = pulled(connector)
    assert (run.state, run.cause, run.failure) == ("FAILED", "REFUSED", "127.0.0.1: HTTP 302")
    assert len(app.asked) == 1


def test_a_name_without_an_address_is_a_failure_and_no_crash():
    with pytest.raises(FetchProblem) as told:
        target_of("https://no-such-app.invalid/")
    assert told.value.cause == "NO_ADDRESS"


def test_every_mapping_shipped_is_whole():
    assert set(mappings()) == {"field-service", "safety-factory"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("visitCode", "visitCode\n      no_such_field: x", "no field no_such_field"),
        ('"01": HAZARD', '"01": HAZARDS', "HAZARDS is no code"),
        ("feed: services", "feed: nothing", "no dataset nothing"),
        ("      policy_no: policyNo\n", "", "nothing is said about policy_no"),
        ("codes: {own", "kodes: {own", "unknown word kodes"),
        ("streams:", "streams", "ScannerError"),
    ],
)
def test_a_wrong_mapping_names_file_stream_and_field(old, new, said):
    text = (FOLDER / "field-service.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(MappingProblem, match=said):
        read_mapping("changed", text.replace(old, new, 1))
