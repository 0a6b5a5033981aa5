"""The archive: complete or saying what is missing, whole in one signed file, and nobody else's."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from django.urls import reverse

from anze.kernel.actor import Actor
from anze.kernel.models import Event
from anze.kernel.scope import EVERYTHING
from anze.parties.rules import ROLES, Role
from anze.prevention.actions.archive import contents_of_archive
from anze.underwriting.models import Policy
from tests.cast import NOW
from tests.prevention.reports.conftest import service_row
from tests.prevention.reports.test_reports import issue
from tests.web.conftest import Browser
from tools.verify_archive import findings

TOOL = Path(__file__).resolve().parents[3] / "tools" / "verify_archive.py"


def taken(browser) -> bytes:
    answer = browser.get(reverse("archive-file", args=[Policy.objects.get(policy_no="P-1").pk]))
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def lacks(cast) -> dict[str, list[str]]:
    by = Actor(name="x", scope=EVERYTHING, permissions=frozenset(ROLES[Role.PROVINCE_REGULATOR].permissions))
    found = contents_of_archive(Policy.objects.get(policy_no="P-1"), by, NOW.date())
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
        manifest = json.loads(archive.read("manifest.json"))
    assert next(e for e in manifest["files"] if e["name"].endswith(".pdf"))["sha256"] == report.file_sha256
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(Browser().get(reverse("signing-keys-json")).json()), encoding="utf-8")
    (tmp_path / "archive.zip").write_bytes(packed)
    command = [sys.executable, "-I", str(TOOL), str(tmp_path / "archive.zip"), "--keys", str(keys)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout[:5]) == (0, "VALID"), said.stdout + said.stderr
    assert Event.objects.filter(kind="archive.exported").count() == 1


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
    there = reverse("archive-file", args=[Policy.objects.get(policy_no="P-1").pk])
    assert browser_of(Role.INSURER_MANAGER, other=True).get(there).status_code == 404
    assert browser_of(Role.ENTERPRISE, other=True).get(there).status_code == 404
    assert browser_of(Role.EXPERT).get(there).status_code == 403
