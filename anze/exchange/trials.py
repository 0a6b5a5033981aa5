"""The interface's part for those who try their programs: the sandbox, its test cases, verdicts and certificate."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from anze.exchange import conformance
from anze.exchange.interface import Caller, answer, endpoint, identify, read_body, refuse_unread
from anze.exchange.models import PartnerKey, SandboxDelivery
from anze.exchange.problems import InterfaceRefused
from anze.kernel.scope import EVERYTHING, inside


def _in_sandbox(request: HttpRequest) -> tuple[Caller, dict[str, Any]]:
    """The caller with a sandbox key, and the small JSON object he sent."""
    at = timezone.now()
    refuse_unread(request)
    caller = identify(request, at)
    if not caller.key.is_sandbox:
        raise InterfaceRefused("not_sandbox")
    body = read_body(request)
    try:
        words = json.loads(body) if body else {}
    except ValueError:
        words = None
    if not isinstance(words, dict):
        raise InterfaceRefused("broken_json")
    return caller, words


@endpoint("sandbox/reset", name="api-sandbox-reset", methods=("POST",))
def reset_sandbox(request: HttpRequest) -> HttpResponse:
    """Forget everything the sandbox was sent, and the verdicts."""
    caller, _words = _in_sandbox(request)
    with inside(EVERYTHING):
        count, _by_table = SandboxDelivery.objects.filter(key=caller.key).delete()
        PartnerKey.objects.filter(pk=caller.key.pk).update(conformance={})
    return answer({"forgotten": count})


@endpoint("sandbox/cases", name="api-sandbox-cases")
def list_cases(request: HttpRequest) -> HttpResponse:
    """The test cases of this version of the interface."""
    _in_sandbox(request)
    return answer(conformance.told(timezone.now()))


def _case(name: str) -> conformance.Case:
    found = conformance.CASES.get(name)
    if found is None:
        raise InterfaceRefused("unknown_case")
    return found


@endpoint("sandbox/cases/<str:name>/begin", name="api-sandbox-begin", methods=("POST",))
def begin_case(request: HttpRequest, name: str) -> HttpResponse:
    """What is sent from now on belongs to this case."""
    _in_sandbox(request)
    _case(name)
    return answer({"begun": timezone.now().isoformat()})


@endpoint("sandbox/cases/<str:name>/verdict", name="api-sandbox-verdict", methods=("POST",))
def judge_case(request: HttpRequest, name: str) -> HttpResponse:
    """Whether what arrived since the case was begun is what the case asks for."""
    caller, words = _in_sandbox(request)
    case = _case(name)
    exits = words.get("exits")
    try:
        begun = datetime.fromisoformat(str(words.get("begun")))
    except ValueError:
        raise InterfaceRefused("bad_query", _("begun is the moment the case was begun.")) from None
    if begun.tzinfo is None or not isinstance(exits, list) or not all(isinstance(each, int) for each in exits):
        raise InterfaceRefused("bad_query", _("exits lists how the program ended."))
    with inside(EVERYTHING):
        kept = SandboxDelivery.objects.filter(key=caller.key, received_at__gte=begun)
        verdict = conformance.judged(case, list(kept.order_by("received_at", "pk")), exits, at=begun)
        key = PartnerKey.objects.select_for_update(of=("self",)).get(pk=caller.key.pk)
        passed = {**key.conformance.get("passed", {}), name: verdict.passed}
        PartnerKey.objects.filter(pk=key.pk).update(conformance={"passed": passed})
    return answer(conformance.as_told(case, verdict))


@endpoint("sandbox/certificate", name="api-sandbox-certificate", methods=("POST",))
def certify(request: HttpRequest) -> HttpResponse:
    """A signed certificate for this version of the interface, once every case has passed since the last reset."""
    caller, _words = _in_sandbox(request)
    at = timezone.now()
    with inside(EVERYTHING):
        key = PartnerKey.objects.select_for_update(of=("self",)).get(pk=caller.key.pk)
        passed = key.conformance.get("passed", {})
        if not all(passed.get(name) for name in conformance.CASES):
            raise InterfaceRefused("cases_not_passed")
        certificate = conformance.certificate_of(caller.partner, at)
        PartnerKey.objects.filter(pk=key.pk).update(conformance={"passed": passed, "certificate": certificate})
    return answer(certificate)
