"""Where tokens may go: the origins, the endpoints that get none, and whose refusal counts.

URLs are compared after the browser parsed them, never as text.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from ..http.challenges import raise_step_up, refuses_token
from ..http.messages import Headers, Request, Response

if TYPE_CHECKING:
    from ..platform.ports import Navigation

Rule: TypeAlias = "Callable[[Response], bool | Awaitable[bool] | None]"
MOST_KNOWN = 500  # URLs
WHOLE = ("https://", "http://")  # URLs that begin like this are the same whatever the page's base is


class Origins:
    """Where the token of one session may go: to the origins ``allowed``, less the endpoints in ``exempt``.

    An endpoint that is given with a query is the one with that query, else the resource with any.
    ``header`` is the field that the token travels in: a request that has it already is the caller's own
    matter. ``is_refused`` tells whether a response refuses the token, wherever it comes from; it may be
    async, and read the body.
    """

    def __init__(self, navigation: Navigation, header: str, is_refused: Rule = refuses_token) -> None:
        self._parse = navigation.parse
        self._header = header
        self.is_refused = is_refused
        self.allow((), ())

    def allow(self, origins: Iterable[str], exempt: Iterable[str]) -> None:
        """Let tokens go to these origins from now on, and to no others, except to these resources."""
        self.allowed = frozenset(origins)
        self.exempt = frozenset(exempt)
        # Pages ask for the same URLs again: where the token may go, and where it mayn't.
        self.ours: set[str] = set()
        self._others: set[str] = set()
        self.unsigned: Headers | None = None  # the last fields in which the caller set no token of its own

    def allow_also(self, url: str) -> None:
        """Let tokens go to the origin of ``url`` as well. Raises ``ValueError``."""
        self.allow({*self.allowed, self._parse(url).origin}, self.exempt)

    def may_carry_token(self, request: Request) -> bool:
        """Tell whether the token goes with this request. Raises ``ValueError`` where it can't."""
        if request.options is not None and request.options.get("mode") == "no-cors":
            raise ValueError(
                f'{request!r} has mode "no-cors": the browser would drop its {self._header} header and hide '
                'its answer. Use mode "cors" and let the server allow this origin.'
            )
        target = request.target  # as in sent_url(), which would cost a call for each request
        url = target[1] if target is not None and target[0] is request.url else request.url
        if url not in self.ours and (url in self._others or not self._look_up(url)):
            return False
        if request.credential is not None:
            return False
        return request.headers is self.unsigned or not self._has_own_token(request.headers)

    def resolved(self, request: Request) -> Request:
        """Return the request with its whole URL: what is judged is what is sent. Raises ``ValueError``."""
        return request.with_target(self._parse(request.url).url)

    def _has_own_token(self, headers: Headers) -> bool:
        """Tell whether the caller set the field; a client's requests mostly send the same fields."""
        if self._header in headers:
            return True
        self.unsigned = headers
        return False

    def _look_up(self, url: str) -> bool:
        place = self._parse(url)
        is_ours = place.origin in self.allowed and not {place.resource, place.endpoint} & self.exempt
        if url.startswith(WHOLE):
            known = self.ours if is_ours else self._others
            if len(known) >= MOST_KNOWN:
                known.clear()
            known.add(url)
        return is_ours

    def may_refuse(self, status: int) -> bool:
        """Tell whether an answer of this status is to be looked at: by a rule of the page's, any is."""
        return status == 401 or self.is_refused is not refuses_token

    async def refuses(self, response: Response) -> bool:
        """Tell whether this answer refuses the token, and comes from where that may go.

        Raises ``StepUpRequired`` when it is the sign-in that isn't enough: a new token would be no better.
        """
        if not self._may_judge(response):
            return False
        verdict = self.is_refused(response)
        if inspect.isawaitable(verdict):
            verdict = await verdict
        if verdict is not None and not isinstance(verdict, bool):
            raise TypeError(f"is_refused must return True or False, not {type(verdict).__name__}")
        if verdict:
            return True
        raise_step_up(response)
        return False

    def _may_judge(self, response: Response) -> bool:
        return not response.redirected or self._parse(response.url).origin in self.allowed
