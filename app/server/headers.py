"""Security headers, on every answer whatever made it.

PyScript runs under this policy without ``unsafe-eval``: WebAssembly needs ``wasm-unsafe-eval`` only
(https://www.w3.org/TR/CSP3/#directive-script-src). Nothing in the page turns text into markup or code, so no
Trusted Types policy may be made, but for the one that passes the address of the demo's worker. What the page
loads is held to hashes too: tools/integrity.py writes them into index.html, and here the hash of that page's
one inline script, its import map.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
IMPORT_MAP_HASH = "sha256-0ggDwIsEtJNZbMqh42v5m4BapMKo4a6/XRVKLXvvxdY="
PAGE_POLICY = CONTENT_SECURITY_POLICY.replace("'wasm-unsafe-eval'", f"'wasm-unsafe-eval' '{IMPORT_MAP_HASH}'")
# The demo has a worker, whose address its one policy passes, and no other: static/ways.js.
PAGE_POLICY = PAGE_POLICY.replace("trusted-types 'none'", "worker-src 'self'; trusted-types ways-worker")
# The test pages try to send tokens to another origin; what stops them must be the library, not the policy.
LAB_PAGES = "/tests/e2e/page/"
LAB_PAGES_POLICY = CONTENT_SECURITY_POLICY.replace(
    "connect-src 'self'", "connect-src 'self' http://127.0.0.1:* http://localhost:* ws://127.0.0.1:*"
)

OTHER_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class SecurityHeaders:
    """Outermost layer of the app: outside Starlette, because its answer to a crash passes no middleware."""

    def __init__(self, app: ASGIApp, *, lab: bool) -> None:
        self._app = app
        self._lab = lab

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lab_page = self._lab and scope.get("path", "").startswith(LAB_PAGES)
        policy = LAB_PAGES_POLICY if lab_page else PAGE_POLICY
        headers = [(b"content-security-policy", policy.encode()), *OTHER_HEADERS]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *headers]}
            await send(message)

        await self._app(scope, receive, send_with_headers)
