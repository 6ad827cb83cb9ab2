"""One of the servers in a process of its own, and its lab.

with InteropServer("django_simplejwt") as server:
    server.lab.expire()
    server.stop(); server.start()      # the same address, all sessions forgotten
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.running_server import Lab, ServerProcess


class InteropLab(Lab):
    """The switches that ``servers/lab.py`` offers, by the names of the project's own lab."""

    def expire_refresh_tokens(self) -> None:
        """Let all refresh tokens issued so far be expired."""
        self._post("/lab/expire-refresh-tokens")


class InteropServer(ServerProcess):
    """Runs ``servers/<name>.py``; ``options`` are more of its command line."""

    def __init__(self, name: str, *options: str) -> None:
        super().__init__(f"tests.interop.servers.{name}", *options)
        self.lab: InteropLab

    def __enter__(self) -> InteropServer:
        self.start()
        self.lab = InteropLab(self.url)
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.close()
        self.stop()


@contextmanager
def serve_starter(folder: Path) -> Iterator[InteropServer]:
    """Serve what `make starter` made there, by its own server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STARTER", str(folder))
        with InteropServer("fastapi_recipe") as running:
            yield running
