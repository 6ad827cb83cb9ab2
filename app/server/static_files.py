"""The page and its files: a short list of folders, and of file types, that the browser may have.

Everything else does not exist as far as this module is concerned: ``app/server``, dot files, compiled Python.
Folders whose names carry a version are cached for good; the rest is asked for again each time and answered
with 304 while it is the same.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app.server.content_coding import CODINGS, accepted_codings
from app.server.headers import LAB_PAGES
from app.server.messages import Refused, refusal

PAGES = {"/": "index.html", "/login": "index.html", "/pyscript.toml": "pyscript.toml"}
FOLDERS = ("static/", "app/silent_refresh/", "app/demo/")
LAB_FOLDERS = (LAB_PAGES.removeprefix("/"),)
IMMUTABLE = ("/static/vendor/", "/static/wheels/")
JSON_PATHS = re.compile("/(api|lab|login|refresh|logout)(/|$)")

MEDIA_TYPES = {
    ".css": "text/css",
    ".gif": "image/gif",
    ".html": "text/html",
    ".ico": "image/vnd.microsoft.icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".whl": "application/zip",
    ".woff2": "font/woff2",
    ".zip": "application/zip",
}


class StaticFiles:
    """ASGI app over the project folder `root`; with `lab` it has the test pages too."""

    def __init__(self, root: Path, *, lab: bool) -> None:
        self._root = root.resolve()
        self._folders = FOLDERS + (LAB_FOLDERS if lab else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.respond(Request(scope))(scope, receive, send)

    def respond(self, request: Request) -> Response:
        """Answer with a file, 304, 404, or 405 for anything but GET and HEAD."""
        path = request.scope["path"]
        file = self.locate(path)
        if file is None:
            if JSON_PATHS.match(path):
                return refusal(Refused(404, "not_found", "There is nothing here"))
            return PlainTextResponse("Not found\n", 404, {"Cache-Control": "no-cache"})
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Method not allowed\n", 405, {"Allow": "GET, HEAD"})
        return _send_file(request, file, immutable=path.startswith(IMMUTABLE))

    def locate(self, path: str) -> Path | None:
        """Return the file for an unquoted URL path; None if there is none or it is not for the browser."""
        name = PAGES.get(path, path.removeprefix("/"))
        if name not in PAGES.values() and not name.startswith(self._folders):
            return None
        # Judged before the file system sees it: no "..", dot files, empty names, Windows or NUL tricks.
        if any(not part or part.startswith(".") or set(part) & set("\\:\0") for part in name.split("/")):
            return None
        try:
            file = (self._root / name).resolve(strict=True)
        except (OSError, ValueError):
            return None
        # A link may not lead out of the folder it is in.
        inside = file.is_relative_to(self._root / Path(name).parent)
        return file if inside and file.suffix in MEDIA_TYPES and file.is_file() else None


def _send_file(request: Request, file: Path, *, immutable: bool) -> Response:
    found = file.stat()
    media_type = MEDIA_TYPES[file.suffix]
    headers = {"Cache-Control": "public, max-age=31536000, immutable" if immutable else "no-cache"}
    encoded = {coding: _stat_encoded(file, coding, found) for coding in CODINGS}
    if any(encoded.values()):
        headers["Vary"] = "Accept-Encoding"
    tag = ""
    for coding in accepted_codings(request.headers.get("Accept-Encoding", "")):
        if (smaller := encoded[coding]) is not None:
            headers["Content-Encoding"] = tag = coding
            file, found = file.with_name(file.name + CODINGS[coding]), smaller
            break
    # Each coding is a representation of its own and needs its own tag (RFC 9110 §8.8.3.3).
    headers["ETag"] = f'"{found.st_mtime_ns:x}-{found.st_size:x}{tag and "-" + tag}"'
    if _matches(request.headers.get("If-None-Match", ""), headers["ETag"]):
        headers.pop("Content-Encoding", None)
        return Response(status_code=304, headers=headers)
    return FileResponse(file, headers=headers, media_type=media_type, stat_result=found)


def _stat_encoded(file: Path, coding: str, original: os.stat_result) -> os.stat_result | None:
    try:
        found = file.with_name(file.name + CODINGS[coding]).lstat()
    except OSError:
        return None
    # An older one was made from a file that has changed since.
    return found if stat.S_ISREG(found.st_mode) and found.st_mtime_ns >= original.st_mtime_ns else None


def _matches(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags
