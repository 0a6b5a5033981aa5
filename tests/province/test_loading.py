"""The synthetic province in the database: loaded by the real commands, nothing rejected, nothing lost."""

from __future__ import annotations

import json
import stat
from collections import Counter

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from anze.exchange.feeds import FEEDS
from anze.exchange.synthetic.figures import figures
from anze.exchange.synthetic.people import LOGINS, PASSWORD
from anze.parties.rules import Role
from tests.province.conftest import SCALE, Demo, Sent


@pytest.mark.parametrize("feed", sorted(FEEDS))
def test_every_row_sent_is_on_file(feed: str, demo: Demo, sent: Sent) -> None:
    table = FEEDS[feed].table
    ((count,),) = demo.select(f"SELECT count(*) FROM {table}")
    assert count == len(sent[feed])
    batches = demo.select("SELECT state, rows, created, rejected FROM exchange_batch WHERE feed = %s", feed)
    assert sum(rows for _state, rows, _created, _rejected in batches) == count
    assert all((state, created, rejected) == ("DONE", rows, 0) for state, rows, created, rejected in batches)


def test_nothing_was_found_wrong(demo: Demo) -> None:
    assert demo.select("SELECT count(*) FROM exchange_finding") == [(0,)]


def test_totals(demo: Demo) -> None:
    assert demo.select("SELECT sum(amount) FROM expenses_expense")[0][0] == 780_000
    assert demo.select("SELECT count(*) FROM prevention_serviceperson WHERE kind = 'EXPERT'") == [(380,)]
    assert demo.select("SELECT count(DISTINCT agency_id) FROM prevention_service") == [(54,)]
    kinds = dict(demo.select("SELECT kind, count(*) FROM parties_organisation GROUP BY kind"))
    assert (kinds["INSURER"], kinds["AGENCY"]) == (35, 86)
    assert kinds["EMA"] >= 1 + 16 + 136


def test_rows_keep_the_moment_they_first_arrived(demo: Demo, sent: Sent) -> None:
    found = demo.select(
        "SELECT o.code, s.service_no, s.received_at FROM prevention_service s "
        "JOIN parties_organisation o ON o.id = s.insurer_id"
    )
    assert {(code, number): moment for code, number, moment in found} == {
        (each.sender, each.row["service_no"]): each.received_at for each in sent["services"]
    }


def test_late_rows_are_those_of_the_truth(demo: Demo) -> None:
    truth = json.loads((demo.state / "demo" / "truth.json").read_text(encoding="utf-8"))
    expected = {(each["insurer"], each["dataset"]): each["rows"] for each in truth["late_rows"]}
    found: Counter[tuple[str, str]] = Counter()
    for feed in FEEDS.values():
        if feed.of_insurer:
            for code, count in demo.select(
                f"SELECT o.code, count(*) FROM {feed.table} t JOIN parties_organisation o "
                "ON o.id = t.insurer_id WHERE t.received_at > t.report_due_at GROUP BY 1"
            ):
                found[code, feed.name] = count
    assert found == expected
    assert sum(found.values()) > 100


def test_references_are_complete(demo: Demo) -> None:
    assert demo.select("SELECT count(*) FROM prevention_service WHERE plan_no <> '' AND plan_item_id IS NULL") == [(0,)]
    assert demo.select("SELECT count(*) FROM hazards_hazard WHERE source = 'SERVICE' AND service_id IS NULL") == [(0,)]
    assert demo.select("SELECT count(*) FROM prevention_serviceperson WHERE kind = 'EXPERT' AND expert_id IS NULL") == [
        (0,)
    ]


