"""The URL list is the registry of pages."""

from anze.screen.registry import urlpatterns as registered

urlpatterns = list(registered())

handler403 = "anze.web.errors.denied"
handler404 = "anze.web.errors.missing"
handler500 = "anze.web.errors.failed"
