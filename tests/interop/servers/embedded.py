"""The project's own server, ``app/server``, under the lab of these tests."""

from __future__ import annotations

import tempfile
from pathlib import Path

from starlette.types import ASGIApp

from app.server.app import create_app
from app.server.settings import Settings
from tests.interop.servers.lab import ACCESS_TTL, REFRESH_TTL
from tests.interop.servers.serving import serve


def main() -> None:
    """Serve over a data folder that goes when the server does."""
    with tempfile.TemporaryDirectory() as folder:

        def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
            return create_app(
                Settings(data=Path(folder) / "data", access_ttl=ACCESS_TTL, refresh_ttl=REFRESH_TTL)
            )

        serve(make, refresh_path="/refresh")


if __name__ == "__main__":
    main()
