"""Make a page and a server to begin with: ``starter/``, with the wheel and the run-times that its page loads.

    python tools/starter.py ../my-page

``make starter`` calls it, once the wheel is built and the run-times are vendored.
"""

import shutil
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
COMPRESSED = ("*.br", "*.gz", "*.zst")  # copies for the demo's server, which chooses among them
FROM_WHEEL = ("bridge.js", "own_python.js")  # under the page's policy these have to be files


def make(folder: Path, wheel: Path) -> None:
    """Fill a folder. Raises ``FileExistsError`` when there is something in it."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} isn't empty: name a new folder, TO=../my-page")
    ignored = shutil.ignore_patterns("__pycache__", ".venv", ".pytest_cache")
    shutil.copytree(ROOT / "starter", folder, ignore=ignored, dirs_exist_ok=True)
    page = folder / "page"
    shutil.copy(wheel, page)
    with zipfile.ZipFile(wheel) as packed:
        for name in FROM_WHEEL:
            (page / name).write_bytes(packed.read(f"silent_refresh/browser/{name}"))
    for name in ("pyodide", "pyscript"):
        (vendored,) = VENDOR.glob(f"{name}-*")
        shutil.copytree(vendored, page / name, ignore=shutil.ignore_patterns(*COMPRESSED))


def main() -> None:
    """Read the command line."""
    if len(sys.argv) != 2:
        sys.exit("name a folder for it: make starter TO=../my-page")
    (wheel,) = (ROOT / "dist").glob("*-py3-none-any.whl")
    try:
        make(Path(sys.argv[1]), wheel)
    except FileExistsError as error:
        sys.exit(str(error))
    print(f"Made {sys.argv[1]}. Now: cd {sys.argv[1]} && make")


if __name__ == "__main__":
    main()
