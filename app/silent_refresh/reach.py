"""Where tokens may go: the origins, the endpoints that get none, and whose refusal counts.

URLs are compared after the browser parsed them, never as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .messages import Request, Response
from .ports import Navigation


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
        self._exempt = {self._parse(url).resource for url in exempt if isinstance(url, str)}
        self._origins_are_fixed = origins is not None
        self._origins = {self._parse(url).origin for url in origins or [navigation.here()]} - {"null"}
        self._is_refused = is_refused

    def may_carry_token(self, request: Request) -> bool:
        """Tell whether the token goes with this request. Raises ``ValueError`` where it can't."""
        if request.options is not None and request.options.get("mode") == "no-cors":
            raise ValueError(
                f'{request!r} has mode "no-cors": the browser would drop its Authorization header and hide '
                'its answer. Use mode "cors" and let the server allow this origin.'
            )
        place = self._parse(request.url)
        return (
            place.origin in self._origins
            and "authorization" not in request.headers  # the caller's own
            and place.resource not in self._exempt
        )

    def refuses(self, response: Response) -> bool:
        """Tell whether this answer refuses the token, and comes from where that may go."""
        if not self._is_refused(response):
            return False
        return not response.redirected or self._parse(response.url).origin in self._origins
