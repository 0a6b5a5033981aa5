"""The sample client is a package of its own, not installed beside the platform: found by its path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "python"))
