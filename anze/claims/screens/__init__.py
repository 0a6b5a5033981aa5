"""Pages of accidents and claims by subject."""

from anze.claims.screens import notices as _notices
from anze.claims.screens import samples as _samples
from anze.claims.screens import twins as _twins
from anze.claims.screens.accidents import ACCIDENTS
from anze.claims.screens.claims import CLAIMS

__all__ = ["ACCIDENTS", "CLAIMS", "_notices", "_samples", "_twins"]
