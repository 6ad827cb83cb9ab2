"""Where tokens may go: the origins, the endpoints that get none, and whose refusal counts.

URLs are compared after the browser parsed them, never as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .messages import Headers, Request, Response
from .ports import Navigation

MOST_KNOWN = 500  # URLs


class Reach:
    """The part of ``SilentRefresh`` that decides it.

    ``exempt`` are URLs to which requests go as they are: the way in. ``origins`` are all there are, or
    ``None`` for the page's own and those that ``trust`` adds.
    """

    def __init__(
        self,
        navigation: Navigation,
        exempt: Iterable[object],
        origins: Iterable[str] | None,
        is_refused: Callable[[Response], bool],
    ) -> None:
        self._parse = navigation.parse
        self._is_refused = is_refused
        self._origins_are_fixed = origins is not None
        self._allow(
            {self._parse(url).origin for url in origins or [navigation.here()]} - {"null"},
            {self._parse(url).resource for url in exempt if isinstance(url, str)},
        )

    def _allow(self, origins: Iterable[str], exempt: Iterable[str]) -> None:
        """Let tokens go to these origins from now on, except to these resources."""
        self._origins = set(origins)
        self._exempt = set(exempt)
        self._ours: dict[str, bool] = {}  # URL → whether the token may go there: pages ask for the same again
        self._unsigned: Headers | None = None  # the last fields in which the caller set no token of its own

    def may_carry_token(self, request: Request) -> bool:
        """Tell whether the token goes with this request. Raises ``ValueError`` where it can't."""
        if request.options is not None and request.options.get("mode") == "no-cors":
            raise ValueError(
                f'{request!r} has mode "no-cors": the browser would drop its Authorization header and hide '
                'its answer. Use mode "cors" and let the server allow this origin.'
            )
        is_ours = self._ours.get(request.url)
        if is_ours is None:
            is_ours = self._look_up(request.url)
        return is_ours and (request.headers is self._unsigned or not self._has_own_token(request.headers))

    def _has_own_token(self, headers: Headers) -> bool:
        """Tell whether the caller set the header itself; a client's requests mostly send the same fields."""
        if "authorization" in headers:
            return True
        self._unsigned = headers
        return False

    def _look_up(self, url: str) -> bool:
        place = self._parse(url)
        is_ours = place.origin in self._origins and place.resource not in self._exempt
        if place.is_fixed:
            if len(self._ours) >= MOST_KNOWN:
                self._ours.clear()
            self._ours[url] = is_ours
        return is_ours

    def refuses(self, response: Response) -> bool:
        """Tell whether this answer refuses the token, and comes from where that may go."""
        return self._is_refused(response) and self.may_judge(response)

    def may_judge(self, response: Response) -> bool:
        """Tell whether this answer comes from where the token may go."""
        return not response.redirected or self._parse(response.url).origin in self._origins
