"""The archive: complete or saying what is missing, whole in one signed file, and nobody else's."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from anze.evidence.actions import arrived, receive_media
from anze.evidence.actions.files import original_name, store
from anze.evidence.rules import Subject
from anze.hazards.models import Hazard
from anze.kernel.actor import Actor, platform
from anze.kernel.models import Event
from anze.kernel.scope import EVERYTHING
from anze.parties.models import Membership
from anze.parties.rules import ROLES, Permission, Role
from anze.prevention.actions.archive import contents_of_archive
from anze.prevention.actions.packing import forget_packs, pack_next
from anze.prevention.models import Pack, Paper
from anze.underwriting.models import Policy
from tests.cast import NOW, XINGHUO
from tests.evidence.conftest import jpeg
from tests.exchange.examples import example
from tests.prevention.reports.conftest import service_row
from tests.prevention.reports.test_reports import issue
from tests.web.conftest import Browser
from tools.verify_archive import findings

TOOL = Path(__file__).resolve().parents[3] / "tools" / "verify_archive.py"


@pytest.fixture(autouse=True)
def kept_apart(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "evidence": {**settings.STORAGES["evidence"], "OPTIONS": {"location": str(tmp_path / "evidence")}},
    }


def asked(browser) -> Pack:
    policy = Policy.objects.get(policy_no="P-1")
    assert browser.post(reverse("archive-pack", args=[policy.pk])).status_code == 302
    return Pack.objects.latest("asked_at")


def taken(browser) -> bytes:
    pack = asked(browser)
    assert pack_next(at=timezone.now())
    answer = browser.get(reverse("pack-file", args=[pack.pk]))
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def lacks(cast, today: date = date(2026, 11, 23)) -> dict[str, list[str]]:
    by = Actor(name="x", scope=EVERYTHING, permissions=frozenset(ROLES[Role.PROVINCE_REGULATOR].permissions))
    found = contents_of_archive(Policy.objects.get(policy_no="P-1"), by, today)
    return {each.part.name: [lack.what for lack in each.held.lacks] for each in found}


def test_the_list_names_what_is_missing_and_forgets_it_when_it_is_there(cast, service):
    before = lacks(cast)
    assert set(before) >= {"contract", "plan", "services", "hazards", "orders", "expenses", "complaints", "evaluation"}
    assert before["services"] == ["S-1", "S-1"]  # no report, not confirmed
    assert before["plan"]
    issue(cast, service)
    cast.accepted(
        cast.huaihai, "services", service_row(confirmation="SEAL", confirmed_on="2026-05-12", confirmed_by="示例负责人")
    )
    assert lacks(cast)["services"] == []


def test_the_file_holds_everything_and_verifies_without_the_platform(cast, service, browser_of, tmp_path):
    report = issue(cast, service)
    packed = taken(browser_of(Role.INSURER_MANAGER))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        assert {"index.html", "services/services.csv", "contract/policy.csv", f"reports/{report.number}.pdf"} <= set(
            names
        )
        assert "S-1" in archive.read("services/services.csv").decode("utf-8-sig")
        assert "星火示例铸造有限公司" in archive.read("index.html").decode()
        assert "Insurance contract" in archive.read("index-en.html").decode()
        assert "保险合同" in archive.read("index.html").decode()
        manifest = json.loads(archive.read("manifest.json"))
    assert next(e for e in manifest["files"] if e["name"].endswith(".pdf"))["sha256"] == report.file_sha256
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(Browser().get(reverse("signing-keys-json")).json()), encoding="utf-8")
    (tmp_path / "archive.zip").write_bytes(packed)
    command = [sys.executable, "-I", str(TOOL), str(tmp_path / "archive.zip"), "--keys", str(keys)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout[:5]) == (0, "VALID"), said.stdout + said.stderr
    assert Event.objects.filter(kind="archive.exported").count() == 1


def test_it_tells_of_each_photo_what_it_shows_and_how_a_hazard_was_rectified(cast, service, browser_of):
    from anze.exchange.feeds import FEEDS

    row = example(FEEDS["hazards"], hazard_no="H-1", insured_uscc=XINGHUO, service_no="S-1", state="NOTIFIED",
                  rectified_on=None, verified_on=None, verifier=None, closed_on=None)  # fmt: skip
    cast.accepted(cast.huaihai, "hazards", row)
    hazard = Hazard.objects.get()
    by = platform(frozenset({Permission.ADD_EVIDENCE}))
    contents = {"service": jpeg(41), "hazard": jpeg(42)}
    for kind, record in (("service", service), ("hazard", hazard)):
        subject = Subject(kind=kind, id=record.pk, title="", may_add=True, insurer_id=cast.huaihai.pk,
                          enterprise_id=cast.xinghuo.pk, region_code="370102")  # fmt: skip
        role = "RECTIFIED" if kind == "hazard" else "SITE"
        receive_media(subject, by=by, at=NOW, content=arrived(contents[kind]), role=role)
    with zipfile.ZipFile(io.BytesIO(taken(browser_of(Role.INSURER_MANAGER)))) as archive:
        names = set(archive.namelist())
        assert {"services/visits.csv", "services/visit-entries.csv", "hazards/steps.csv"} <= names
        for table, kind, role in (
            ("services/photos-and-files.csv", "service", "SITE"),
            ("hazards/photos.csv", "hazard", "RECTIFIED"),
        ):
            [told] = list(csv.DictReader(io.StringIO(archive.read(table).decode("utf-8-sig"))))
            assert (told["role"], told["sha256"]) == (role, hashlib.sha256(contents[kind]).hexdigest())
            assert archive.read(f"originals/{told['sha256']}.jpg") == contents[kind]


def test_a_changed_removed_or_added_file_is_named(cast, service, browser_of):
    packed = taken(browser_of(Role.ENTERPRISE))
    keys = Browser().get(reverse("signing-keys-json")).json()

    def repacked(change) -> list[str]:
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(made, "w") as new:
            files = {name: old.read(name) for name in old.namelist()}
            change(files)
            for name, content in files.items():
                new.writestr(name, content)
        with zipfile.ZipFile(made) as archive:
            return findings(archive, keys)

    assert repacked(lambda files: None) == []
    assert repacked(lambda files: files.update({"services/services.csv": b"x"})) == ["services/services.csv: changed"]
    assert repacked(lambda files: files.pop("index.html")) == ["index.html: missing"]
    assert repacked(lambda files: files.update(new=b"x")) == ["new: not in the manifest"]
    assert repacked(lambda files: files.update({"manifest.json": files["manifest.json"] + b" "})) == [
        "manifest: changed after it was signed"
    ]


def test_nobody_takes_anothers_archive(cast, service, browser_of):
    policy = Policy.objects.get(policy_no="P-1")
    there = reverse("archive-pack", args=[policy.pk])
    assert browser_of(Role.INSURER_MANAGER, other=True).post(there).status_code == 404
    assert browser_of(Role.ENTERPRISE, other=True).post(there).status_code == 404
    assert browser_of(Role.EXPERT).post(there).status_code == 403
    pack = asked(browser_of(Role.INSURER_MANAGER))
    pack_next(at=timezone.now())
    for other in (browser_of(Role.INSURER_CLERK), browser_of(Role.PROVINCE_REGULATOR), browser_of(Role.ENTERPRISE)):
        assert other.get(reverse("pack-file", args=[pack.pk])).status_code == 404


def test_progress_is_seen_and_a_file_ends_with_its_time(cast, service, browser_of):
    browser = browser_of(Role.INSURER_MANAGER)
    pack = asked(browser)
    assert asked(browser) == pack  # who waits already gets no second one
    page = reverse("archive", args=[pack.policy_id])
    assert "hx-trigger" in browser.get(page, headers={"HX-Request": "true"}).content.decode()
    assert browser.get(reverse("pack-file", args=[pack.pk])).status_code == 409
    at = timezone.now()
    assert pack_next(at=at)
    assert not pack_next(at=at)
    pack.refresh_from_db()
    assert (pack.state, pack.done, pack.lost) == ("READY", pack.total, [])
    shown = browser.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" not in shown
    assert pack.sha256 in shown
    assert forget_packs(at=pack.until - timedelta(seconds=1)) == 0
    assert forget_packs(at=pack.until) == 1
    assert browser.get(reverse("pack-file", args=[pack.pk])).status_code == 409


def test_a_worker_that_was_killed_is_followed_by_another_and_a_lost_role_gets_nothing(cast, service, browser_of):
    browser = browser_of(Role.INSURER_MANAGER)
    pack = asked(browser)
    at = timezone.now()
    Pack.objects.filter(pk=pack.pk).update(state="PACKING", moved_at=at, attempts=1)
    assert not pack_next(at=at)
    assert pack_next(at=at + timedelta(minutes=4))
    pack.refresh_from_db()
    assert pack.state == "READY"
    second = asked(browser)
    Membership.objects.filter(pk=browser.membership.pk).update(is_active=False)
    assert pack_next(at=timezone.now())
    second.refresh_from_db()
    assert (second.state, second.size) == ("FAILED", None)


def test_an_original_that_is_lost_is_named_and_the_rest_is_packed(cast, service, browser_of):
    report = issue(cast, service)
    store().delete(original_name(report.original))
    with zipfile.ZipFile(io.BytesIO(taken(browser_of(Role.INSURER_MANAGER)))) as archive:
        name = f"reports/{report.number}.pdf"
        assert name not in archive.namelist()
        assert json.loads(archive.read("manifest.json"))["lost"] == [name]
        assert report.number in archive.read("index.html").decode()


def paper(browser, **words) -> Any:
    file = SimpleUploadedFile("paper.pdf", b"%PDF-1.7 " + words.get("number", "").encode(), "application/pdf")
    given = {"kind": "CONTRACT", "number": "HT-1", "agency": "AGY01", "from_on": "2026-01-01", "to_on": "2026-12-31"}
    return browser.post(reverse("paper-new"), {**given, **words, "file": file})


def test_contracts_and_evaluations_are_put_on_file_and_packed(cast, service, browser_of):
    clerk = browser_of(Role.INSURER_CLERK)
    named = str(cast.agency)
    assert lacks(cast)["agencies"] == [named]
    assert paper(clerk, agency="").status_code == 422
    assert paper(clerk, to_on="2025-12-31").status_code == 422
    assert paper(clerk, kind="ANNUAL_REPORT", policy_no="P-2").status_code == 422  # another's policy
    assert paper(clerk, number="HT-0", to_on="2026-02-01").status_code == 302
    assert lacks(cast)["agencies"] == [named]  # it was over when the agency served
    assert paper(clerk).status_code == 302
    assert lacks(cast)["agencies"] == []
    # when the year is over, how the agency was judged, and the report on the policy itself
    assert lacks(cast, date(2027, 3, 1))["agencies"] == [named]
    assert paper(clerk, kind="AGENCY_EVALUATION", number="PJ-1").status_code == 302
    assert lacks(cast, date(2027, 3, 1))["agencies"] == []
    assert len(lacks(cast, date(2027, 3, 1))["evaluation"]) == 1
    assert paper(clerk, kind="ANNUAL_REPORT", agency="", policy_no="P-1", number="NB-1").status_code == 302
    assert lacks(cast, date(2027, 3, 1))["evaluation"] == []
    with zipfile.ZipFile(io.BytesIO(taken(clerk))) as archive:
        files = [name for name in archive.namelist() if name.startswith("papers/")]
    assert len(files) == 4 - 1  # the contract that was over before the policy began is no part of it
    wrong = Paper.objects.get(number="HT-1")
    assert clerk.post(reverse("paper-void", args=[wrong.pk]), {"reason": ""}).status_code == 422
    assert clerk.post(reverse("paper-void", args=[wrong.pk]), {"reason": "签错"}).status_code == 302
    assert lacks(cast)["agencies"] == [named]


def test_papers_are_seen_by_their_parties_and_those_set_over_them(cast, service, browser_of):
    clerk = browser_of(Role.INSURER_CLERK)
    paper(clerk)
    paper(clerk, kind="ANNUAL_REPORT", agency="", policy_no="P-1", number="NB-1")
    contract, report = Paper.objects.get(number="HT-1"), Paper.objects.get(number="NB-1")
    everyone = {(Role.INSURER_CLERK, False): clerk}
    for role, other, sees in (
        (Role.INSURER_CLERK, False, (True, True)), (Role.INSURER_CLERK, True, (False, False)),
        (Role.AGENCY, False, (True, False)), (Role.AGENCY, True, (False, False)),
        (Role.CITY_REGULATOR, False, (True, True)), (Role.CITY_REGULATOR, True, (False, False)),
        (Role.ENTERPRISE, False, (False, True)), (Role.ENTERPRISE, True, (False, False)),
    ):  # fmt: skip
        browser = everyone.get((role, other)) or browser_of(role, other)
        answers = [browser.get(reverse("paper-file", args=[each.pk])) for each in (contract, report)]
        assert tuple(each.status_code == 200 for each in answers) == sees, (role, other)
        for each in answers:
            if each.streaming:
                assert b"".join(each.streaming_content).startswith(b"%PDF")
