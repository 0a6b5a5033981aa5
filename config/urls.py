"""The URL list is the registry of pages."""

from anze.screen.registry import urlpatterns as registered

urlpatterns = list(registered())
