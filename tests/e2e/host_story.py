"""What a session goes through in a host of Pyodide, whatever that is: a notebook, a page of editors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from tests.e2e.running_server import Lab

NOBODY, ANSWERED = str(["NotSignedIn"] * 5), str([200] * 5)


class Host(Protocol):
    """One tab of it; ``run`` runs a piece of code by its name and returns what it shows."""

    def run(self, name: str, /) -> str: ...


AnyHost = TypeVar("AnyHost", bound=Host)


def play(open_host: Callable[[], AnyHost], restart: Callable[[AnyHost], None], lab: Lab) -> None:
    """Sign in, be renewed once, outlive a restart of the first tab, be another's too, end for both."""
    one = open_host()
    assert NOBODY == one.run("ask")
    one.run("sign in")
    lab.expire()
    lab.reset()
    assert ANSWERED == one.run("ask")
    assert 1 == lab.counters()["refresh"]

    two = open_host()
    lab.expire()
    assert [ANSWERED] * 2 == [one.run("ask"), two.run("ask")]
    restart(one)
    assert ANSWERED == one.run("ask")
    assert {"refresh": 2, "reuse": 0} == {name: lab.counters()[name] for name in ("refresh", "reuse")}

    two.run("sign out")
    assert [NOBODY] * 2 == [one.run("ask"), two.run("ask")]
