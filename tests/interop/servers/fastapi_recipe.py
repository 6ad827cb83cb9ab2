"""FastAPI: the server of docs/recipes/servers.md, as it stands there.

https://fastapi.tiangolo.com/
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from tests.interop.servers.lab import ACCESS_TTL, PASSWORD, REFRESH_TTL, USERNAME
from tests.interop.servers.serving import serve

RECIPE = Path(__file__).resolve().parents[3] / "docs" / "recipes" / "servers.md"
CODE = re.compile(r"^## FastAPI\n.*?^```py\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Run the recipe, with what it leaves to its reader and sessions as short as the lab expects them."""
    found = CODE.search(RECIPE.read_text(encoding="utf-8"))
    assert found is not None, RECIPE
    names: dict[str, Any] = {"password_is_right": lambda *given: given == (USERNAME, PASSWORD)}
    exec(compile(found[1], RECIPE, "exec"), names)
    assert names["ACCESS_LIFE"] == ACCESS_TTL
    names["SESSION_LIFE"] = REFRESH_TTL
    app: ASGIApp = names["app"]
    return app


if __name__ == "__main__":
    serve(make, refresh_path="/refresh")
