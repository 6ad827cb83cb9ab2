"""The demo's auth server: sign-in, rotating refresh tokens, a protected API and the page. CPython only."""
