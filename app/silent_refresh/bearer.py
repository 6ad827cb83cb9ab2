"""Puts the access token on a request, as RFC 6750 §2.1 says."""

from __future__ import annotations

from .messages import NO_HEADERS, Headers, Request


class Bearer:
    """Signs requests; those with the fields and the token of the last one share its signed fields.

    A client's requests mostly do, and a transport may know them again, too.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Keep no token."""
        self._fields: Headers | None = None
        self._access_token = ""
        self._signed = NO_HEADERS

    def sign(self, request: Request, access_token: str) -> Request:
        """Return a copy that sends the token."""
        if request.headers is self._fields and access_token is self._access_token:
            return request.with_headers(self._signed)
        signed = request.with_bearer(access_token)
        self._fields, self._access_token, self._signed = request.headers, access_token, signed.headers
        return signed
