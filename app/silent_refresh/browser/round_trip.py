"""What a tab needs to leave for another site and come back: sessionStorage, and its address line.

https://html.spec.whatwg.org/multipage/webstorage.html#the-sessionstorage-attribute
"""

from __future__ import annotations

import js
from pyodide.ffi import JsException


class TabTrip:
    """This tab's own memory, which outlives the page."""

    def remember(self, key: str, text: str) -> None:
        """Keep ``text``. Raises ``OSError`` when the browser won't."""
        try:
            js.sessionStorage.setItem(key, text)
        except JsException as error:
            raise OSError(error.name) from None  # its message could quote the text

    def recall(self, key: str) -> str | None:
        """Return what was remembered, and forget it."""
        try:
            text = js.sessionStorage.getItem(key)
            js.sessionStorage.removeItem(key)
        except JsException:
            return None
        return text if isinstance(text, str) else None

    def show(self, url: str) -> None:
        """Let the address line, and the history, say ``url``; nothing is loaded."""
        js.history.replaceState(js.history.state, "", url)
