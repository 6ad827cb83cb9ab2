"""Ways in for code that doesn't use ``Client``; one file each, all through the one engine.

| fetch.py    | the page's ``fetch``: JavaScript, ``pyscript.fetch``, ``pyodide.http.pyfetch`` |
| httpx.py    | ``httpx2`` and ``httpx``, asynchronous and synchronous                          |
| requests.py | ``requests``, with and without pyodide-http                                     |

Workers have a folder of their own, ``workers/``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..auth import SilentRefresh, session_of


def install(auth: SilentRefresh) -> Callable[[], None]:
    """Let everything that uses the page's ``fetch`` send tokens and have them renewed; return what undoes it.

    A call whose token is good costs no trip into Python. When a token can't be renewed, the caller gets the
    401 that the server sent. Raises ``RuntimeError`` when that was done already and not undone.
    """
    from .fetch import install

    return install(session_of(auth))


def RequestsAuth(auth: SilentRefresh, *, may_block: bool = False) -> Any:
    """Return what ``requests`` takes as ``auth=``: it sends tokens and has them renewed.

    Every error of ``auth`` reaches the caller of ``requests.get(…)``. Where Python can't be suspended (a
    browser without JSPI, a synchronous event handler), a caller whose token is to be renewed gets
    ``RefreshUnavailable``, and a later call finds it renewed. With ``may_block`` it is renewed by a call that
    blocks the page, without the lock among tabs: when another one renews in that moment, the server's grace
    period has to do. That call follows redirects, and the refresh token with it: pass it only where the
    refresh URL can't redirect. In a worker it changes nothing: the renewal is the page's.
    """
    from .requests import RequestsAuth

    return RequestsAuth(session_of(auth), may_block=may_block)


def HttpxAuth(auth: SilentRefresh) -> Any:
    """Return what clients of ``httpx2`` and ``httpx`` take as ``auth=``: it sends tokens, has them renewed.

    An ``AsyncClient`` as well as a ``Client``. Every error of ``auth`` reaches the caller of
    ``client.get(…)``. A body is read before it is sent, so that it can be sent again. Where a ``Client``'s
    caller can't be suspended (a browser without JSPI, a synchronous event handler) and the token is to be
    renewed, it gets ``RefreshUnavailable``, and a later call finds it renewed. Raises ``ImportError`` when
    neither is there.
    """
    from .httpx import auth_for

    return auth_for(session_of(auth))


def serve_workers(auth: SilentRefresh, *workers: Any) -> Callable[[], None]:
    """Let the page's workers use its session; return what undoes it.

    That is every ``<script type="py" worker>``, present or to come, and ``workers``, those that the page made
    with ``PyWorker(…)``. In the worker, ``SilentRefresh()`` then stands for ``auth``. Raises ``RuntimeError``
    in a worker itself.
    """
    if session_of(auth).platform.is_worker:
        raise RuntimeError("a worker has no workers to serve: call serve_workers() in the page's own Python")
    from ..workers.page import serve_workers

    return serve_workers(session_of(auth), *workers)
