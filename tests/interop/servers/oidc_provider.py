"""oidc-provider, the OpenID provider in npm: ``oidc_provider.mjs`` in this process's place.

https://github.com/panva/node-oidc-provider
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # In its place, so that whoever ends this process ends Node.
    os.execvp("node", ["node", str(Path(__file__).with_suffix(".mjs")), *sys.argv[1:]])
