"""A server before the real one: it has some files of its own, and passes everything else on.

with site_before(server.url, answer) as url:      # answer("/guide/index.html") → Answer | None

Playwright could answer in a server's place, but not in each browser, and not with files of any type.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import httpx

from tests.e2e.patience import PATIENCE

OF_THE_CONNECTION = {"connection", "content-encoding", "content-length", "host", "transfer-encoding"}


class Answer(NamedTuple):
    """An answer of this server's own."""

    body: bytes
    headers: Mapping[str, str] = {}
    status: int = 200


@contextmanager
def site_before(url: str, answer: Callable[[str], Answer | None]) -> Iterator[str]:
    """Serve what `answer` has for a path, and for the rest what is at `url`; give the address."""
    with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as real:

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                own = answer(self.path.partition("?")[0])
                self._send(own if own is not None else self._passed_on())

            def do_POST(self) -> None:
                self._send(self._passed_on())

            def _passed_on(self) -> Answer:
                headers = without_connection(self.headers)
                headers["Accept-Encoding"] = "identity"
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                came = real.request(self.command, self.path, headers=headers, content=body)
                return Answer(came.content, without_connection(came.headers), came.status_code)

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
            thread.join()


def without_connection(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that aren't between two ends of one connection."""
    return {name: value for name, value in headers.items() if name.lower() not in OF_THE_CONNECTION}
