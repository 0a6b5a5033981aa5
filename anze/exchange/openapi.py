"""The description of the signed interface (OpenAPI 3.1), made from the feeds and the list of problems."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils.translation import gettext as _

from anze.exchange.feed import Feed, Field, Kind
from anze.exchange.feeds import FEEDS
from anze.exchange.problems import MAX_EXPANDED, MAX_IDEMPOTENCY_KEY, MAX_ROWS, MAX_SENT, PROBLEMS
from anze.exchange.rules import FINDINGS, INTERFACE_VERSION, BatchState, Outcome

JSON = "application/json"
NDJSON = "application/x-ndjson"
PROBLEM = "application/problem+json"

# What may go wrong with every signed request, and what more where there is content.
SIGNED = (
    "signature_missing", "signature_malformed", "signature_components_missing", "signature_wrong",
    "signature_algorithm_mismatch", "signature_expired", "clock_skew", "nonce_missing", "digest_missing",
    "digest_malformed", "digest_algorithm_unsupported", "unknown_key", "revoked_key", "expired_key",
    "unusable_key", "inactive_partner", "replayed", "length_required", "too_large", "method_not_allowed",
    "unavailable", "server_failure",
)  # fmt: skip
SENDING = (
    "digest_wrong", "too_large_for_dry_run", "unsupported_encoding", "unsupported_type",
    "broken_gzip", "wrong_encoding", "broken_json", "empty", "incomplete", "idempotency_key_missing",
    "idempotency_key_malformed", "idempotency_key_reused", "unknown_feed", "not_your_feed", "bad_query",
)  # fmt: skip
FETCHING = ("unknown_batch", "bad_query")


def describe(server: str) -> dict[str, Any]:
    """The whole description in the present language; `server` is the platform's address."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for feed in FEEDS.values():
        schemas |= schemas_of(feed)
        paths[f"/api/v1/feeds/{feed.name}/batches"] = {"post": _sending(feed)}
    paths |= _fetching()
    return {
        "openapi": "3.1.0",
        "info": {"title": _("Anze data interface"), "version": INTERFACE_VERSION, "description": _about()},
        "servers": [{"url": server}],
        "security": [{"signature_input": [], "signature": []}],
        "tags": [{"name": "feeds", "description": _("Sending")}, {"name": "batches", "description": _("Receipts")}],
        "paths": paths,
        "components": {
            "schemas": schemas | _common_schemas(),
            "securitySchemes": {
                "signature_input": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Signature-Input",
                    "description": _(
                        "RFC 9421: one signature over @method, the address (@target-uri, or @authority, @path and "
                        "@query together), content-type, content-digest, content-encoding and idempotency-key as "
                        "far as they are sent; with the parameters created, keyid and nonce."
                    ),
                },
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Signature",
                    "description": _("RFC 9421, algorithm ed25519 or hmac-sha256."),
                },
            },
        },
    }


def _about() -> str:
    return _(
        "Every request is signed (RFC 9421); content carries a digest (RFC 9530). Send rows as NDJSON or as a JSON "
        "array, gzip allowed. Up to 500 rows are answered with the receipt, more are taken (202) and their receipt "
        "is fetched. A row is created, updated, unchanged or rejected on its own; a bad row never stops the others. "
        "Repeat a delivery with the same Idempotency-Key and a fresh nonce: nothing is doubled. With dry_run=1 "
        "everything is checked and nothing kept."
    )


# rows -----------------------------------------------------------------------------------------------------


def component_name(feed: Feed) -> str:
    return feed.name.replace("-", "_") + "_row"


def schemas_of(feed: Feed) -> dict[str, Any]:
    """The JSON schema of a feed's rows, as strict as the decoder is, with our titles, notes and code lists."""
    prefix = feed.name.replace("-", "_")
    _refs, found = msgspec.json.schema_components(
        [feed.row_type], ref_template=f"#/components/schemas/{prefix}_{{name}}"
    )
    schemas = {f"{prefix}_{name}": schema for name, schema in found.items()}
    row = schemas.pop(f"{prefix}_{feed.row_type.__name__}")
    _annotate(row, feed.fields)
    for each in feed.fields:
        if each.of:
            _annotate(schemas[f"{prefix}_{each.struct.__name__}"], each.of)
    row["title"] = str(feed.title)
    row["description"] = str(feed.about)
    row["examples"] = feed.example_rows()
    return {component_name(feed): row} | schemas


