"""Pages of underwriting: the register, policies and what hangs on them."""

from anze.underwriting.screens import policies, register
from anze.underwriting.screens.policies import ENDORSEMENTS, POLICIES, RECEIPTS
from anze.underwriting.screens.register import OBLIGATIONS
from anze.underwriting.screens.shared import ORIGIN_SECTION

__all__ = ["ENDORSEMENTS", "OBLIGATIONS", "ORIGIN_SECTION", "POLICIES", "RECEIPTS", "policies", "register"]
