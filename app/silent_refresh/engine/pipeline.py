"""The way of a request: attach the token → send → refused? → renew → send once more.

    await pipeline(request, send)

Who renews and who waits is in ``renewal.py``, where the session lives in ``session/manager.py``. A request is
sent at most twice, the second time only after the first was refused: here, and nowhere else in Python.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..errors import (
    KeyGone,
    NetworkError,
    NotSignedIn,
    RefreshError,
    RefreshRejected,
    SessionChanged,
    StepUpRequired,
)
from ..events import Events, Tell, nobody
from ..http.challenges import refuses_token
from ..http.credential import AuthScheme
from ..http.messages import Request, Response, Send
from ..session.shared import Sessions
from ..session.tokens import Session
from .limiter import Limiter
from .origins import WHOLE, Origins
from .refusals import Refusals
from .renewal import Renewal

if TYPE_CHECKING:
    from ..platform.ports import Clock
    from .access import Refused

NOTHING_TO_RENEW_WITH = "the access token was refused and there's no refresh token: sign in again"


class RequestPipeline:
    """Sends the requests of one session.

    ``turned_away(response)`` is called for a request that was refused while nobody was signed in;
    ``lost(session)`` is awaited when a token was refused and there's nothing to renew it with.
    """

    def __init__(
        self,
        manager: Sessions,
        renewal: Renewal,
        origins: Origins,
        limiter: Limiter,
        events: Events,
        scheme: AuthScheme,
        clock: Clock,
        *,
        turned_away: Callable[[Response], None],
        lost: Callable[[Session], Awaitable[None]],
    ) -> None:
        self._manager = manager
        self._renewal = renewal
        self._origins = origins
        self._limiter = limiter
        self._events = events
        self._scheme = scheme
        self._clock = clock
        self._turned_away = turned_away
        self._lost = lost
        self._refusals = Refusals(clock)
        self._lost_session: str | None = None  # the id of the last that ended for want of a refresh token
        self.forget()

    def forget(self) -> None:
        """Keep no token."""
        self._signed_with: Session | None = None

    def _sign_with(self, session: Session) -> None:
        """Send the session's token from now on: its requests share one ``Credential``."""
        self._credential = self._scheme.credential(session.tokens.access_token, session.key)
        self._signed_with = session

    async def __call__(self, request: Request, send: Send, refused: Refused | None = None) -> Response:
        """Send a request with the access token, and once more with a new one if that was refused.

        One that was ``refused`` already is sent once more at the most.
        """
        target, url, origins = request.target, request.url, self._origins
        if target is not None and target[0] is url:
            url = target[1]
        elif not url.startswith(WHOLE):
            request = origins.resolved(request)
        is_like_others = (  # as may_carry_token() found them; a call for each request costs 1 µs
            url in origins.ours
            and request.headers is origins.unsigned
            and request.options is None
            and request.credential is None
        )
        if not is_like_others and not origins.may_carry_token(request):
            return await send(request) if refused is None else refused.response
        if refused is not None and await self._is_over(refused.session):
            return refused.response  # its caller's, and never sent for another session
        tell = self._events.about(request) if self._events.of_requests else nobody
        limiter = self._limiter
        if limiter.active >= limiter.most and not (self._manager.at_once or _must_leave_now(request)):
            await self._admitted(request, tell)
        before = self._manager.session
        limiter.active += 1
        try:
            if refused is not None:
                response = await self._resumed(request, send, tell, before, refused)
            else:
                session, unavailable = self._renewal.usable_session(), None
                if session is None:
                    session, before, unavailable = await self._ahead(request, tell, before)
                if tell is not nobody:
                    tell("sent", generation=session.generation if session else 0)
                if session is None:
                    response = await self._unsigned(await send(request), unavailable)
                else:
                    if session is not self._signed_with:
                        self._sign_with(session)
                    response = await send(request.with_credential(self._credential))
                    # Asked here first: a call for each answer costs 1 µs.
                    may_be_refused = response.status == 401 or origins.is_refused is not refuses_token
                    if may_be_refused and await origins.refuses(response):
                        response = await self._replayed(
                            request, send, tell, before, session, response, unavailable
                        )
        except BaseException as error:
            if isinstance(error, NetworkError):
                sent = getattr(error, "request", request)  # a worker's has none
                error.request = request  # not the copy that has the token
                if isinstance(error, KeyGone):
                    tell("failed", reason="KeyGone")
                    await self._end_without_key(before, sent, error)
            elif isinstance(error, StepUpRequired):
                error.response.request = request
            tell("failed", reason=type(error).__name__)
            raise
        finally:
            limiter.active -= 1
            if limiter.waiting:
                limiter.admit_next()
        response.request = request
        if tell is not nobody:
            tell("answered", status=response.status)
        return response

    async def _end_without_key(self, before: Session | None, sent: Request, gone: KeyGone) -> None:
        """End the session whose key is gone: no renewal could be proved either. Raises what that comes to."""
        session = self._manager.session
        if session is None and before is not None:  # another request has ended it
            await self._renewal.raise_rejection(before.id)
        if session is not None and session is not self._signed_with:
            self._sign_with(session)
        if session is None or sent.credential not in (None, self._credential):
            raise SessionChanged("the session ended before the request was sent") from gone
        await self._renewal.renew(refused=session)

    async def _is_over(self, session: str | None) -> bool:
        """Tell whether the session of this id is over; raises ``RefreshRejected`` if the server ended it."""
        current = self._manager.session
        if session is None:
            return current is not None
        if current is None:
            await self._renewal.raise_rejection(session)
        return current is None or current.id != session

    async def _admitted(self, request: Request, tell: Tell) -> None:
        """Wait until fewer are under way; for the session that there is now, and for no other."""
        session = self._manager.session
        try:
            await self._limiter.wait(request)
            if session is not None and self._manager.is_over(session):
                await self._renewal.raise_rejection(session.id)
                raise SessionChanged("the session ended before the request was sent")
        except BaseException as error:
            tell("failed", reason=type(error).__name__)
            raise

    async def _ahead(
        self, request: Request, tell: Tell, before: Session | None
    ) -> tuple[Session | None, Session | None, RefreshError | None]:
        """Return the session to send with, the one before its renewal, and what came of a renewal in vain.

        Where that failed the session is as it was: the server's word on the request counts. It may be public,
        a service worker may have the answer, the server's clock may be behind ours.
        """
        if _must_leave_now(request) or (before is not None and self._renewal.is_held_back(before)):
            return before, before, None
        asked_at = self._clock.time()
        if before is not None:
            tell("queued", generation=before.generation)
        try:
            session = await self._renewal.renew_ahead()
            if session is not None and session.issued_at < asked_at:
                before = session  # adopted, as at the page's start: how new its token is nobody here knows
            return session, before, None
        except RefreshRejected:
            raise
        except RefreshError as error:
            current = self._manager.session
            if before is not None and (current is None or current.id != before.id):
                raise
            return current, before, error

    async def _resumed(
        self, request: Request, send: Send, tell: Tell, current: Session | None, refused: Refused
    ) -> Response:
        """Go on with a request that was sent outside of the engine."""
        if current is None:
            tell("sent")
            return await self._unsigned(refused.response)
        is_current = current.tokens.access_token == refused.access_token
        session = current if is_current else current.sent_with(refused.access_token)
        tell("sent", generation=session.generation)
        if not await self._origins.refuses(refused.response):
            return refused.response  # a 401 that no new token would help
        return await self._replayed(request, send, tell, session, session, refused.response)

    async def _replayed(
        self,
        request: Request,
        send: Send,
        tell: Tell,
        before: Session | None,
        session: Session,
        refusal: Response,
        unavailable: RefreshError | None = None,
    ) -> Response:
        """Return the answer to a second try, or the refusal itself when a renewal would not help.

        Raises ``unavailable``, what the request's own renewal came to, if nobody else has renewed since.
        """
        tell("refused", generation=session.generation, status=refusal.status)
        if self._manager.session is None:  # a late one of those whose renewal was refused, or of a sign-out
            await self._renewal.raise_rejection(session.id)
        if self._manager.session is None and session.id == self._lost_session:
            raise NotSignedIn(NOTHING_TO_RENEW_WITH)  # each of those that were sent with it
        if self._manager.is_over(session) or self._refusals.knows(request, session):
            return refusal
        if before is not None and session is not before:  # renewed for this very request: it won't get better
            self._refusals.add(request, session, before=before, both=False)
            return refusal
        if not self._renewal.can_renew(session):
            self._lost_session = session.id
            await self._lost(session)
            raise NotSignedIn(NOTHING_TO_RENEW_WITH)
        refusal.discard()
        if unavailable is not None and self._manager.session is session:
            raise unavailable
        tell("queued", generation=session.generation)
        asked_at = self._clock.time()
        renewed = await self._renewal.renew(refused=session)
        tell("replayed", generation=renewed.generation)
        self._sign_with(renewed)
        replay = await send(request.with_credential(self._credential))
        if await self._origins.refuses(replay):
            if replay is not refusal:  # else it could not be sent again
                tell("refused", generation=renewed.generation, status=replay.status)
                if renewed.issued_at >= asked_at:  # else it was adopted, and is no newer than the refusal
                    self._refusals.add(request, renewed, before=session, both=True)
        else:
            self._refusals.forget()
        return replay

    async def _unsigned(self, response: Response, unavailable: RefreshError | None = None) -> Response:
        """Pass on what came of a request that nobody was signed in for, as far as could be known."""
        is_refused = self._origins.may_refuse(response.status) and await self._origins.refuses(response)
        if is_refused and self._manager.session is None:
            if unavailable is not None:
                raise unavailable
            self._turned_away(response)
        return response


def _must_leave_now(request: Request) -> bool:
    """Tell whether it outlives the page, which may be gone in the next moment: what waits is never sent."""
    return request.options is not None and bool(request.options.get("keepalive"))
