"""Every way in which the interface refuses a request: a stable code, its status, its words (RFC 9457).

What is wrong with single rows stands in the receipt and has its codes in `rules.FINDINGS`.
"""

from __future__ import annotations

from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anze.exchange.signatures import REFUSALS, RefusalText
from anze.kernel.refusal import Refused

MEGABYTE: Final = 1024 * 1024
MAX_SENT: Final = 5 * MEGABYTE  # bytes on the way, compressed or not
MAX_EXPANDED: Final = 50 * MEGABYTE
MAX_ROWS: Final = 500_000
MAX_DRY_ROWS: Final = 5_000
MAX_IDEMPOTENCY_KEY: Final = 100

PROBLEMS: Final[dict[str, RefusalText]] = {
    **{code: text for code, text in REFUSALS.items() if not code.startswith("public_key")},
    "unknown_key": RefusalText(
        401,
        _("There is no key of this name"),
        _("Check keyid; the key ids are listed on your partner page."),
    ),
    "revoked_key": RefusalText(
        401, _("The key was revoked"), _("Sign with another key; new ones are issued on your partner page.")
    ),
    "expired_key": RefusalText(
        401, _("The key has expired"), _("Sign with the key that replaced it, or have a new one issued.")
    ),
    "unusable_key": RefusalText(
        401,
        _("The key can no longer be used"),
        _("Have a new key issued on your partner page; the platform cannot read the old one any more."),
    ),
    "inactive_partner": RefusalText(403, _("The partner is no longer active"), _("Ask the operator of the platform.")),
    "replayed": RefusalText(
        401,
        _("This signed request was received before"),
        _("Sign every request anew, with a fresh nonce; the idempotency key stays when a delivery is repeated."),
    ),
    "length_required": RefusalText(
        411, _("The length of the content is not announced"), _("Send the header Content-Length.")
    ),
    "too_large": RefusalText(
        413,
        _("The content is too large"),
        _("Cut it into batches of at most 5 MB on the way, 50 MB unpacked and 500,000 rows."),
    ),
    "too_large_for_dry_run": RefusalText(
        413,
        _("Too many rows for a dry run"),
        _("Send at most 5,000 rows with dry_run=1; the rules are the same for each row."),
    ),
    "unsupported_encoding": RefusalText(
        415,
        _("The content's encoding is not supported"),
        _("Compress with gzip and say Content-Encoding: gzip, or send it as it is without this header."),
    ),
    "unsupported_type": RefusalText(
        415,
        _("The content's type is not supported"),
        _("Send application/x-ndjson (one object a line) or application/json (an array), in UTF-8."),
    ),
    "broken_gzip": RefusalText(
        400, _("The content cannot be unpacked"), _("Compress it once, with gzip, and send all of it.")
    ),
    "wrong_encoding": RefusalText(
        400, _("The content is not UTF-8"), _("Encode the text in UTF-8; UTF-16 and GBK are not accepted here.")
    ),
    "broken_json": RefusalText(
        400,
        _("The content is not a JSON array"),
        _("Send [{…}, {…}] encoded in UTF-8, or NDJSON with one object a line."),
    ),
    "empty": RefusalText(400, _("There is not a single row"), _("Send at least one row.")),
    "incomplete": RefusalText(
        400, _("The content ended too early"), _("Send it again; the connection broke on the way.")
    ),
    "idempotency_key_missing": RefusalText(
        400,
        _("There is no idempotency key"),
        _("Send the header Idempotency-Key: a text of your own for this delivery, the same when you repeat it."),
    ),
    "idempotency_key_malformed": RefusalText(
        400,
        _("The idempotency key cannot be taken"),
        _("Use 1 to 100 printable ASCII characters, for example a UUID or a hash."),
    ),
    "idempotency_key_reused": RefusalText(
        409,
        _("This idempotency key was used for other content"),
        _("Use a new key for new content; repeat a key only to repeat the very same delivery."),
    ),
    "unknown_feed": RefusalText(
        404, _("There is no dataset of this name"), _("GET /api/v1/feeds lists those your key may send.")
    ),
    "not_your_feed": RefusalText(
        403,
        _("This dataset is not reported by your kind of organisation"),
        _("GET /api/v1/feeds lists those your key may send."),
    ),
    "unknown_batch": RefusalText(
        404, _("You have sent no such batch"), _("Use the id of the receipt; only the sender can read it.")
    ),
    "bad_query": RefusalText(
        400, _("A word of the address's query cannot be taken"), _("Correct it by the interface's description.")
    ),
    "not_sandbox": RefusalText(
        403,
        _("This is for sandbox keys only"),
        _("Have a sandbox key issued on your partner page; it publishes nothing."),
    ),
    "sandbox_full": RefusalText(
        429, _("The sandbox is full"), _("Reset it: POST /api/v1/sandbox/reset, or begin the kit anew.")
    ),
    "unknown_case": RefusalText(404, _("There is no such test case"), _("GET /api/v1/sandbox/cases lists them.")),
    "cases_not_passed": RefusalText(
        409, _("Not every case has passed yet"), _("Run the kit; it tells for each case the field and what to do.")
    ),
    "method_not_allowed": RefusalText(405, _("This address does not take this method"), _("See the header Allow.")),
    "unavailable": RefusalText(
        503,
        _("The platform cannot answer at the moment"),
        _("Nothing was changed. Send the same request again in a while, with the same idempotency key."),
    ),
    "server_failure": RefusalText(
        500,
        _("The platform could not finish this"),
        _("Nothing was changed. Send it again later with the same idempotency key; if it stays, tell the operator."),
    ),
}


class InterfaceRefused(Refused):
    """A request was refused. `title` and `remedy` depend on the code alone, `message` on the request."""

    def __init__(self, code: str, message: str | Promise = "", **values: Any) -> None:
        text = PROBLEMS[code]
        super().__init__(code, message or text.title, remedy=text.remedy, status=text.status, values=values or None)
        self.title = text.title
