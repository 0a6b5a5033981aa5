"""Asking an insurer's app over HTTP: slowly enough, again after failures, and never an address inside by mistake."""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin

import msgspec
from django.utils.translation import gettext_lazy as _

from anze.exchange.rules import PullFailure
from anze.kernel.outside import Address, NotAllowed, PinnedConnection, Place, checked_address, place_of
from anze.kernel.refusal import Refused

ATTEMPTS = 5
TIMEOUT = 30
MOST_BYTES = 32 << 20
LONGEST_PAUSE = 120.0


class FetchProblem(Exception):
    """The app could not be asked, or not be understood: why, and what exactly was met."""

    def __init__(self, cause: PullFailure, met: str) -> None:
        super().__init__(met)
        self.cause = cause


class _Again(Exception):
    """Worth another try, after `pause` seconds if the app says so."""

    def __init__(self, text: str, pause: float | None = None) -> None:
        super().__init__(text)
        self.pause = pause


@dataclass(frozen=True)
class Target:
    """What a URL leads to, looked up and checked."""

    place: Place
    address: Address


def target_of(url: str) -> Target:
    """Where a URL leads. Plain HTTP only inside a network the operator has allowed."""
    try:
        place = place_of(url)
    except ValueError:
        raise _refused(_("The address must look like https://app.example/.")) from None
    try:
        address = checked_address(place.host, place.port)
    except NotAllowed:
        raise _refused(_("The address lies inside a private network.")) from None
    except OSError:
        if not place.is_secure:
            raise _refused(_("The address must begin with https://.")) from None
        raise FetchProblem(PullFailure.NO_ADDRESS, place.host) from None
    if not place.is_secure and not address.is_private:
        raise _refused(_("The address must begin with https://."))
    return Target(place, address)


def _refused(message: Any) -> Refused:
    return Refused(
        "address_not_allowed",
        message,
        remedy=_("Give a public https address, or have the operator name its network in ANZE_PRIVATE_NETWORKS."),
        field="base_url",
    )


@dataclass
class Fetcher:
    """Requests to one app. `sleep` and `clock` are passed in, so that tests need not wait."""

    base: str
    token: str
    per_minute: int = 60
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _last: float = field(default=float("-inf"), init=False)

    def json(self, path: str, query: Mapping[str, str]) -> Any:
        url = urljoin(self.base.rstrip("/") + "/", path.lstrip("/"))
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query)
        body = self._get(url, "application/json")
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise FetchProblem(PullFailure.UNREADABLE, f"{path}: {problem}") from None

    def file(self, url: str) -> bytes:
        """A file of the same app, by its address or its path. The token goes to the app's own host only."""
        return self._get(urljoin(self.base.rstrip("/") + "/", url), "*/*")

    def _get(self, url: str, accept: str) -> bytes:
        failed = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self.sleep(self._pause)
            self._wait()
            try:
                return self._once(url, accept)
            except _Again as again:
                failed = str(again)
                usual = 2.0**attempt * (0.5 + random.random() / 2)  # noqa: S311 - spreads retries, guards nothing
                self._pause = min(LONGEST_PAUSE, usual if again.pause is None else again.pause)
        raise FetchProblem(PullFailure.UNREACHED, f"{failed} (× {ATTEMPTS})")

    _pause: float = field(default=0.0, init=False)

    def _wait(self) -> None:
        """Not more requests a minute than the app bears."""
        left = self._last + 60 / self.per_minute - self.clock()
        if left > 0:
            self.sleep(left)
        self._last = self.clock()

    def _once(self, url: str, accept: str) -> bytes:
        target = target_of(url)
        place = target.place
        connection = PinnedConnection(place.host, place.port, target.address, secure=place.is_secure, timeout=TIMEOUT)
        headers = {"Accept": accept, "User-Agent": "Anze connector"}
        if place.host == place_of(self.base).host:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request("GET", place.path, headers=headers)
            answer = connection.getresponse()
            body = answer.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as problem:
            raise _Again(f"{place.host}: {type(problem).__name__} {problem}".strip()) from None
        finally:
            connection.close()
        if answer.status == 429 or answer.status >= 500:
            after = answer.getheader("Retry-After", "")
            raise _Again(f"{place.host}: HTTP {answer.status}", float(after) if after.isdecimal() else None)
        if answer.status != 200:
            raise FetchProblem(PullFailure.REFUSED, f"{place.host}: HTTP {answer.status}")
        if len(body) > MOST_BYTES:
            raise FetchProblem(PullFailure.TOO_LARGE, f"{place.host}: > {MOST_BYTES >> 20} MB")
        length = answer.getheader("Content-Length")
        if length is not None and length.isdecimal() and int(length) > len(body):
            raise _Again(f"{place.host}: {len(body)} / {length} B")
        return body
