"""A brake on guessing passwords: failed sign-ins are counted by account and by address, in memory.

Who reaches a limit waits, even with the right password, until the oldest failure that counts is a minute old;
otherwise the answer to a guess would still be told. A sign-in that succeeds clears its account.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW = 60.0  # seconds
ACCOUNT_LIMIT = 10  # failures within the window
ADDRESS_LIMIT = 30
MAX_KEYS = 10_000  # of each kind; beyond that, the one whose last failure is longest ago is forgotten


class LoginThrottle:
    """Keep the failures of the last minute. `clock` in seconds, steady: only differences count."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._accounts = Failures(ACCOUNT_LIMIT, clock)
        self._addresses = Failures(ADDRESS_LIMIT, clock)

    def wait(self, username: str, address: str) -> float:
        """Return the seconds until this account may be tried from this address; 0 when it may be now."""
        return max(self._accounts.wait(_account(username)), self._addresses.wait(_network(address)))

    def failed(self, username: str, address: str) -> None:
        """Count a wrong password, or a user name that doesn't exist."""
        self._accounts.add(_account(username))
        self._addresses.add(_network(address))

    def succeeded(self, username: str) -> None:
        """Clear the account. The address stays: it may own one account and guess at the others."""
        self._accounts.forget(_account(username))

    def clear(self) -> None:
        """Forget all failures."""
        self._accounts.clear()
        self._addresses.clear()


class Failures:
    """The times of the last failures of each key, `limit` at most."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._times)

    def wait(self, key: str) -> float:
        """Return the seconds until `key` is below its limit; 0 when it is."""
        times = self._times.get(key)
        if times is None or len(times) < self._limit:
            return 0.0
        return max(0.0, times[0] + WINDOW - self._clock())

    def add(self, key: str) -> None:
        """Note a failure now."""
        self._times.setdefault(key, deque(maxlen=self._limit)).append(self._clock())
        self._times.move_to_end(key)
        if len(self._times) > MAX_KEYS:
            self._times.popitem(last=False)

    def forget(self, key: str) -> None:
        """Forget the failures of `key`."""
        self._times.pop(key, None)

    def clear(self) -> None:
        """Forget all failures."""
        self._times.clear()


def _account(username: str) -> str:
    # Hashed because a name may be as long as a body may be, and anybody can send ten thousand of them.
    return hashlib.sha256(username.encode()).hexdigest()


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4 or parsed.ipv4_mapped:
        return address
    # Whoever has one IPv6 address has the 2⁶⁴ around it.
    return parsed.packed[:8].hex()
