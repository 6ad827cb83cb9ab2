"""The page's words in the language that its user chose; the texts are data, in english.py and chinese.py.

    words("sent", count=20)                   # the text
    words.say("status", "signing-in")         # into the element, and again when another language is chosen

In index.html ``data-words="key"`` marks what is to be put into words; English stands there already, so that
the page reads well before Python is loaded. What it says until then is put into words by static/words.js.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi.wrappers import add_event_listener

from demo import english
from demo.document import element, put, remember

CHOICE = "demo-language"  # in localStorage, where static/words.js looks


class Words:
    """Says things in one of two languages, ``en`` and ``zh-CN``."""

    def __init__(self) -> None:
        self.language = str(js.document.documentElement.lang)  # which static/words.js chose
        self._texts = _texts(self.language)
        self._said: dict[str, tuple[str, dict[str, Any]]] = {}
        self._listeners: list[Callable[[], None]] = []

    def __call__(self, key: str, **values: Any) -> str:
        """Return a text; a value may be a function, asked each time. Raises KeyError for no such text."""
        return self._texts[key].format(**{k: v() if callable(v) else v for k, v in values.items()})

    def has(self, key: str) -> bool:
        """Tell whether there is a text for this key."""
        return key in self._texts

    def say(self, id: str, key: str, **values: Any) -> None:
        """Put a text into an element, now and whenever the language changes."""
        self._said[id] = key, values
        put(id, self(key, **values))

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever another language was chosen."""
        self._listeners.append(changed)

    def open(self) -> None:
        """Put the page into words, and offer the choice."""
        choice = element("language")
        choice.value = self.language
        choice.disabled = False
        add_event_listener(choice, "change", lambda event: self._choose(choice.value))
        if self.language != "en":  # which the page has by itself
            self._apply()

    def _choose(self, language: str) -> None:
        remember(CHOICE, language)
        self.language = language
        self._texts = _texts(language)
        self._apply()

    def _apply(self) -> None:
        js.document.documentElement.lang = self.language
        for marked in js.document.querySelectorAll("[data-words]"):
            marked.textContent = self(marked.dataset.words)
        element("legend").setAttribute("aria-label", self("legend"))
        for id, (key, values) in self._said.items():
            put(id, self(key, **values))
        for changed in self._listeners:
            changed()


def _texts(language: str) -> dict[str, str]:
    if language == "en":
        return english.TEXTS
    from demo import chinese  # read by those only who need it

    return chinese.TEXTS
