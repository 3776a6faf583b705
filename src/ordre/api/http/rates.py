"""Rate limits: one token bucket for each key, in each process, in bounded memory."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from http import HTTPStatus
from ipaddress import IPv4Address, ip_address
from math import ceil

from ordre.api.http.errors import Failure

REMEMBERED = 10_000
"""Keys whose buckets are kept. The one that was quiet longest is forgotten, which fills its bucket."""

OF_ADDRESS = 10
"""So many times as many wrong secrets as for one client an address may send for all that it names."""
_NAMED = 64
"""So many characters of a client's id are told apart."""


class _Buckets:
    """The buckets: each key may hold up to ``most``, and gets ``per_second`` back."""

    def __init__(self, per_second: float, most: float) -> None:
        self._per_second, self._most = per_second, most
        self.kept: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def left(self, key: Hashable, now: float) -> float:
        """Return the contents of a key's bucket at an instant."""
        found = self.kept.get(key)
        if found is None:
            return self._most
        left, at = found
        return min(self._most, left + (now - at) * self._per_second)

    def keep(self, key: Hashable, left: float, now: float) -> None:
        """Store the contents of a key's bucket; where there are too many keys, forget the one that was idle longest."""
        self.kept[key] = (left, now)
        self.kept.move_to_end(key)
        while len(self.kept) > REMEMBERED:
            self.kept.popitem(last=False)


class Rate:
    """``per_second`` requests of each key in the long run, as many as come in ``burst_seconds`` at once; 0 takes any number."""

    def __init__(self, per_second: float, burst_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._now = per_second, now
        self._buckets = _Buckets(per_second, max(per_second * burst_seconds, 1.0))

    def take(self, key: Hashable) -> None:
        """Take one request of the key.

        Raises:
            Failure: There were too many; it says in how many seconds there is room for one.
        """
        if self._per_second == 0:
            return
        now = self._now()
        left = self._buckets.left(key, now)
        taken = left >= 1
        self._buckets.keep(key, left - 1 if taken else left, now)
        if not taken:
            seconds = max(ceil((1 - left) / self._per_second - 1e-6), 1)
            message = f"Too many requests; try again in {seconds} s"
            raise Failure(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", message, {"retry-after": str(seconds)})


class Guesses:
    """Wrong secrets, of one client from one address, and of one address whatever it names. A right one is not counted.

    Of IPv6 an address is the first 64 bits, which one customer of a network has all to himself.
    """

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._of_client = Rate(per_minute / 60, 60, now)
        self._of_address = Rate(per_minute * OF_ADDRESS / 60, 60, now)

    def count(self, address: str | None, account_id: str, client_id: str) -> None:
        """Count a wrong secret.

        Raises:
            Failure: There were too many; it says in how many seconds there is room for one.
        """
        origin = origin_of(address)
        self._of_address.take(origin)
        self._of_client.take((account_id, client_id[:_NAMED], origin))


def origin_of(address: str | None) -> str:
    """Return the key under which an address is counted."""
    try:
        ip = ip_address(address or "")
    except ValueError:
        return (address or "")[:_NAMED]
    if isinstance(ip, IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or int(ip) >> 64)


class Budget:
    """A budget for each key, charged after each request with its cost; a key with nothing left is refused until some comes back.

    ``per_second`` comes back, up to ``burst_seconds`` of it; 0 takes any number.
    """

    def __init__(self, per_second: float, burst_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._now = per_second, now
        self._most = per_second * burst_seconds
        self._policy = f'"account";q={self._most:.0f};w={burst_seconds:.0f}'
        self._buckets = _Buckets(per_second, self._most)

    def check(self, key: Hashable) -> None:
        """Refuse where nothing is left.

        Raises:
            Failure: It says in how many seconds there is something.
        """
        if self._per_second and (left := self._buckets.left(key, self._now())) <= 0:
            seconds = max(ceil(-left / self._per_second), 1)
            message = f"The account's requests cost more than its share; try again in {seconds} s"
            headers = {"retry-after": str(seconds), **self.headers(left)}
            raise Failure(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", message, headers)

    def spend(self, key: Hashable, cost: float) -> dict[str, str]:
        """Charge the cost of a request; return the headers that say how much is left."""
        if not self._per_second:
            return {}
        now = self._now()
        left = self._buckets.left(key, now) - cost
        self._buckets.keep(key, left, now)
        return self.headers(left)

    def headers(self, left: float) -> dict[str, str]:
        """Return the ``RateLimit`` headers (draft-ietf-httpapi-ratelimit-headers)."""
        full = ceil((self._most - left) / self._per_second)
        return {"ratelimit-policy": self._policy, "ratelimit": f'"account";r={int(left) if left > 0 else 0};t={full}'}


BYTES = 16 * 1024


def cost_of(sent: int, answered: int) -> float:
    """Return the cost of a request: one, and one more for each 16 KiB of its body and its answer."""
    return 1 + (sent + answered) / BYTES
