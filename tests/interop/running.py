"""One of the servers in a process of its own, and its lab.

with InteropServer("django_simplejwt") as server:
    server.lab.expire()
    server.stop(); server.start()      # the same address, all sessions forgotten
"""

from __future__ import annotations

import subprocess
import sys

from tests.e2e.running_server import ROOT, Lab


class InteropLab(Lab):
    """The switches that ``servers/lab.py`` offers, by the names of the project's own lab."""

    def expire_refresh_tokens(self) -> None:
        """Let all refresh tokens issued so far be expired."""
        self._post("/lab/expire-refresh-tokens")


class InteropServer:
    """Runs ``servers/<name>.py``; ``options`` are more of its command line."""

    def __init__(self, name: str, *options: str) -> None:
        self._command = [sys.executable, "-m", f"tests.interop.servers.{name}", *options]
        self._process: subprocess.Popen[str]
        self.url = ""
        self.lab: InteropLab

    def __enter__(self) -> InteropServer:
        self.start()
        self.lab = InteropLab(self.url)
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.close()
        self.stop()

    def start(self) -> None:
        """Start, and wait for its address."""
        port = self.url.rpartition(":")[2] or "0"
        command = [*self._command, "--port", port]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        said, _, self.url = self._process.stdout.readline().strip().partition(": ")
        if said != "ready":
            self.stop()
            raise RuntimeError(f"{command[2]} did not start; why is told above")

    def stop(self) -> None:
        """End the process and wait for it."""
        self._process.terminate()
        self._process.communicate()