def _annotate(schema: dict[str, Any], fields: tuple[Field, ...]) -> None:
    for each in fields:
        given = schema["properties"][each.name]
        if each.kind is Kind.DECIMAL:
            given = _decimal(each)
        description = [str(each.note)] if each.note else []
        if each.codes is not None:
            description.append("; ".join(f"{code}: {label}" for code, label in each.codes.choices))
        schema["properties"][each.name] = {
            **given,
            "title": str(each.title),
            **({"description": "\n\n".join(description)} if description else {}),
        }


def _decimal(each: Field) -> dict[str, Any]:
    """Amounts as text, which is exact, or as numbers."""
    number: dict[str, Any] = {"type": "number"}
    if each.minimum is not None:
        number["minimum"] = float(each.minimum)
    if each.maximum is not None:
        number["maximum"] = float(each.maximum)
    sign = "" if each.minimum is not None and each.minimum >= 0 else "-?"
    whole = each.digits - each.places
    text = {"type": "string", "pattern": f"^{sign}[0-9]{{1,{whole}}}(\\.[0-9]{{1,{each.places}}})?$"}
    if each.is_nullable:
        return {"anyOf": [text, number, {"type": "null"}], "default": None}
    return {"anyOf": [text, number]}


# answers --------------------------------------------------------------------------------------------------


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _common_schemas() -> dict[str, Any]:
    check_codes = {check.code for feed in FEEDS.values() for check in feed.all_checks}
    counts = {
        name: {"type": "integer", "minimum": 0} for name in ("rows", "created", "updated", "unchanged", "rejected")
    }
    letters = ", ".join(f"{outcome.value}: {outcome.label}" for outcome in Outcome)
    states = "; ".join(f"{state.value}: {state.label}" for state in BatchState)
    receipt = {
        "id": {"type": ["string", "null"], "description": _("Null for a dry run.")},
        "feed": {"type": "string", "enum": list(FEEDS)},
        "state": {"type": "string", "enum": BatchState.values, "description": states},
        "received_at": {"type": "string", "format": "date-time"},
        "finished_at": {"type": ["string", "null"], "format": "date-time"},
        **counts,
        "outcomes": {
            "type": "string",
            "description": _("One letter a row, in the order sent. %(letters)s") % {"letters": letters},
        },
        "failure": {"type": "string"},
        "findings_total": {"type": "integer", "minimum": 0},
        "findings": {
            "type": "array",
            "maxItems": 1000,
            "items": _ref("Finding"),
            "description": _("The first thousand; the others by links.more_findings."),
        },
        "dry_run": {"type": "boolean"},
        "links": {
            "type": "object",
            "properties": {"self": {"type": "string"}, "more_findings": {"type": ["string", "null"]}},
        },
    }
    return {
        "Receipt": {
            "type": "object",
            "title": _("receipt"),
            "required": [name for name in receipt if name not in ("dry_run", "links")],
            "properties": receipt,
        },
        "Finding": {
            "type": "object",
            "title": _("finding"),
            "required": ["row", "field", "code", "message", "remedy"],
            "properties": {
                "row": {"type": "integer", "minimum": 1, "description": _("Counted from 1.")},
                "field": {"type": "string", "description": _("Empty when the whole row is meant.")},
                "code": {"type": "string", "enum": sorted(check_codes | set(FINDINGS))},
                "message": {"type": "string"},
                "remedy": {"type": "string"},
            },
        },
        "Findings": {
            "type": "object",
            "required": ["findings_total", "findings", "next"],
            "properties": {
                "findings_total": {"type": "integer", "minimum": 0},
                "findings": {"type": "array", "maxItems": 1000, "items": _ref("Finding")},
                "next": {"type": ["string", "null"]},
            },
        },
        "Feeds": {
            "type": "object",
            "required": ["feeds"],
            "properties": {"feeds": {"type": "array", "items": {"type": "object"}}},
        },
        "Problem": {
            "type": "object",
            "title": _("problem details (RFC 9457)"),
            "required": ["type", "title", "status", "detail", "instance", "code", "remedy"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "instance": {"type": "string"},
                "code": {"type": "string", "enum": list(PROBLEMS)},
                "remedy": {"type": "string"},
                "signature_base": {
                    "type": "string",
                    "description": _("What the platform took the signature to be over; compare it with yours."),
                },
            },
        },
    }


