"""Issuing, replacing and revoking the keys partners sign with."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from anze.exchange.models import PartnerKey
from anze.exchange.rules import KeyAlgorithm
from anze.exchange.signatures import new_key, parse_public_key
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.refusal import Refused
from anze.kernel.sealing import seal
from anze.parties.models import Organisation
from anze.parties.rules import OrganisationKind, Permission

PARTNER_KINDS = (OrganisationKind.INSURER, OrganisationKind.EMA)
OVERLAP = timedelta(days=7)  # how long the old key still works beside the one that replaces it


def may_manage_keys(by: Actor, partner_id: object) -> bool:
    """The partner's own manager, or the platform's administrator."""
    own = partner_id in (by.organisation_id, by.scope.insurer_id)
    return by.may(Permission.MANAGE_KEYS) and (own or by.may(Permission.RUN_PLATFORM))


def _require_own(by: Actor, partner_id: object) -> None:
    if not may_manage_keys(by, partner_id):
        raise Refused(
            "not_your_partner",
            _("These keys belong to another organisation."),
            remedy=_("Manage the keys of your own organisation; the platform's administrator may manage all."),
            status=403,
        )


def issue_key(
    partner: Organisation,
    *,
    by: Actor,
    at: datetime,
    algorithm: str = KeyAlgorithm.ED25519,
    public_key: str | None = None,
    expires_at: datetime | None = None,
    is_sandbox: bool = False,
) -> tuple[PartnerKey, str]:
    """A new key and the secret line to be shown once.

    With `public_key` the partner made the pair himself: then there is no secret to show.
    """
    if public_key:
        stored, shown = parse_public_key(public_key), ""
        algorithm = KeyAlgorithm.ED25519
    else:
        made = new_key(str(algorithm))
        stored, shown = made.stored, made.shown_once
    key = _keep_key(
        partner,
        by=by,
        at=at,
        algorithm=KeyAlgorithm(algorithm),
        material=base64.b64decode(stored),
        own_pair=bool(public_key),
        expires_at=expires_at,
        is_sandbox=is_sandbox,
    )
    return key, shown


@action(Permission.MANAGE_KEYS, "key.issued")
def _keep_key(
    partner: Organisation,
    *,
    by: Actor,
    at: datetime,
    algorithm: KeyAlgorithm,
    material: bytes,
    own_pair: bool,
    expires_at: datetime | None,
    is_sandbox: bool = False,
) -> PartnerKey:
    _require_own(by, partner.pk)
    if partner.kind not in PARTNER_KINDS or not partner.is_active:
        raise Refused(
            "no_partner",
            _("This organisation reports nothing over the interface."),
            remedy=_("Keys are issued to active insurers and emergency management authorities."),
        )
    if expires_at is not None and expires_at <= at:
        raise Refused(
            "already_expired",
            _("The key would have expired already."),
            remedy=_("Choose a later day, or none."),
            field="expires_at",
        )
    if is_sandbox and partner.kind != OrganisationKind.INSURER:
        raise Refused(
            "no_sandbox",
            _("Sandboxes are for insurers."),
            remedy=_("Try your program with dry_run=1."),
            field="is_sandbox",
        )
    key_id = f"{partner.code}-{'T-' if is_sandbox else ''}{secrets.token_hex(4)}"
    stored = base64.b64encode(material).decode()
    if algorithm == KeyAlgorithm.HMAC_SHA256:
        stored = seal(material, key_id)
    return PartnerKey.objects.create(
        partner=partner,
        insurer_id=partner.pk if partner.kind == OrganisationKind.INSURER else None,
        region_code=partner.region_id,
        key_id=key_id,
        algorithm=algorithm,
        material=stored,
        issued_at=at,
        issued_by=by.name[:120],
        is_sandbox=is_sandbox,
        expires_at=expires_at,
    )


def rotate_key(
    key: PartnerKey,
    *,
    by: Actor,
    at: datetime,
    overlap: timedelta = OVERLAP,
    public_key: str | None = None,
) -> tuple[PartnerKey, str]:
    """Replace a key: the new one works from now, the old one until the overlap ends."""
    with transaction.atomic():
        end_key(key, by=by, at=at, expires_at=at + overlap)
        return issue_key(
            key.partner, by=by, at=at, algorithm=key.algorithm, public_key=public_key, is_sandbox=key.is_sandbox
        )


@action(Permission.MANAGE_KEYS, "key.ends")
def end_key(key: PartnerKey, *, by: Actor, at: datetime, expires_at: datetime) -> PartnerKey:
    """Let a key end at a moment; never later than it would have ended anyway."""
    _require_own(by, key.partner_id)
    key.refresh_from_db()
    _require_working(key, at)
    if key.expires_at is None or key.expires_at > expires_at:
        key.expires_at = expires_at
        key.save(update_fields=["expires_at"])
    return key


@action(Permission.MANAGE_KEYS, "key.revoked")
def revoke_key(key: PartnerKey, *, by: Actor, at: datetime) -> PartnerKey:
    """End a key at once, as when its secret may have become known."""
    _require_own(by, key.partner_id)
    key.refresh_from_db()
    _require_working(key, at)
    key.revoked_at = at
    key.save(update_fields=["revoked_at"])
    return key


def _require_working(key: PartnerKey, at: datetime) -> None:
    if key.revoked_at or (key.expires_at and key.expires_at <= at):
        raise Refused(
            "key_ended",
            _("This key no longer works."),
            remedy=_("Issue a new key."),
            status=409,
        )
