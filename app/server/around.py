"""What may stand around an endpoint: nothing, or the lab with a fault.

async def late(run: Run) -> Response:       # an `Around`
    await sleep(1)
    return await run()
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import Response

Run = Callable[[], Awaitable[Response]]
Around = Callable[[Run], Awaitable[Response]]


async def at_once(run: Run) -> Response:
    """Run the endpoint without more ado."""
    return await run()
