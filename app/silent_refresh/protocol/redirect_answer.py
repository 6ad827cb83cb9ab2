"""What a provider puts into the page's address, taken apart before any of it is believed.

    https://app.example/callback?code=…&state=…&iss=https%3A%2F%2Fid.example.com

RFC 6749 §4.1.2 and §3.1 (no parameter twice), RFC 9207 (iss).
"""

from __future__ import annotations

from collections.abc import Iterable

# What an answer brings into the address; session_state is OpenID Connect's.
ANSWER = frozenset({"code", "state", "iss", "error", "error_description", "error_uri", "session_state"})
# What it has in the fragment, in the modes of OAuth and OpenID Connect that aren't asked for here.
IN_FRAGMENT = frozenset({"access_token", "id_token"})


class RedirectAnswer:
    """An answer. ``address`` is where it arrived, ``rest`` the page's URL without it.

    ``fault`` says what is wrong with its shape, ``None`` for nothing.
    """

    def __init__(self, fields: dict[str, str], address: str, rest: str, fault: str | None) -> None:
        self._fields = fields
        self.address = address
        self.rest = rest
        self.fault = fault

    def get(self, name: str) -> str | None:
        """Return one of its parameters, ``None`` when it isn't there."""
        return self._fields.get(name)

    def __repr__(self) -> str:
        return f"<RedirectAnswer at {self.address}>"


def answer_at(url: str) -> RedirectAnswer | None:
    """Take the answer out of a URL; ``None`` when there's none."""
    from urllib.parse import parse_qsl, unquote_plus  # costly to load in a browser

    start, _, fragment = url.partition("#")
    address, _, query = start.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    # A hash router's fragment is a path.
    of_fragment = [] if fragment[:1] in ("/", "!") else parse_qsl(fragment, keep_blank_values=True)
    fault = _doubled(name for name, _ in pairs if name in ANSWER)
    if _is_answer(name for name, _ in of_fragment):
        fault, pairs, fragment = "it is in the fragment", of_fragment, ""
    elif not _is_answer(name for name, _ in pairs):
        return None
    others = [pair for pair in query.split("&") if unquote_plus(pair.partition("=")[0]) not in ANSWER]
    rest = address + "".join(
        mark + part for mark, part in (("?", "&".join(filter(None, others))), ("#", fragment)) if part
    )
    return RedirectAnswer(dict(pairs), address, rest, fault)


def _is_answer(names: Iterable[str]) -> bool:
    found = set(names)
    return "state" in found and bool(found & {"code", "error", *IN_FRAGMENT})


def _doubled(names: Iterable[str]) -> str | None:
    found: set[str] = set()
    for name in names:
        if name in found:
            return f"it has {name} twice"
        found.add(name)
    return None
