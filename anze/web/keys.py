"""The keys the platform signs with, for people and for machines."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from anze.kernel.signing import FORMAT, published_keys, replace_signing_key
from anze.parties.rules import Permission
from anze.screen.registry import page


@page("keys/", name="signing-keys", title=_("Keys the platform signs with"), is_open=True, room="kernel")
def signing_keys(request: HttpRequest) -> HttpResponse:
    return render(request, "web/keys.html", {"keys": published_keys()})


@page(".well-known/anze-report-keys.json", name="signing-keys-json", is_open=True, room="kernel")
def signing_keys_json(request: HttpRequest) -> HttpResponse:
    """The public keys as JSON Web Keys; what `tools/verify_report.py` reads."""
    keys = [
        {
            "kid": each.key_id,
            "kty": "OKP",
            "crv": "Ed25519",
            "x": each.public_key,
            "signs_from": each.valid_from.isoformat(),
            "signs_until": each.signs_until.isoformat() if each.signs_until else None,
            "revoked_at": each.revoked_at.isoformat() if each.revoked_at else None,
        }
        for each in published_keys()
    ]
    response = JsonResponse({"format": FORMAT, "keys": keys}, json_dumps_params={"indent": 1})
    response["Cache-Control"] = "public, max-age=3600"
    return response


@page(
    "keys/replace/",
    name="signing-key-replace",
    permission=Permission.RUN_PLATFORM,
    methods=("POST",),
    room="kernel",
)
def signing_key_replace(request: HttpRequest) -> HttpResponse:
    made = replace_signing_key(
        None,
        by=request.actor,  # type: ignore[attr-defined]
        at=request.at,  # type: ignore[attr-defined]
        revoke=request.POST.get("revoke") == "1",
    )
    messages.success(
        request,
        _now("The key %(key)s signs since %(when)s.")
        % {"key": made.key_id, "when": f"{timezone.localtime(made.valid_from):%H:%M:%S}"},
    )
    return redirect("signing-keys")
