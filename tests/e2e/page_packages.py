"""Gives a page packages that the project has for its tests: what a user's pyscript.toml would name."""

from __future__ import annotations

import io
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from silent_refresh import Client
from tests.browsers.features import ANSWERS_IN_BYTES, NEEDS
from tests.e2e.page_python import PagePython

REQUESTS = ("requests", "urllib3", "idna", "certifi", "charset_normalizer")
ADDRESS = "/tests/e2e/packages.zip"


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


async def unpack(address):
    import sys
    from io import BytesIO
    from zipfile import ZipFile

    ZipFile(BytesIO(await (await Client().get(address)).bytes())).extractall("/packages")
    sys.path.append("/packages")


def give_packages(page: PagePython, packages: tuple[str, ...] = REQUESTS) -> None:
    """Let the page import them; where no test can answer a page in bytes, the test is skipped."""
    if not NEEDS[ANSWERS_IN_BYTES](page.page):
        pytest.skip(f"there is not: {ANSWERS_IN_BYTES}")
    body = zipped(packages)
    page.page.route(f"**{ADDRESS}", lambda route: route.fulfill(body=body, content_type="application/zip"))
    page(unpack, ADDRESS)