def test_there_is_a_login_for_every_role(demo: Demo) -> None:
    found = demo.select(
        "SELECT a.username, m.role, a.password, o.code, m.expert_id, m.enterprise_id FROM parties_account a "
        "JOIN parties_membership m ON m.account_id = a.id "
        "LEFT JOIN parties_organisation o ON o.id = m.organisation_id"
    )
    assert {role for _name, role, *_ in found} == set(Role.values)
    assert {name for name, *_ in found} == {login.username for login in LOGINS}
    assert Argon2PasswordHasher().verify(PASSWORD, found[0][2])
    reach = {name: (code, expert, enterprise) for name, _role, _password, code, expert, enterprise in found}
    assert reach["city"][0] == "EMA370700"
    assert reach["expert"][1]
    assert reach["enterprise"][2]
    services = "SELECT count(*) FROM prevention_service WHERE enterprise_id = %s"
    assert demo.select(services, reach["enterprise"][2])[0][0] >= 1
    visits = "SELECT count(*) FROM prevention_serviceperson WHERE expert_id = %s"
    assert demo.select(visits, reach["expert"][1])[0][0] >= 1


def test_demo_password_passes_the_rules() -> None:
    from django.contrib.auth.password_validation import validate_password

    validate_password(PASSWORD)


def test_two_insurers_have_keys_only_the_owner_can_read(demo: Demo) -> None:
    folder = demo.state / "demo" / "keys"
    issued = {key_id for (key_id,) in demo.select("SELECT key_id FROM exchange_partnerkey WHERE NOT is_sandbox")}
    assert {(folder / f"{code}.key-id").read_text().strip() for code in ("INS01", "INS13")} == issued
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (folder / "INS01.secret").read_text().startswith("ed25519:")


def test_a_second_load_is_refused(demo: Demo) -> None:
    done = demo.manage("demo", "--scale", "0.01")
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1].endswith("--replace takes it away first.")


def test_preparing_again_changes_nothing(demo: Demo) -> None:
    before = (
        demo.select("SELECT count(*) FROM kernel_parameter"),
        demo.select("SELECT count(*) FROM kernel_event"),
    )
    assert demo.manage("prepare").returncode == 0
    after = (
        demo.select("SELECT count(*) FROM kernel_parameter"),
        demo.select("SELECT count(*) FROM kernel_event"),
    )
    assert before == after


def test_the_committees_materials_and_trainings_are_as_many_as_published(demo: Demo) -> None:
    made = dict(demo.select("SELECT kind, count(*) FROM library_material GROUP BY kind"))
    assert made["VIDEO"] == 10
    assert made["POSTER"] + made["HANDBOOK"] == 80
    assert demo.select("SELECT count(*) FROM library_training WHERE state = 'HELD'") == [(6,)]
    assert demo.select(
        "SELECT count(*) FROM library_training WHERE taken <> (SELECT count(*) FROM library_signup s WHERE s.training_id = library_training.id AND s.state <> 'WITHDRAWN')"
    ) == [(0,)]
    assert demo.select(
        "SELECT count(*) FROM library_material m WHERE views <> (SELECT coalesce(sum(d.views), 0) FROM library_materialday d WHERE d.material_id = m.id)"
    ) == [(0,)]
    assert demo.select(
        "SELECT count(*) FROM library_signup WHERE (passed_at IS NOT NULL) <> (id IN (SELECT sign_up_id FROM library_certificate))"
    ) == [(0,)]


def test_the_campaigns_page_shows_the_published_figures(demo: Demo) -> None:
    """Insurers, person-times, hazards and major hazards of the “1+1” campaign, all of them rectified with help."""
    counts = figures(SCALE)
    ((code, insurers, times),) = demo.select(
        "SELECT c.code, count(DISTINCT a.insurer_id), count(*) FROM hazards_campaign c "
        "JOIN hazards_attendance a ON a.campaign_id = c.id GROUP BY 1"
    )
    assert (insurers, times) == (counts.campaign_insurers, counts.campaign_expert_visits)
    ((hazards, major, helped),) = demo.select(
        "SELECT count(*), count(*) FILTER (WHERE hazard_class = 'MAJOR'), count(*) FILTER (WHERE EXISTS "
        "(SELECT 1 FROM hazards_hazardstep s WHERE s.hazard_id = h.id AND s.kind = 'ASSISTED')) "
        "FROM hazards_hazard h WHERE campaign_code = %s AND state = 'CLOSED'",
        code,
    )
    assert (hazards, major, helped) == (counts.campaign_hazards, counts.campaign_major, counts.campaign_hazards)
