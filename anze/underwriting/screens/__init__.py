"""Pages of underwriting: the register, policies and what hangs on them, what is found wrong with cover, choosing."""

from anze.underwriting.screens import choosing, disputes, findings, policies, profiles, register
from anze.underwriting.screens.findings import FINDINGS
from anze.underwriting.screens.policies import ENDORSEMENTS, POLICIES, RECEIPTS
from anze.underwriting.screens.register import OBLIGATIONS
from anze.underwriting.screens.shared import ORIGIN_SECTION

__all__ = [
    "ENDORSEMENTS",
    "FINDINGS",
    "OBLIGATIONS",
    "ORIGIN_SECTION",
    "POLICIES",
    "RECEIPTS",
    "choosing",
    "disputes",
    "findings",
    "policies",
    "profiles",
    "register",
]
