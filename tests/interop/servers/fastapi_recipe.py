"""FastAPI: starter/server.py, or that of a folder made from it, named by the variable STARTER.

https://fastapi.tiangolo.com/
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

from starlette.types import ASGIApp

from tests.interop.servers.lab import ACCESS_TTL, PASSWORD, REFRESH_TTL, USERNAME
from tests.interop.servers.serving import serve

STARTER = Path(__file__).resolve().parents[3] / "starter"


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Run it, with sessions as short as the lab expects them."""
    server = load(Path(os.environ.get("STARTER", STARTER)) / "server.py")
    assert server.ACCESS_LIFE == ACCESS_TTL
    assert {USERNAME: PASSWORD} == server.USERS
    server.SESSION_LIFE = REFRESH_TTL  # type: ignore[attr-defined]
    app: ASGIApp = server.app
    return app


def load(path: Path) -> ModuleType:
    """Import a file by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    serve(make, refresh_path="/refresh")
