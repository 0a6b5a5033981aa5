"""Prints a fresh sandbox key of Huaihai Insurance. Run by tests/clients/test_conformance.py."""

from __future__ import annotations

import json

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.exchange.actions import issue_key  # noqa: E402
from anze.exchange.rules import KeyAlgorithm  # noqa: E402
from anze.kernel.actor import platform  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Organisation  # noqa: E402
from anze.parties.rules import Permission  # noqa: E402

if __name__ == "__main__":
    by = platform(frozenset({Permission.MANAGE_KEYS, Permission.RUN_PLATFORM}))
    with inside(EVERYTHING):
        huaihai = Organisation.objects.get(code="INS01")
        key, secret = issue_key(huaihai, by=by, at=timezone.now(), algorithm=KeyAlgorithm.HMAC_SHA256, is_sandbox=True)
    print(json.dumps({"key_id": key.key_id, "secret": secret}))
