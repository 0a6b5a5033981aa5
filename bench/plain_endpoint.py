"""The yardstick: what one would write first. A DRF ModelSerializer with many=True over the same table, called
through Django's test client in batches of 500, without signature, HTTP or receipt.
Prints rows a second, and microseconds of processor time a row."""

from __future__ import annotations

import json
import os
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.decorators import api_view, authentication_classes, permission_classes  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from uuid_utils.compat import uuid7  # noqa: E402

from anze.hazards.models import Hazard  # noqa: E402
from anze.kernel.scope import EVERYTHING, enter  # noqa: E402
from anze.parties.models import Enterprise, Organisation  # noqa: E402
from bench.ingest import hazard_rows  # noqa: E402
from bench.stage import cpu_of  # noqa: E402


class HazardSerializer(serializers.ModelSerializer[Hazard]):
    insured_uscc = serializers.SlugRelatedField(
        slug_field="uscc", source="enterprise", queryset=Enterprise.objects.all()
    )

    class Meta:
        model = Hazard
        fields = (
            "hazard_no", "insured_uscc", "source", "hazard_class", "found_on", "location", "description", "advice",
            "deadline_on", "notified_principal", "state",
        )  # fmt: skip

    def create(self, values: dict[str, object]) -> Hazard:
        enterprise = values["enterprise"]
        hazard: Hazard = Hazard.objects.create(
            **values,
            insurer_id=self.context["insurer"],
            region_code=enterprise.region_code,  # type: ignore[attr-defined]
            sector=enterprise.sector,  # type: ignore[attr-defined]
            batch_id=uuid7(), channel="API", event_on=values["found_on"], received_at=timezone.now(),
            report_due_at=timezone.now(), content_hash="",
        )  # fmt: skip
        return hazard


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def bulk(request: object) -> Response:
    with transaction.atomic():
        enter(EVERYTHING)
        insurer = Organisation.objects.get(code="INS01").pk
        serializer = HazardSerializer(data=request.data, many=True, context={"insurer": insurer})  # type: ignore[attr-defined]
        serializer.is_valid(raise_exception=True)
        serializer.save()
    return Response(status=201)


def main() -> None:
    with transaction.atomic():
        enter(EVERYTHING)
        codes = list(Enterprise.objects.values_list("uscc", flat=True)[:2000])
    rows = [{**row, "hazard_no": f"DRF{n}"} for n, row in enumerate(hazard_rows(codes, 1500))]
    factory = RequestFactory()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = cursor.fetchone()[0]
    used = time.process_time() + cpu_of(session)
    begun = time.perf_counter()
    for start in range(0, len(rows), 500):
        body = json.dumps(rows[start : start + 500])
        answer = bulk(factory.post("/", body, content_type="application/json"))
        if answer.status_code != 201:
            raise SystemExit(str(answer.data)[:500])
    seconds = time.perf_counter() - begun
    used = time.process_time() + cpu_of(session) - used
    print(len(rows) / seconds, used / len(rows) * 1e6)


if __name__ == "__main__":
    main()
