"""Tells the server that a session is over (RFC 7009)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..errors import NetworkError

if TYPE_CHECKING:
    from ..platform.platform import Platform
    from ..session.tokens import Session
    from .endpoint import RefreshEndpoint

log = logging.getLogger("silent_refresh")


async def revoke(endpoint: RefreshEndpoint, session: Session, platform: Platform) -> None:
    """Tell the server that the refresh token is to die (RFC 7009); best effort, whatever it answers."""
    tokens = session.tokens
    if callable(endpoint.revoke):
        try:
            await endpoint.revoke(tokens)
        except Exception:
            log.exception("silent-refresh: the revocation failed; here the tokens are gone all the same")
        return
    if tokens.refresh_token is None and endpoint.needs_refresh_token and not endpoint.revoke_signed:
        return
    try:
        request = endpoint.revocation(tokens, session.key)
        if request is not None:
            (await platform.transport(request)).discard()
    except NetworkError:
        return  # offline: here the tokens are gone all the same
