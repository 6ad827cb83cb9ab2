"""What the views need of the document: find, make, show, and react to what the user does.

Text goes in as text only (`textContent`), as the page's Trusted Types policy demands.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import js
from pyodide.ffi import JsException
from pyodide.ffi.wrappers import add_event_listener

SVG = "http://www.w3.org/2000/svg"

_tasks: set[asyncio.Task[None]] = set()  # the event loop alone would not keep them


def element(id: str) -> Any:
    """Return an element of the page. Raises LookupError when there is none of this id."""
    found = js.document.getElementById(id)
    if not found:
        raise LookupError(f"the page has no element with the id {id!r}")
    return found


def put(id: str, text: str) -> None:
    """Put a text into an element, unless it's there already: then nothing is drawn, and nothing read out."""
    target = element(id)
    if target.textContent != text:
        target.textContent = text


def show(id: str) -> None:
    """Show an element that was hidden."""
    element(id).hidden = False


def make(name: str, text: str = "", **attributes: str) -> Any:
    """Make an element; an attribute's `_` stands for `-`."""
    return _with(js.document.createElement(name), text, attributes)


def make_svg(name: str, text: str = "", **attributes: str) -> Any:
    """Make an element of a picture."""
    return _with(js.document.createElementNS(SVG, name), text, attributes)


def _with(made: Any, text: str, attributes: dict[str, str]) -> Any:
    if text:
        made.textContent = text
    for name, value in attributes.items():
        made.setAttribute(name.rstrip("_").replace("_", "-"), value)
    return made


def fill_list(id: str, texts: list[str]) -> None:
    """Replace the items of a list."""
    element(id).replaceChildren(*(make("li", text) for text in texts))


def field(form: str, name: str) -> Any:
    """Return a form's field."""
    return element(form).elements.namedItem(name)


def recall(key: str) -> str | None:
    """Return what this browser remembers of the demo's own; None where storage is blocked, too."""
    try:
        text = js.localStorage.getItem(key)
    except JsException:
        return None
    return text if isinstance(text, str) else None


def remember(key: str, text: str) -> None:
    """Keep something of the demo's own in this browser, where that's allowed."""
    with contextlib.suppress(JsException):
        js.localStorage.setItem(key, text)


def on_click(button: Any, act: Callable[[], Awaitable[None]], *, disable: Any = None) -> None:
    """Run `act` at every click on a button; that, or what `disable` is, is disabled meanwhile."""
    add_event_listener(button, "click", lambda event: start(act, button, disable or button))


def on_submit(id: str, act: Callable[[], Awaitable[None]]) -> None:
    """Run `act` instead of sending a form, whose button is disabled meanwhile."""
    form = element(id)
    button = form.querySelector("button")

    def submit(event: Any) -> None:
        event.preventDefault()
        start(act, button, button)

    add_event_listener(form, "submit", submit)


def start(act: Callable[[], Awaitable[None]], button: Any, disable: Any) -> None:
    """Run `act` and keep its task."""
    # A second Enter in a field comes here although the button is disabled.
    if not disable.disabled:
        keep(_act(act, button, disable))


def keep(work: Awaitable[None]) -> None:
    """Run something to its end, whoever waits for it."""
    task = asyncio.ensure_future(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _act(act: Callable[[], Awaitable[None]], button: Any, disable: Any) -> None:
    had_focus = js.document.activeElement == button
    disable.disabled = True
    try:
        await act()
    finally:
        disable.disabled = False
        # Disabling took the focus from the button, and with it the keyboard's place on the page.
        if had_focus and js.document.activeElement == js.document.body:
            button.focus()
