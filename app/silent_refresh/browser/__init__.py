"""This browser: the one place where Python meets JavaScript.

| transport.py  | fetch                                             |
| waiting.py    | how those who wait for a renewal go on            |
| blocking.py   | for callers that can't await                      |
| storage.py    | localStorage, sessionStorage                      |
| tabs.py       | Web Lock, IndexedDB fence, BroadcastChannel       |
| navigation.py | where the page is and where it goes               |
| round_trip.py | what a tab remembers while it is at another site  |
| bridge.py     | finds bridge.js, the JavaScript side of all these |
| worker.py     | in a worker, what stands for the page's session   |
| errand.py     | its memory, and its requests under way            |
| port.py       | what page and worker say to each other            |

Plain values cross into the rest of the library, never a JsProxy.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from ..ports import Platform
from .blocking import Blocking
from .bridge import IN_WORKER, load_bridge
from .navigation import Page
from .round_trip import TabTrip
from .storage import open_storage
from .tabs import Tabs
from .transport import Fetch
from .waiting import Waiting

if TYPE_CHECKING:
    from ..auth import SilentRefresh


@functools.cache
def platform() -> Platform:
    """Return this browser, the same for everybody in the page."""
    bridge = load_bridge()
    return Platform(
        transport=Fetch(bridge),
        navigation=Page(bridge),
        clock=time,
        default_store=lambda: open_storage("localStorage"),
        coordinator=lambda key: Tabs(bridge, key),
        future=Waiting(bridge).future,
        blocking=Blocking(),
        stand_in=_stand_in() if IN_WORKER else None,
        round_trip=None if IN_WORKER else TabTrip(),
    )


def _stand_in() -> type[SilentRefresh]:
    from .worker import PageAuth  # which needs all of the engine, and this folder

    return PageAuth
