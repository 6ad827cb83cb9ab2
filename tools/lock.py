"""Lock requirements/*.in to exact versions and hashes, for every platform and Python from 3.11 on.

Only versions that come as wheels, since `make` installs nothing else.
Run by ``make lock``. The developer's own index, mirror and configuration stay out of the lock files.
"""

import subprocess
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
# Each after the one whose versions it must hold, too: both are installed side by side.
NAMES = [
    "server",
    "wheel",
    "dev",
    "conformance",
    "niquests",
    "httpx",
    "notebooks",
    "kernels",
    "browser",
    "lock",
]
HELD_TO = {
    "dev": ("server", "wheel"),
    "conformance": ("dev",),
    "kernels": ("notebooks",),
    "browser": ("dev",),
}
IN_THE_PAGE = ("httpx", "kernels")  # for Pyodide's Python
WITHOUT_DEPENDENCIES = ("conformance", *IN_THE_PAGE)


def lock(name: str) -> None:
    """Compile ``requirements/<name>.in`` into ``requirements/<name>.txt``."""
    python = "3.14" if name in IN_THE_PAGE else "3.11"  # the least that the project runs on
    options = ["--universal", f"--python-version={python}", "--generate-hashes", "--upgrade", "--quiet"]
    wheels = "--only-binary=:all:"
    silence = ["--no-config", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    header = "--custom-compile-command=make lock"
    whole = ["--no-deps"] if name in WITHOUT_DEPENDENCIES else []
    constraint = [f"--constraint={held}.txt" for held in HELD_TO.get(name, ())]
    subprocess.run(
        [
            "uv",
            "pip",
            "compile",
            *options,
            wheels,
            *silence,
            header,
            *whole,
            *constraint,
            f"--output-file={name}.txt",
            f"{name}.in",
        ],
        cwd=REQUIREMENTS,
        check=True,
    )


if __name__ == "__main__":
    for name in NAMES:
        lock(name)
