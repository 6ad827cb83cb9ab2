"""How long the tests wait for what has to come: one bound for all of them.

What is there in a moment on an idle machine takes many seconds where forty other processes run on two cores.
Nothing is measured by the bound, and no test that passes waits for it.
"""

from __future__ import annotations

from playwright.sync_api import BrowserContext, expect

PATIENCE = 120.0  # s
MILLISECONDS = PATIENCE * 1000

expect.set_options(timeout=MILLISECONDS)


def be_patient(context: BrowserContext) -> None:
    """Let whatever is done in the pages of this context take that long."""
    context.set_default_timeout(MILLISECONDS)
