"""Fill a prepared database with the institutions of the drawn province, and keys for some of them; prints the
keys. Run by tests/province/test_a_day_of_deliveries.py."""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first

from anze.exchange.actions import issue_key  # noqa: E402
from anze.exchange.rules import KeyAlgorithm  # noqa: E402
from anze.exchange.synthetic.drawing import draw  # noqa: E402
from anze.exchange.synthetic.institutions import load_experts, load_institutions  # noqa: E402
from anze.kernel.actor import platform  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Account, Membership, Organisation  # noqa: E402
from anze.parties.rules import Permission, Role  # noqa: E402
from tests.exchange.live import CLERK, PASSWORD  # noqa: E402
from tests.province.conftest import AS_OF, SCALE, SEED  # noqa: E402


def seed(codes: list[str]) -> dict[str, dict[str, str]]:
    province = draw(SEED, SCALE, AS_OF)
    by = platform(frozenset({Permission.MANAGE_KEYS, Permission.RUN_PLATFORM}))
    keys = {}
    with inside(EVERYTHING):
        load_institutions(province)
        load_experts(province)
        for number, code in enumerate(codes):
            partner = Organisation.objects.get(code=code)
            algorithm = KeyAlgorithm.HMAC_SHA256 if number % 2 else KeyAlgorithm.ED25519
            key, secret = issue_key(partner, by=by, at=timezone.now(), algorithm=algorithm)
            keys[code] = {"key_id": key.key_id, "secret": secret}
        regulator = Account.objects.create_user(CLERK, PASSWORD, name="示例监管人员")
        Membership.objects.create(
            account=regulator, role=Role.PROVINCE_REGULATOR, organisation=Organisation.objects.get(code="EMA370000")
        )
    return keys


if __name__ == "__main__":
    print(json.dumps(seed(sys.argv[1:])))
