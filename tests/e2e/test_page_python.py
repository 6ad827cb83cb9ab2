"""The way in which the other tests run Python in the page."""

import pytest

from silent_refresh import Tokens
from tests.e2e.page_python import PagePythonError


async def greet(name):
    import sys

    return {"greeting": f"Hello {name}", "platform": sys.platform}


async def stumble():
    return [][1]


async def wait_for_ever():
    import asyncio

    await asyncio.get_running_loop().create_future()


async def wait_for_a_word():
    import js

    return await js.word


async def masked(token):
    return repr(Tokens(token))


def test_arguments_and_results_cross_over(page_python):
    """A function gets its arguments in the browser's Python, and its result comes back."""
    assert {"greeting": "Hello 世界", "platform": "emscripten"} == page_python(greet, "世界")


def test_the_librarys_names_are_there(page_python):
    """A function sees the library's public names."""
    assert "access_token=…" in page_python(masked, "abc")


def test_an_exception_comes_back_with_its_line(page_python):
    """What a function raises fails the test, with the traceback of the page."""
    with pytest.raises(PagePythonError, match=r"test_page_python\.py.*\n.*return \[\]\[1\](.|\n)*IndexError"):
        page_python(stumble)


def test_a_function_that_hangs_is_ended(page_python):
    """A function that never returns ends with the time it was given."""
    with pytest.raises(PagePythonError, match="TimeoutError"):
        page_python(wait_for_ever, timeout=0.1)


def test_a_function_runs_while_the_test_goes_on(page_python):
    """A started function goes on while the test does something else."""
    page_python.page.evaluate("() => { window.word = new Promise((resolve) => (window.say = resolve)); }")
    running = page_python.start(wait_for_a_word)
    page_python.page.evaluate("() => window.say('now')")

    assert "now" == running.result()


def test_the_shared_page_starts_empty(page_python):
    """Nothing is left in the storage of the shared page."""
    assert 0 == page_python.page.evaluate("localStorage.length")


def test_a_fresh_page_has_a_storage_of_its_own(page_python, fresh_page):
    """A fresh page shares nothing with the shared one."""
    page_python.page.evaluate("localStorage.setItem('a', '1')")

    assert 0 == fresh_page().page.evaluate("localStorage.length")


def test_a_page_that_was_left_is_loaded_again(page_python):
    """The shared page comes back when a test went elsewhere with it."""
    page_python.page.goto("/static/icon.svg")
    page_python.forget()

    assert "Hello again" == page_python(greet, "again")["greeting"]
