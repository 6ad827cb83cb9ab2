"""The real thing: ``python -m app.server`` in a process of its own, asked over sockets.

running = Running(tmp_path / "data", "--lab")
httpx.get(running.url)
code, output, errors = running.stop()
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def command(*options: str) -> list[str]:
    """Return the command that starts the server."""
    return [sys.executable, "-m", "app.server", *options]


class Running:
    """One server process on a free port; `options` are more of its command line."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.process = subprocess.Popen(
            command("--port", "0", "--data", str(data), *options),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.ready = self.process.stdout.readline()
        self.url = self.ready.split()[2] if self.ready else ""

    def send(self, request: bytes) -> list[int]:
        """Send bytes on a connection of their own; return the statuses of all answers, when it is closed."""
        received = b""
        port = int(self.url.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(request)
            while chunk := connection.recv(65536):
                received += chunk
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal and return exit code, further output and errors."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=10)
        return self.process.returncode, output, errors
