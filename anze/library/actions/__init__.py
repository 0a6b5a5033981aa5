"""Every write of the library."""

from anze.library.actions.loading import load_library

__all__ = ["load_library"]
