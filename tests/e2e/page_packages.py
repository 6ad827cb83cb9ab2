"""Gives a page packages that the project has for its tests: what a user's pyscript.toml would name."""

from __future__ import annotations

import io
import zipfile
from importlib.util import find_spec
from pathlib import Path

from playwright.sync_api import Route

from silent_refresh import Client
from tests.e2e.page_python import PagePython

REQUESTS = ("requests", "urllib3", "idna", "certifi", "charset_normalizer")
ADDRESS = "/tests/e2e/packages.zip"
PIECE = 65536  # bytes: WebKit's inspector takes no message of more than twice that


def zipped(packages: tuple[str, ...]) -> bytes:
    """Return an archive of packages as installed here, without what is compiled for this machine."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for package in packages:
            spec = find_spec(package)
            assert spec is not None, package
            assert spec.origin is not None, package
            folder = Path(spec.origin).parent
            if spec.submodule_search_locations is None:
                target.write(spec.origin, f"{package}.py")
                continue
            for file in sorted(folder.rglob("*")):
                if file.suffix in (".py", ".pem"):
                    target.write(file, f"{package}/{file.relative_to(folder).as_posix()}")
            for metadata in folder.parent.glob(f"{package}-*.dist-info/METADATA"):
                target.write(metadata, f"{metadata.parent.name}/METADATA")  # some ask for their version
    return archive.getvalue()


async def unpack(address, pieces):
    import sys
    from io import BytesIO
    from zipfile import ZipFile

    client = Client()
    archive = [await (await client.get(f"{address}/{number}")).bytes() for number in range(pieces)]
    ZipFile(BytesIO(b"".join(archive))).extractall("/packages")
    sys.path.append("/packages")


def give_packages(python: PagePython, packages: tuple[str, ...] = REQUESTS, *, base_url: str = "") -> None:
    """Let the page import them, or with `base_url` its worker."""
    archive = zipped(packages)
    pieces = [archive[start : start + PIECE] for start in range(0, len(archive), PIECE)]

    def give_piece(route: Route) -> None:
        route.fulfill(body=pieces[int(route.request.url.rpartition("/")[2])])

    python.page.route(f"**{ADDRESS}/*", give_piece)
    python(unpack, base_url + ADDRESS, len(pieces))
