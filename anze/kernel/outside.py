"""Connections to addresses that somebody else has named: webhooks, insurers' apps.

A name is looked up once, the address is checked, and the connection goes to the address that was checked, whatever the
name says a moment later. Private and local networks are refused unless the operator allows them (`PRIVATE_NETWORKS`),
so that nobody can make the platform knock at doors of its own network.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri


class NotAllowed(Exception):
    """The name leads into a network nobody has allowed."""


@dataclass(frozen=True)
class Place:
    """What a web address names, in the characters HTTP can carry: whom to connect to and what to ask there."""

    is_secure: bool
    host: str
    port: int
    path: str


def place_of(url: str) -> Place:
    """Take a web address apart. Name and path may be written in any script, as people write them. Raises `ValueError`
    where it is no such address, or names a user."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode()
    port = parts.port  # raises beyond 65535
    if parts.scheme not in ("https", "http") or parts.username is not None or port == 0:
        raise ValueError("no address of the web")
    if not re.fullmatch(r"[a-z0-9._:-]+", host):
        raise ValueError("no name of a host")
    is_secure = parts.scheme == "https"
    path = iri_to_uri(parts.path or "/") + (f"?{iri_to_uri(parts.query)}" if parts.query else "")
    return Place(is_secure, host, port or (443 if is_secure else 80), path)


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
