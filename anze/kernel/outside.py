"""Connections to addresses that somebody else has named: webhooks, insurers' apps.

A name is looked up once, the address is checked, and the connection goes to the address that was checked, whatever the
name says a moment later. Private and local networks are refused unless the operator allows them (`PRIVATE_NETWORKS`),
so that nobody can make the platform knock at doors of its own network.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from dataclasses import dataclass

from django.conf import settings


class NotAllowed(Exception):
    """The name leads into a network nobody has allowed."""


@dataclass(frozen=True)
class Address:
    """Where to connect. `is_private`: inside a network the operator has allowed."""

    ip: str
    is_private: bool


def checked_address(host: str, port: int) -> Address:
    """The first address of a name that may be asked. Raises `NotAllowed`; `OSError` where the name has none."""
    allowed = [ipaddress.ip_network(each) for each in settings.PRIVATE_NETWORKS]
    for *_kind, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        ip = str(where[0])
        address = ipaddress.ip_address(ip.partition("%")[0])
        plain = getattr(address, "ipv4_mapped", None) or address
        if plain.is_global and not plain.is_multicast:
            return Address(ip, is_private=False)
        if any(plain.version == each.version and plain in each for each in allowed):
            return Address(ip, is_private=True)
    raise NotAllowed(f"{host} lies in a private network")


class PinnedConnection(http.client.HTTPSConnection):
    """To the address that was checked; certificate and `Host` are those of the name. No redirect is followed."""

    def __init__(self, host: str, port: int, address: Address, *, secure: bool, timeout: float) -> None:
        self._context_of = ssl.create_default_context()
        super().__init__(host, port, timeout=timeout, context=self._context_of)
        self.default_port = 443 if secure else 80
        self._address, self._secure = address.ip, secure

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._secure:
            self.sock = self._context_of.wrap_socket(self.sock, server_hostname=self.host)
