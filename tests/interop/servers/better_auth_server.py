"""Starts ``better_auth.mjs``, with the command line that all the servers here share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

PAGE = "https://app.example"  # as tests/world calls its page
SERVER = Path(__file__).with_name("better_auth.mjs")


def main() -> None:
    """Let Node.js take this process's place."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--allow-origin", action="append", default=[PAGE])
    options = parser.parse_args()
    os.execlp("node", "node", str(SERVER), str(options.port), *options.allow_origin)


if __name__ == "__main__":
    main()
