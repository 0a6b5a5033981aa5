"""Fill an empty database with the cast and keys for it; prints the keys. Run by tests/exchange/live.py."""

from __future__ import annotations

import json
from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.exchange.actions import issue_key, revoke_key  # noqa: E402
from anze.exchange.rules import KeyAlgorithm  # noqa: E402
from anze.kernel.actor import platform  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.library.actions import load_library  # noqa: E402
from anze.parties.actions import load_reference_data  # noqa: E402
from anze.parties.models import Account, Membership  # noqa: E402
from anze.parties.rules import Permission, Role  # noqa: E402
from tests.cast import assemble  # noqa: E402
from tests.exchange.live import CLERK, PASSWORD  # noqa: E402


def seed() -> dict[str, dict[str, str]]:
    by = platform(frozenset({Permission.MANAGE_KEYS, Permission.RUN_PLATFORM}))
    at = timezone.now()
    with inside(EVERYTHING):
        load_reference_data()
        load_library()
        cast = assemble()
        keys = {}
        for name, partner, algorithm in (
            ("huaihai", cast.huaihai, KeyAlgorithm.ED25519),
            ("huaihai_mac", cast.huaihai, KeyAlgorithm.HMAC_SHA256),
            ("bohai", cast.bohai, KeyAlgorithm.ED25519),
            ("province", cast.province, KeyAlgorithm.ED25519),
            ("jinan", cast.jinan, KeyAlgorithm.ED25519),
            ("revoked", cast.huaihai, KeyAlgorithm.ED25519),
            ("expired", cast.huaihai, KeyAlgorithm.ED25519),
            ("retired", cast.bohai, KeyAlgorithm.HMAC_SHA256),
        ):
            key, secret = issue_key(partner, by=by, at=at, algorithm=algorithm)
            keys[name] = {"key_id": key.key_id, "secret": secret}
            if name == "revoked":
                revoke_key(key, by=by, at=at)
            if name == "expired":
                key.expires_at = at - timedelta(seconds=1)
                key.save()
        clerk = Account.objects.create_user(CLERK, PASSWORD, name="示例经办人")
        Membership.objects.create(account=clerk, role=Role.INSURER_CLERK, organisation=cast.huaihai)
    return keys


if __name__ == "__main__":
    print(json.dumps(seed()))
