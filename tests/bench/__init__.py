"""Benchmarks, run as modules from the project's folder: ``python -m tests.bench.boot``."""

import sys
from pathlib import Path

# The library is imported by its own name, as from the wheel; pytest has this from pyproject.toml.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "app"))
