"""Ways in for code that doesn't use ``Client``; one file each, all through the one engine.

| window_fetch.py | the page's ``fetch``: JavaScript, ``pyscript.fetch``, ``pyodide.http.pyfetch`` |
| requests.py     | ``requests``, with and without pyodide-http                                     |
| workers.py      | PyScript's workers                                                              |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..auth import SilentRefresh


def install(auth: SilentRefresh) -> Callable[[], None]:
    """Let everything that uses the page's ``fetch`` send tokens and have them renewed; return what undoes it.

    A call whose token is good costs no trip into Python. When a token can't be renewed, the caller gets the
    401 that the server sent. Raises ``RuntimeError`` when that was done already and not undone.
    """
    from .window_fetch import install

    return install(auth)


def RequestsAuth(auth: SilentRefresh) -> Any:
    """Return what ``requests`` takes as ``auth=``: it sends tokens and has them renewed.

    Every error of ``auth`` reaches the caller of ``requests.get(…)``. Where Python can't be suspended (a
    browser without JSPI, a synchronous event handler), the token is renewed by a call that blocks the page,
    without the lock among tabs: when another one renews in that moment, the server's grace period has to do.
    """
    from .requests import RequestsAuth

    return RequestsAuth(auth)


def serve_workers(auth: SilentRefresh, *workers: Any) -> Callable[[], None]:
    """Let the page's workers use its session; return what undoes it.

    That is every ``<script type="py" worker>``, present or to come, and ``workers``, those that the page made
    with ``PyWorker(…)``. In the worker, ``SilentRefresh()`` then stands for ``auth``.
    """
    from .workers import serve_workers

    return serve_workers(auth, *workers)
