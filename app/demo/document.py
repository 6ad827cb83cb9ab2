"""What the views need of the document: find, show, say, and react to what the user does.

Text goes in as text only (`textContent`), as the page's Trusted Types policy demands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import js
from pyodide.ffi.wrappers import add_event_listener

_tasks: set[asyncio.Task[None]] = set()  # the event loop alone would not keep them


def element(id: str) -> Any:
    """Return an element of the page. Raises LookupError when there is none of this id."""
    found = js.document.getElementById(id)
    if not found:
        raise LookupError(f"the page has no element with the id {id!r}")
    return found


def say(id: str, text: str) -> None:
    """Put a text into an element."""
    element(id).textContent = text


def show(id: str) -> None:
    """Show an element that was hidden."""
    element(id).hidden = False


def fill_list(id: str, texts: list[str]) -> None:
    """Replace the items of a list."""
    element(id).replaceChildren(*map(list_item, texts))


def list_item(text: str) -> Any:
    """Make an item for a list."""
    item = js.document.createElement("li")
    item.textContent = text
    return item


def field(form: str, name: str) -> Any:
    """Return a form's field."""
    return element(form).elements.namedItem(name)


def on_click(id: str, act: Callable[[], Awaitable[None]]) -> None:
    """Run `act` at every click on a button, which is disabled meanwhile."""
    button = element(id)
    add_event_listener(button, "click", lambda event: _start(act, button))


def on_submit(id: str, act: Callable[[], Awaitable[None]]) -> None:
    """Run `act` instead of sending a form, whose button is disabled meanwhile."""
    form = element(id)
    button = form.querySelector("button")

    def submit(event: Any) -> None:
        event.preventDefault()
        _start(act, button)

    add_event_listener(form, "submit", submit)


def _start(act: Callable[[], Awaitable[None]], button: Any) -> None:
    # A second Enter in a field comes here although the button is disabled.
    if not button.disabled:
        task = asyncio.ensure_future(_act(act, button))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)


async def _act(act: Callable[[], Awaitable[None]], button: Any) -> None:
    had_focus = js.document.activeElement == button
    button.disabled = True
    try:
        await act()
    finally:
        button.disabled = False
        # Disabling took the focus from the button, and with it the keyboard's place on the page.
        if had_focus and js.document.activeElement == js.document.body:
            button.focus()
