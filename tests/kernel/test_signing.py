"""What the platform signs: checked by itself and by the tool that has nothing but the published keys."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from anze.kernel.actor import platform
from anze.kernel.models import SigningKey
from anze.kernel.refusal import Refused
from anze.kernel.signing import base64url, read_signed, replace_signing_key, sign
from anze.parties.rules import Permission
from tests.cast import NOW
from tests.web.conftest import Browser
from tools.verify_report import check_line, verify

TOOL = Path(__file__).resolve().parents[2] / "tools" / "verify_report.py"
OPERATOR = platform(frozenset({Permission.RUN_PLATFORM}))
FIELDS = ("BG20261123-K7M2QX", "1", "2026-11-23", "INS01", "", "91370102MA3", "x" * 43)


def published() -> dict:
    return Browser().get(reverse("signing-keys-json")).json()


def line() -> str:
    return sign("report", FIELDS, at=NOW)


def test_a_signed_line_is_valid_here_and_for_the_tool(everything):
    made = line()
    signed = read_signed(made)
    assert signed is not None
    assert signed.is_valid
    assert signed.fields == FIELDS
    answer = check_line(made, published())
    assert answer.is_valid
    assert answer.named()["number"] == FIELDS[0]


@pytest.mark.parametrize("place", [4, 12, 30, 60, -1, -40])
def test_one_changed_letter_is_found(everything, place):
    made = line()
    changed = (
        made[:place] + ("x" if made[place] != "x" else "y") + made[len(made) + place + 1 if place < 0 else place + 1 :]
    )
    assert len(changed) == len(made)
    keys = published()
    assert not check_line(changed, keys).is_valid
    signed = read_signed(changed)
    assert signed is None or not signed.is_valid


def test_a_signature_by_another_hand_is_found(everything):
    made = line()
    text = made.rpartition(".")[0]
    forged = f"{text}.{base64url(Ed25519PrivateKey.generate().sign(text.encode()))}"
    assert "forged or altered" in check_line(forged, published()).why
    assert not read_signed(forged).is_valid


def test_what_an_old_key_signed_stays_valid_and_what_a_revoked_one_signed_proves_nothing(everything):
    first = line()
    replace_signing_key(None, by=OPERATOR, at=NOW)
    second = line()
    assert first.split(".")[2] != second.split(".")[2]
    assert check_line(first, published()).is_valid
    assert check_line(second, published()).is_valid
    replace_signing_key(None, by=OPERATOR, at=NOW + timedelta(days=1), revoke=True)
    assert check_line(first, published()).is_valid
    assert "revoked" in check_line(second, published()).why
    assert not read_signed(second).is_valid
    assert check_line(line(), published()).is_valid


def test_a_key_is_not_replaced_before_there_is_one(everything):
    with pytest.raises(Refused):
        replace_signing_key(None, by=OPERATOR, at=NOW)


def test_the_private_key_is_kept_encrypted_and_published_nowhere(everything):
    line()
    key = SigningKey.objects.get()
    said = json.dumps(published())
    assert key.public_key in said
    assert key.sealed not in said
    assert key.public_key not in key.sealed


def test_the_tool_runs_alone_and_tells_true_from_false(everything, tmp_path):
    made = line()
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(published()), encoding="utf-8")

    def run(text: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(TOOL), "--keys", str(keys), text]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good, bad, nothing = run(made), run(made.replace("INS01", "INS02")), run("hello")
    assert (good.returncode, bad.returncode, nothing.returncode) == (0, 1, 2)
    assert "insurer: INS01" in good.stdout
    assert "forged or altered" in bad.stdout


@given(st.binary(max_size=200), st.integers(0, 511))
def test_the_tools_own_arithmetic_agrees_with_the_librarys(message, bit):
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    signature = private.sign(message)
    assert verify(public, message, signature)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    assert not verify(public, message, bytes(changed))
    assert not verify(public, message + b".", signature)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_fields_come_back_as_they_were_whatever_stands_in_them(fields):
    from urllib.parse import unquote

    from anze.kernel.signing import body_of

    body = body_of(fields)
    assert body.isascii()
    assert "." not in body
    assert [unquote(each) for each in body.split("~")] == fields
