"""This browser: the one place where Python meets JavaScript.

| transport.py   | fetch                                                       |
| futures.py     | how tasks go on when JavaScript, or another task, is done    |
| sync.py        | for callers that can't await                                |
| storage.py     | localStorage, sessionStorage                                |
| coordinator.py | Web Lock, commit marker in IndexedDB, BroadcastChannel      |
| page.py        | where the page is and goes; what a tab remembers elsewhere  |
| prover.py      | keys, for tokens that are bound to one; loaded then         |
| bridge.py      | finds bridge.js, the JavaScript side of all these           |

Plain values cross into the rest of the library, never a JsProxy.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

import js

from ..platform.platform import Platform
from .bridge import HAS_PAGE, IN_WORKER, load_bridge
from .coordinator import TabCoordinator
from .futures import QueueFutures
from .page import Page, TabMemory, is_http1
from .storage import open_storage
from .sync import SyncCalls
from .transport import Fetch, joined, settled

if TYPE_CHECKING:
    from ..platform.ports import Prover


@functools.cache
def platform() -> Platform:
    """Return this browser, the same for everybody in the page. Raises ``RuntimeError`` for no browser."""
    if not (IN_WORKER or hasattr(js, "document")):  # Deno has a location too, of no page
        raise RuntimeError(
            "silent_refresh needs a browser's page or worker, and this Pyodide runs in neither (in Node, "
            "Deno or Bun, say): use silent_refresh.testing there, or hand in platform=Platform(…)"
        )
    bridge = load_bridge()
    if IN_WORKER and not HAS_PAGE and js.location.protocol in ("http:", "https:"):
        bridge.setBase(js.location.href)  # fetch's own; of a blob: URL it is the origin
    return Platform(
        transport=Fetch(bridge).__call__,  # a method is called in fewer steps than an object
        navigation=Page(bridge),
        clock=time,
        default_store=lambda: open_storage("localStorage"),
        coordinator=lambda key, owner: TabCoordinator(bridge, key, owner),
        future=QueueFutures(bridge).future,
        blocking=SyncCalls(),
        redirect_memory=None if IN_WORKER else TabMemory(),
        is_worker=HAS_PAGE,
        open_storage=open_storage,
        is_http1=is_http1,
        settled=settled,
        joined=joined,
        prover=_prover if js.isSecureContext else None,  # WebCrypto needs one
    )


@functools.cache
def _prover() -> Prover:
    from .prover import PageProver  # not every page needs it

    return PageProver(load_bridge())