def _problems(*codes: str) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {
        str(status): {
            "description": "\n".join(f"- `{code}`: {PROBLEMS[code].title}" for code in listed),
            "content": {
                PROBLEM: {
                    "schema": {"allOf": [_ref("Problem"), {"type": "object", "properties": {"code": {"enum": listed}}}]}
                }
            },
        }
        for status, listed in sorted(by_status.items())
    }


def _header(name: str, description: str, **words: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string"},
        **words,
    }


def _sending(feed: Feed) -> dict[str, Any]:
    rows = {"type": "array", "minItems": 1, "maxItems": MAX_ROWS, "items": _ref(component_name(feed))}
    checks = "\n".join(f"- `{check.code}` ({check.field}): {check.message}" for check in feed.all_checks)
    receipt = {"content": {JSON: {"schema": _ref("Receipt")}}}
    location = {"Location": {"schema": {"type": "string"}, "description": _("Where the receipt is.")}}
    repeated = {
        "Idempotent-Replayed": {
            "schema": {"type": "string", "enum": ["true"]},
            "description": _("This delivery was received before; the answer is its receipt."),
        }
    }
    return {
        "operationId": f"send_{feed.name.replace('-', '_')}",
        "tags": ["feeds"],
        "summary": str(feed.title),
        "description": f"{feed.about}\n\n"
        + _("Sent by %(senders)s. Records with the same %(key)s are versions of one another.")
        % {"senders": feed.sender.label, "key": ", ".join(feed.key_fields)}
        + (f"\n\n{checks}" if checks else ""),
        "parameters": [
            _header(
                "Idempotency-Key",
                _("A text of your own for this delivery; not needed for a dry run."),
                schema={"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY, "pattern": "^[!-~]+$"},
            ),
            _header(
                "Content-Digest",
                _("RFC 9530, sha-256 or sha-512 over the content as sent."),
                required=True,
            ),
            _header(
                "Content-Encoding",
                _("gzip, if the content is compressed."),
                schema={"type": "string", "enum": ["gzip", "identity"]},
            ),
            {
                "name": "dry_run",
                "in": "query",
                "description": _("1 checks everything and keeps nothing; at most 5,000 rows."),
                "schema": {"type": "string", "enum": ["0", "1"]},
            },
        ],
        "requestBody": {
            "required": True,
            "description": _("At most %(sent)d bytes as sent, %(expanded)d unpacked.")
            % {"sent": MAX_SENT, "expanded": MAX_EXPANDED},
            "content": {
                JSON: {"schema": rows},
                NDJSON: {
                    "schema": {"type": "string", "description": _("One JSON object a line, each as in the array.")}
                },
            },
        },
        "responses": {
            "200": {"description": _("Published: the receipt."), "headers": location | repeated, **receipt},
            "202": {"description": _("Received; ask for the receipt."), "headers": location | repeated, **receipt},
            **_problems(*SIGNED, *SENDING),
        },
    }


def _fetching() -> dict[str, Any]:
    batch = {
        "name": "batch_id",
        "in": "path",
        "required": True,
        "description": _("The id of the receipt."),
        "schema": {"type": "string", "format": "uuid"},
    }

    def fetch(summary: str, name: str, schema: str, *codes: str, parameters: list[Any]) -> dict[str, Any]:
        return {
            "get": {
                "operationId": name,
                "tags": ["batches"],
                "summary": summary,
                "parameters": parameters,
                "responses": {
                    "200": {"description": summary, "content": {JSON: {"schema": _ref(schema)}}},
                    **_problems(*SIGNED, *codes),
                },
            }
        }

    page = {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 999_999}}
    return {
        "/api/v1/feeds": fetch(_("The datasets your key may send"), "list_feeds", "Feeds", parameters=[]),
        "/api/v1/batches/{batch_id}": fetch(
            _("The receipt of a batch"), "fetch_receipt", "Receipt", *FETCHING, parameters=[batch]
        ),
        "/api/v1/batches/{batch_id}/findings": fetch(
            _("All findings of a batch, a thousand a page"),
            "fetch_findings",
            "Findings",
            *FETCHING,
            parameters=[batch, page],
        ),
    }
