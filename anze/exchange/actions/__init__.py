"""Every write of the data exchange: batches received and published, keys issued and revoked."""

from anze.exchange.actions.batches import (
    AT_ONCE,
    deliver,
    due_dates,
    keep_receipt,
    process_batch,
    receive_batch,
    retry_batch,
    try_batch,
)
from anze.exchange.actions.keys import end_key, issue_key, revoke_key, rotate_key
from anze.exchange.actions.pulling import due_connectors, make_connector, pause_connector, pull, resume_connector
from anze.exchange.actions.quotes import accept_offer
from anze.exchange.actions.spending import (
    SharedCost,
    add_voucher,
    pay_statement,
    reverse_expense,
    share_cost,
    shares_of,
)
from anze.exchange.actions.uploads import cancel_upload, check_upload, confirm_upload, upload_file
from anze.exchange.actions.visits import deliver_visit
from anze.exchange.receipts import receipt_of

__all__ = [
    "AT_ONCE",
    "SharedCost",
    "accept_offer",
    "add_voucher",
    "cancel_upload",
    "check_upload",
    "confirm_upload",
    "deliver",
    "deliver_visit",
    "due_connectors",
    "due_dates",
    "end_key",
    "issue_key",
    "keep_receipt",
    "make_connector",
    "pause_connector",
    "pay_statement",
    "process_batch",
    "pull",
    "receipt_of",
    "receive_batch",
    "resume_connector",
    "retry_batch",
    "reverse_expense",
    "revoke_key",
    "rotate_key",
    "share_cost",
    "shares_of",
    "try_batch",
    "upload_file",
]
