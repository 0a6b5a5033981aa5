"""Send data to Anze (安责) over its signed interface. `Client` is the way in; see README.md."""

from .client import Client, Receipt, Refused, Unreachable
from .signing import Signer, new_pair

__all__ = ["Client", "Receipt", "Refused", "Signer", "Unreachable", "new_pair"]
