"""Two services and two hazards with photos, and the links to them; prints the addresses. Run by tests/e2e/test_links.py."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import django

django.setup()

from django.utils import timezone  # noqa: E402 - Django comes first
from PIL import Image  # noqa: E402

from anze.evidence.actions import arrived, receive_media, subject_of  # noqa: E402
from anze.exchange.feeds import FEEDS  # noqa: E402
from anze.hazards.actions.links import issue_link  # noqa: E402
from anze.hazards.models import Hazard  # noqa: E402
from anze.kernel.actor import Actor  # noqa: E402
from anze.kernel.duty import beijing_day  # noqa: E402
from anze.kernel.scope import EVERYTHING, inside  # noqa: E402
from anze.parties.models import Organisation  # noqa: E402
from anze.parties.rules import Permission  # noqa: E402
from anze.prevention.actions.confirmations import make_link  # noqa: E402
from anze.prevention.models import Service  # noqa: E402
from anze.screen.registry import load_screens  # noqa: E402
from tests.cast import XINGHUO, Cast, policy_row  # noqa: E402
from tests.exchange.examples import example  # noqa: E402


def picture(seed: int) -> bytes:
    made = BytesIO()
    Image.effect_noise((640, 480), 30 + seed).convert("RGB").save(made, "JPEG")
    return made.getvalue()


def seed() -> dict[str, list[str]]:
    load_screens()
    at = timezone.now()
    today = beijing_day(at)
    huaihai = Organisation.objects.get(code="INS01")
    cast = Cast.__new__(Cast)
    start, end = today - timedelta(days=60), today + timedelta(days=300)
    days = {"applied_on": start - timedelta(days=4), "issued_on": start - timedelta(days=2)}

    def send(feed: str, row: dict[str, Any]) -> None:
        cast.accepted(huaihai, feed, row, at=at)

    send("policies", policy_row("P-LINK", XINGHUO, start_on=start, end_on=end, **days))
    clerk = Actor(
        name="示例理赔员",
        scope=EVERYTHING,
        permissions=frozenset({Permission.ISSUE_REPORTS, Permission.SEE_HAZARDS, Permission.ADD_EVIDENCE}),
    )
    begun = (at - timedelta(days=2)).replace(microsecond=0)
    links: dict[str, list[str]] = {"services": [], "hazards": []}
    for n in range(2):
        persons = [{"kind": "EXPERT", "name": "示例专家甲", "expert_number": "EXP001",
                    "certificate_no": "SL3700000001", "certificate_valid_to": "2028-12-31"}]  # fmt: skip
        send("services", example(
            FEEDS["services"], service_no=f"S-LINK{n}", policy_no="P-LINK", plan_no="", plan_item_seq=None,
            agency_code="AGY01", confirmation="NONE", confirmed_on=None, confirmed_by="", followed_up_on=None,
            satisfaction=None, persons=persons, hazards_found=1, nil_findings=False,
            started_at=begun.isoformat(), ended_at=(begun + timedelta(hours=2)).isoformat(),
        ))  # fmt: skip
        send("hazards", example(
            FEEDS["hazards"], hazard_no=f"H-LINK{n}", insured_uscc=XINGHUO, service_no=f"S-LINK{n}", state="NOTIFIED",
            hazard_class="GENERAL", criterion_code="", found_on=beijing_day(begun), deadline_on=today + timedelta(days=20),
            notified_on=beijing_day(begun), notified_principal=False, reported_at=None, rectified_on=None,
            verified_on=None, verifier=None, closed_on=None, extended_to_on=None, extension_reason="",
        ))  # fmt: skip
        hazard = Hazard.objects.get(hazard_no=f"H-LINK{n}")
        subject = subject_of("hazard", hazard.pk, clerk, at)
        receive_media(subject, by=clerk, at=at, content=arrived(picture(n)), role="HAZARD", captured_at=begun)
        service = Service.objects.get(service_no=f"S-LINK{n}")
        links["services"].append(f"/c/{make_link(service, by=clerk, at=at)[1]}/")
        links["hazards"].append(f"/w/{issue_link(hazard, by=clerk, at=at)}/")
    return links


if __name__ == "__main__":
    with inside(EVERYTHING):
        print(json.dumps(seed()))
