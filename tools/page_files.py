"""Write into pyscript.toml which Python files the page loads: all of the library's and the demo's.

PyScript can't list a folder of the server, so each file has a line of its own.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = ROOT / "pyscript.toml"
PACKAGES = ("silent_refresh", "demo")
SCRIPT = "demo/main.py"  # index.html names it, so PyScript fetches it by itself
MARK = "# Kept in step with the folders by tools/page_files.py, which `make format` runs.\n"


def page_files(root: Path = ROOT) -> dict[str, str]:
    """Return where each file comes from, relative to the root, and where the page's Python finds it."""
    sources = [path for name in PACKAGES for path in sorted((root / "app" / name).rglob("*.py"))]
    names = [path.relative_to(root / "app").as_posix() for path in sources]
    return {f"./app/{name}": f"./{name}" for name in names if name != SCRIPT}


def with_files(text: str, files: dict[str, str]) -> str:
    """Return the configuration with these files after the mark, which ends it."""
    head, mark, _ = text.partition(MARK)
    return head + mark + "".join(f'"{source}" = "{target}"\n' for source, target in files.items())


if __name__ == "__main__":
    CONFIGURATION.write_text(with_files(CONFIGURATION.read_text(), page_files()))
