"""The address of the sign-in: whether a URL is it, and what it says to whoever signs in there.

    /login?next=%2Forders%3Fpage%3D2&reason=rejected
    /?view=login&next=%2F%3Fview%3Dorders&reason=rejected
    /#/login?next=%2F%23%2Forders&reason=rejected       # a hash router has its query in the fragment

It is resolved once: a ``<base>`` that comes into the page later doesn't move it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..platform.platform import place_named

if TYPE_CHECKING:
    from ..platform.ports import Navigation


class _Parts(NamedTuple):
    """What tells one page from another: a query as its pairs, and a fragment as a route with pairs too."""

    resource: str
    query: frozenset[str]
    route: str
    route_query: frozenset[str]


class LoginAddress:
    """The sign-in's address. Raises ``ValueError`` for a URL that is none.

    One that is a fragment alone, ``#/login``, is of whichever page is there.
    """

    def __init__(self, url: str, navigation: Navigation) -> None:
        self._navigation = navigation
        self._is_fragment = url.startswith("#")
        self.url = url if self._is_fragment else place_named(url, navigation).url
        self._parts = self._parts_of(url)
        self.has_route = "#" in url

    def _parts_of(self, url: str) -> _Parts:
        place = self._navigation.parse(url)
        fragment = place.path.partition("#")[2]
        return _Parts(
            place.resource,
            _pairs(place.endpoint.partition("?")[2]),
            fragment.partition("?")[0].rstrip("/"),
            _pairs(fragment.partition("?")[2]),
        )

    def is_at(self, url: str) -> bool:
        """Tell whether ``url`` is the sign-in's, whatever it says beyond the address."""
        own, other = self._parts, self._parts_of(url)
        if self.has_route and (own.route != other.route or not own.route_query <= other.route_query):
            return False
        return self._is_fragment or (own.resource == other.resource and own.query <= other.query)

    def saying(self, said: Mapping[str, str]) -> str:
        """Return the whole URL, with this in its query."""
        from urllib.parse import urlencode  # the page is about to be left

        url = self.url
        if self._is_fragment:
            url = self._navigation.here().partition("#")[0] + url
        tail = url.partition("#")[2] if self.has_route else url
        return url + ("&" if "?" in tail else "?") + urlencode(said)


def said_at(url: str) -> dict[str, str]:
    """Return what a URL says in its query, and in the one within its fragment."""
    from urllib.parse import parse_qsl  # costly to load in a browser, and hardly ever needed

    address, _, fragment = url.partition("#")
    return dict([*parse_qsl(address.partition("?")[2]), *parse_qsl(fragment.partition("?")[2])])


def _pairs(query: str) -> frozenset[str]:
    return frozenset(filter(None, query.split("&")))
