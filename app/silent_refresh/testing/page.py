"""A page in memory: an address line, storage, and the platform that the library finds in a browser else."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ..platform.current import stand_in
from ..platform.platform import Platform
from ..platform.values import Place
from ..session.memory import Alone, MemoryStorage

if TYPE_CHECKING:
    from ..platform.ports import Clock, SessionStore, Stop, Transport


class FakePage:
    """One page of an origin: within ``with``, ``SilentRefresh()`` and ``LocalStorage()`` are this page's.

    ``gone_to`` lists where it was sent: ``["/login?next=%2F&reason=rejected"]``. ``platform`` is for
    ``SilentRefresh(platform=…)``, where two pages are needed at once.
    """

    document = "1"

    def __init__(self, origin: str, path: str, transport: Transport, clock: Clock) -> None:
        self.url = origin + path
        self.gone_to: list[str] = []
        self._origin = origin
        self._stores: dict[tuple[str, str], SessionStore] = {}
        self._remembered: dict[str, str] = {}
        self.platform = Platform(
            transport,
            self,
            clock,
            lambda: self._open("localStorage", MemoryStorage().key),
            lambda key, owner: Alone(),
            redirect_memory=self,
            open_storage=self._open,
        )

    def __enter__(self) -> FakePage:
        """Let the library find this page in place of a browser."""
        self._before = stand_in(self.platform)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it find what it found before."""
        stand_in(self._before)

    def _open(self, area: str, key: str) -> SessionStore:
        return self._stores.setdefault((area, key), MemoryStorage(key))

    # Navigation

    def here(self) -> str:
        """Return the URL in the address line."""
        return self.url

    def parse(self, url: str) -> Place:
        """Parse a URL. Raises ``ValueError`` for one that isn't http or https."""
        parts = urlsplit(urljoin(self.url, url))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no URL of a page")
        rest = ("?" + parts.query) * bool(parts.query) + ("#" + parts.fragment) * bool(parts.fragment)
        return Place(f"{parts.scheme}://{parts.netloc}", (parts.path or "/") + rest)

    def go(self, url: str) -> None:
        """Note where the page was sent; what follows is the test's."""
        self.gone_to.append(url.removeprefix(self._origin))

    def came_from(self) -> str | None:
        """Return ``""``: it isn't known."""
        return ""

    def when_stayed(self, stayed: Callable[[bool], None]) -> Stop:
        """Do nothing: nobody uses this page after it was left."""
        return lambda: None

    # What the tab remembers while it is at another site

    def remember(self, key: str, text: str) -> None:
        """Keep it."""
        self._remembered[key] = text

    def recall(self, key: str) -> str | None:
        """Return it."""
        return self._remembered.get(key)

    def forget(self, key: str) -> None:
        """Forget it."""
        self._remembered.pop(key, None)

    def show(self, url: str) -> None:
        """Change the address line."""
        self.url = url
