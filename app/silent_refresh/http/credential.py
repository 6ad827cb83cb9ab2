"""How a credential travels: the one place in Python that knows (bridge.js is told the field and its prefix).

    request.with_credential(BEARER.credential(access_token))

A request carries its credential apart from its header fields, and whoever sends it last writes it out
(``Request.sent_headers``): so nobody has to parse a token out of a field again.

RFC 6750 §2.1, RFC 9110 §11.4; RFC 9449 §7.1 for tokens that are bound to a key.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
# What a browser lets no page set, and drops in silence. https://fetch.spec.whatwg.org/#forbidden-request-header
_THE_BROWSERS = re.compile(
    r"(proxy|sec)-.*|cookie2?|host|origin|referer|via|te|trailer|upgrade|connection|keep-alive|date|dnt|expect"
    r"|content-length|transfer-encoding|accept-(charset|encoding)|set-cookie",
    re.IGNORECASE,
)


IN_COOKIES = "in-cookies~"  # what the name begins with that stands for a token which no script can read

NOT_YET = "not-yet~"  # the same for one that is still to be asked for

NO_KEY = "none"  # names the key that a session should have and hasn't: with it nothing is sent


class Secret:
    """A text with a token in it, which shows nothing where error reporters write down local variables.

    Whoever sends it asks for it at last, and keeps it in no variable.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "<Secret>"


class Credential(NamedTuple):
    """A token, the header field that it travels in, and what stands before it there.

    ``key`` names the key pair that proves a right to it (RFC 9449 §4): whoever sends the request last makes
    the proof, or sends nothing. A call for tokens may have a key and no token yet.
    """

    header: str
    prefix: str
    token: str
    key: str | None = None

    @property
    def is_sent(self) -> bool:
        """Whether it is a field at all: where the tokens are in cookies the browser sends them."""
        return bool(self.token) and not self.token.startswith((IN_COOKIES, NOT_YET))

    @property
    def value(self) -> str:
        """The field's value."""
        return self.prefix + self.token

    def __repr__(self) -> str:
        return f"<Credential in {self.header}>"


NOTHING = Credential("", "", "")  # no token at all, for a call that is to have a proof


class AuthScheme(NamedTuple):
    """How a server wants tokens to travel: in which header field, and behind which word (RFC 9110 §11.1)."""

    header: str
    prefix: str

    def credential(self, token: str, key: str | None = None) -> Credential:
        """Return the credential that a token makes, with the session's ``key`` where tokens are bound."""
        return Credential(self.header, self.prefix, token, self.key(key))

    def key(self, key: str | None) -> str | None:
        """Return the key to prove with; by a scheme that wants none there's none."""
        return (key or NO_KEY) if self.prefix == DPOP.prefix else None


BEARER = AuthScheme("Authorization", "Bearer ")
DPOP = AuthScheme("Authorization", "DPoP ")  # RFC 9449 §7.1
PROOF = "DPoP"  # the header field of a proof (RFC 9449 §4.1)
PROOF_NONCE = "DPoP-Nonce"  # what the next one is to hold (§8)


def scheme_named(header: str | None, scheme: str | None, *, dpop: bool = False) -> AuthScheme:
    """Return how tokens travel: by default as RFC 6750 §2.1 says, in another field behind no word.

    Raises ``ValueError`` for what is no field, or no word.
    """
    if dpop:
        if header is not None or scheme is not None:
            raise ValueError("with dpop, tokens travel as RFC 9449 §7.1 says: leave header and scheme out")
        return DPOP
    if header is not None and not _NAME.fullmatch(header):
        raise ValueError(f"header must be the name of a header field, not {header!r}")
    if header is not None and _THE_BROWSERS.fullmatch(header):
        raise ValueError(f"header can't be {header!r}: a browser lets no page set that field")
    if scheme and not _NAME.fullmatch(scheme):
        raise ValueError(f"scheme must be one word, or empty, not {scheme!r}")
    if scheme is not None and scheme.lower() == DPOP.prefix.strip().lower():
        raise ValueError("tokens of that scheme go with proofs: pass dpop=True in place of scheme")
    if scheme is None:
        usual = header is None or header.lower() == BEARER.header.lower()
        prefix = BEARER.prefix if usual else ""
    else:
        prefix = f"{scheme} " if scheme else ""
    return AuthScheme(header or BEARER.header, prefix)


def proven_by(credential: Credential | None) -> tuple[str | None, str | None]:
    """Return the key that proves a right to a request, and the access token that the proof is to name."""
    if credential is None or credential.key is None:
        return None, None
    return credential.key, credential.token if credential.prefix == DPOP.prefix else None


def cookies_with(credential: Credential | None) -> str:
    """Return fetch's ``credentials`` for a request that doesn't name them.

    One that is signed needs no cookies, and without them the browser asks nobody for a password when a 401
    offers Basic, too. https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
    """
    if credential is None or not credential.token:
        return "same-origin"
    return "include" if credential.token.startswith(IN_COOKIES) else "omit"
