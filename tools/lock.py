"""Lock requirements/*.in to exact versions and hashes, for every platform and Python from 3.11 on.

Run by ``make lock``. The developer's own index, mirror and configuration stay out of the lock files.
"""

import subprocess
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
# The server comes first: the development requirements must hold the same versions.
NAMES = ["server", "dev", "browser", "lock"]


def lock(name: str) -> None:
    """Compile ``requirements/<name>.in`` into ``requirements/<name>.txt``."""
    options = ["--universal", "--python-version=3.11", "--generate-hashes", "--upgrade", "--quiet"]
    silence = ["--no-config", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    header = "--custom-compile-command=make lock"
    constraint = ["--constraint=server.txt"] if name == "dev" else []
    subprocess.run(
        [
            "uv",
            "pip",
            "compile",
            *options,
            *silence,
            header,
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
