"""``Platform``: one world, whole; and what its URLs are read with.

``current.py`` finds the browser's, a test hands in its own.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..http.messages import without_query
from .values import Place, is_plain_http

if TYPE_CHECKING:
    from collections.abc import Callable

    from .ports import (
        Blocking,
        Clock,
        Coordinator,
        Navigation,
        OneTasks,
        Prover,
        RedirectMemory,
        SessionStore,
        Transport,
    )

# What names its host itself.
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:|//")


def place_named(url: str, navigation: Navigation) -> Place:
    """Parse a URL that the page's code named: a relative one is of this page's origin, or of none.

    Raises ``ValueError``, also where a ``<base>`` leads elsewhere: whoever can write markup can put one in.
    """
    place = navigation.parse(url)
    own = navigation.parse(
        navigation.here()
    ).origin  # "null" for an iframe's srcdoc: nobody knows better there
    if not ABSOLUTE.match(url) and own not in (place.origin, "null"):
        raise ValueError(
            f"{without_query(url)!r} leads to {place.origin} by this page's <base>: pass a whole URL"
        )
    return place


def own_path(wanted: str, navigation: Navigation) -> str:
    """Return the path of ``wanted`` when it is one of this origin, else ``"/"``."""
    try:
        place = navigation.parse(wanted)
    except ValueError:
        return "/"
    same_origin = place.origin == navigation.parse(navigation.here()).origin and place.origin != "null"
    # The path of http://this.example//evil.example is a URL of another origin, a blob's is a whole URL.
    is_path = place.path.startswith("/") and not place.path.startswith("//")
    return place.path if same_origin and is_path else "/"


def same(body: Any) -> Any:
    """Return it as it is."""
    return body


def future_of_the_loop() -> OneTasks[Any]:
    """Return a future of the running event loop."""
    return asyncio.get_running_loop().create_future()


def joined(pieces: list[Any]) -> Any:
    """Return one body of several pieces. Raises ``TypeError`` for what isn't bytes."""
    return b"".join(pieces)


class Platform(NamedTuple):
    """One world, whole.

    ``coordinator(key, owner)`` makes that of the tabs that share the store's ``key``, for the sessions of one
    ``owner``. ``future`` makes what a task waits on for another one. ``blocking`` is for callers that can't
    ``await``; ``redirect_memory`` is ``None`` where there's no page that could be left; ``is_worker`` tells
    whether a page's session is elsewhere, to be used from afar; ``open_storage(area, key)`` opens
    localStorage, say; ``is_http1(origin)`` tells whether an origin is known to be spoken to by HTTP/1.1;
    ``settled(body)`` returns what is sent of a body that others may change; ``joined(pieces)`` returns a body
    of bytes and objects of the browser's; ``prover`` returns what signs for tokens that are bound to a key,
    and is ``None`` where nothing can.
    """

    transport: Transport
    navigation: Navigation
    clock: Clock
    default_store: Callable[[], SessionStore]
    coordinator: Callable[[str, str], Coordinator]
    future: Callable[[], OneTasks[Any]] = future_of_the_loop
    blocking: Blocking | None = None
    redirect_memory: RedirectMemory | None = None
    is_worker: bool = False
    open_storage: Callable[[str, str], SessionStore] | None = None
    is_http1: Callable[[str], bool] = is_plain_http
    settled: Callable[[Any], Any] = same
    prover: Callable[[], Prover] | None = None
    joined: Callable[[list[Any]], Any] = joined
