"""The conformance kit over real HTTP: a good program gets its certificate, each broken one fails the case it is meant for."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from anze_client import Client, Refused, conform

from tests.exchange.live import ROOT, Copied, Platform

pytestmark = pytest.mark.slow
BROKEN = str(Path(__file__).parent / "broken.py")
# what is wrong with a program → the first case it fails
FAULTS = {
    "wrong secret": "signature",
    "slow clock": "clock",
    "wrong digest": "digest",
    "no key": "idempotency",
    "other form": "form",
    "old nonce": "nonce",
    "new key each time": "repeat",
    "loses rows": "rows",
    "garbles text": "text",
    "own dates": "dates",
    "small floats": "money",
    "only changes": "correction",
    "deaf to rejections": "rejected",
}


class Sandbox:
    """A platform of its own with one sandbox key."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform, self.folder = platform, folder
        made = json.loads(platform.run("-m", "tests.clients.sandbox_seed").splitlines()[-1])
        self.secret_file = folder / "secret"
        self.secret_file.write_text(made["secret"])
        self.key_id = made["key_id"]
        self.client = Client(platform.base, self.key_id, made["secret"], attempts=2)

    def run(self, fault: str, *, stop: bool = False) -> tuple[list[dict], dict | None, list[str]]:
        state = Path(tempfile.mkdtemp(dir=self.folder))
        environment = {
            "ANZE_BASE": self.platform.base, "ANZE_KEY_ID": self.key_id, "ANZE_SECRET_FILE": str(self.secret_file),
            "BROKEN_STATE": str(state), "PYTHONPATH": str(ROOT / "clients" / "python"),
        }  # fmt: skip
        said: list[str] = []
        program = [sys.executable, BROKEN, fault] if fault else conform.OWN
        verdicts, certificate = conform.run(self.client, program, environment, said.append, stop=stop)
        return verdicts, certificate, said


@pytest.fixture(scope="module")
def sandbox(copied: Copied, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    with copied(folder) as own:
        own.start_server(workers=1)
        yield Sandbox(own, folder)


def test_this_client_passes_and_gets_a_certificate_and_nothing_is_published(sandbox: Sandbox) -> None:
    before = sandbox.platform.ask("SELECT count(*) FROM underwriting_policy")
    touched = sandbox.platform.ask("SELECT count(*) FROM kernel_touch")
    verdicts, certificate, said = sandbox.run("")
    assert [each["name"] for each in verdicts if not each["passed"]] == [], said
    assert certificate is not None
    assert (certificate["partner"], certificate["interface_version"]) == ("INS01", "1.0.0")
    assert certificate["signed"].split(".")[1] == "CONFORM"
    assert sandbox.platform.ask("SELECT count(*) FROM underwriting_policy") == before
    assert sandbox.platform.ask("SELECT count(*) FROM kernel_touch") == touched
    assert sandbox.platform.ask("SELECT count(*) FROM exchange_batch WHERE feed = 'policies'") == [(0,)]
    # reset, it is as new, and so is its certificate to be earned anew
    sandbox.client.ask("POST", "/api/v1/sandbox/reset", {})
    assert sandbox.platform.ask("SELECT count(*) FROM exchange_sandboxdelivery") == [(0,)]
    with pytest.raises(Refused, match="cases_not_passed"):
        sandbox.client.ask("POST", "/api/v1/sandbox/certificate", {})


@pytest.mark.parametrize(("fault", "case"), FAULTS.items())
def test_a_broken_program_fails_the_case_it_is_meant_for(sandbox: Sandbox, fault: str, case: str) -> None:
    verdicts, certificate, said = sandbox.run(fault, stop=True)
    assert [each["name"] for each in verdicts if not each["passed"]] == [case], said
    assert verdicts[-1]["field"]
    assert verdicts[-1]["found"]
    assert verdicts[-1]["fix"]
    assert certificate is None


def test_after_a_failure_the_other_cases_are_tried_all_the_same(sandbox: Sandbox) -> None:
    verdicts, certificate, said = sandbox.run("wrong digest")
    cases = sandbox.client.ask("GET", "/api/v1/sandbox/cases")["cases"]
    assert [each["name"] for each in verdicts] == [each["name"] for each in cases], said
    assert next(each["name"] for each in verdicts if not each["passed"]) == "digest" != verdicts[-1]["name"]
    assert certificate is None


def test_an_ordinary_key_has_no_sandbox(sandbox: Sandbox) -> None:
    key = sandbox.platform.keys["huaihai_mac"]
    with pytest.raises(Refused, match="not_sandbox"):
        Client(sandbox.platform.base, key["key_id"], key["secret"], attempts=1).ask("POST", "/api/v1/sandbox/reset", {})
