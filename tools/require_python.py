"""Stop with a clear message when this Python is too old, or can make no virtual environment.

Kept to what any Python 3 can parse, since it is the old ones that it has to tell.
"""

import importlib.util
import sys

if sys.version_info < (3, 11):
    sys.exit(
        "silent-refresh needs Python 3.11 or newer; %s is %d.%d. Name another: make PYTHON=python3.12 …"
        % (sys.executable, sys.version_info[0], sys.version_info[1])
    )
if importlib.util.find_spec("ensurepip") is None:
    sys.exit("This Python can't make virtual environments: install its venv package (Debian: python3-venv).")
