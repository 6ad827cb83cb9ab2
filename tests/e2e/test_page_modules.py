"""What a page of a browser loads of the library that only uses ``Client`` and ``SilentRefresh``."""

from __future__ import annotations

from tests.unit.test_page_modules import AT_THE_START, IN_A_BROWSER


async def load_anew():
    """Import the library anew, make both, and return which modules of it that loaded."""
    import sys

    mine = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "silent_refresh"}
    for name in mine:
        del sys.modules[name]
    try:
        from silent_refresh import Client, SilentRefresh

        auth = SilentRefresh()
        Client("/api", auth=auth)
        await auth.restored()
        auth.close()
        loaded = {name for name in sys.modules if name.split(".")[0] == "silent_refresh"}
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "silent_refresh"]:
            del sys.modules[name]
        sys.modules.update(mine)
    return sorted(name.partition(".")[2] for name in loaded if name != "silent_refresh")


def test_a_page_loads_what_it_uses(page_python):
    """Nothing of OAuth, DPoP, cookies, workers, adapters or presets."""
    assert sorted([*AT_THE_START, *IN_A_BROWSER]) == page_python(load_anew)
