"""Every public name in a worker: an answer, or an error that its documentation names, no AttributeError."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import silent_refresh
from silent_refresh import (
    Client,
    HttpxAuth,
    MemoryStorage,
    NotSignedIn,
    RequestsAuth,
    SilentRefresh,
    SilentRefreshError,
    Tokens,
    install,
    serve_workers,
)
from tests.e2e.page_packages import give_packages
from tests.e2e.running_server import Lab
from tests.e2e.workers import Side

# What needs the page's address, or its refresh call: RuntimeError.
ELSEWHERE = {"authorize", "complete_authorization", "next_path"}


def public_names(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


async def call_every_name(tokens, ends_it):
    from opened import auth, client

    async def stream():
        async with client.stream("GET", "profile") as response:
            return response.status

    of_auth = {
        "tokens": lambda: auth.tokens,
        "claims": lambda: auth.claims,
        "signed_in": lambda: auth.signed_in,
        "renewing": lambda: auth.renewing,
        "access_token": auth.access_token,
        "ensure_signed_in": auth.ensure_signed_in,
        "proving": lambda: client.get("profile", auth=auth.proving),
        "refresh": auth.refresh,
        "restored": auth.restored,
        "authorize": auth.authorize,
        "complete_authorization": auth.complete_authorization,
        "next_path": auth.next_path,
        "for_resource": lambda: auth.for_resource("https://api.example"),
        "trust": lambda: auth.trust("https://api.example"),
        "listen": lambda: auth.listen(print)(),
        "__call__": lambda: client.get("profile"),
        "__repr__": lambda: repr(auth),
    }
    if tokens is not None:
        of_auth["sign_in"] = lambda: auth.sign_in(Tokens(*tokens))
    if ends_it:
        of_auth |= {"sign_out": auth.sign_out, "close": auth.close}
    of_client = {
        "request": lambda: client.request("GET", "profile"),
        "stream": stream,
        **{
            name: (lambda name=name: getattr(client, name)("profile"))
            for name in ("get", "head", "options", "post", "put", "patch", "delete")
        },
    }
    functions = {
        "install": lambda: install(auth)(),
        "RequestsAuth": lambda: RequestsAuth(auth),
        "HttpxAuth": lambda: HttpxAuth(auth),
        "serve_workers": lambda: serve_workers(auth),
        "SilentRefresh": lambda: SilentRefresh(store=MemoryStorage(), login=None).signed_in,
    }
    ends = {}
    for calls in (of_client, functions, of_auth):
        for name, call in calls.items():
            try:
                result = call()
                if hasattr(result, "__await__"):
                    await result
                ends[name] = "answer"
            except Exception as error:
                ends[name] = type(error).__name__
    return ends


@pytest.mark.parametrize("signs_in", [True, False], ids=["signed in", "signed out"])
def test_every_name_answers_in_a_worker(sides: tuple[Side, Side], lab: Lab, signs_in: bool) -> None:
    """Of ``SilentRefresh``, ``Client`` and the functions beside them."""
    page, worker = sides
    tokens = None
    if signs_in:
        answer = lab.sign_in()
        page.sign_in(answer)
        assert [200] == worker.get("profile")
        again = lab.sign_in()
        tokens = [again["accessToken"], again["refreshToken"]]
    ends: dict[str, str] = worker.python(call_every_name, tokens, True)

    documented = {"answer", *(kind.__name__ for kind in errors_of_the_library())}
    wrong = {name: end for name, end in ends.items() if end not in documented}
    told = dict.fromkeys({*ELSEWHERE, "serve_workers"}, "RuntimeError")
    assert {**told, "HttpxAuth": "ImportError"} == wrong  # this worker has no httpx
    called = set(ends) | (set() if signs_in else {"sign_in"})
    assert public_names(SilentRefresh) | public_names(Client) <= called
    assert {name for name in silent_refresh.__all__ if inspect.isfunction(getattr(silent_refresh, name))} <= (
        called | {"LocalStorage", "SessionStorage"}
    )
    if signs_in:
        assert {"answer"} == {end for name, end in ends.items() if name not in wrong}


def errors_of_the_library() -> list[type[Exception]]:
    return [
        kind
        for name in silent_refresh.__all__
        if inspect.isclass(kind := getattr(silent_refresh, name)) and issubclass(kind, SilentRefreshError)
    ]


async def get_from_a_handler(urls):
    import js
    import requests
    from opened import auth
    from pyodide.ffi import can_run_sync, create_proxy

    ends = []

    def handler(url, *_):
        assert not can_run_sync()
        try:
            ends.append(requests.get(url, auth=RequestsAuth(auth)).status_code)
        except SilentRefreshError as error:
            ends.append(type(error).__name__)

    proxy = create_proxy(handler)
    for url in urls:
        js.Array.of(url).forEach(proxy)
    proxy.destroy()
    return ends


def test_a_synchronous_handler_in_a_worker_is_told_what_to_do(
    sides: tuple[Side, Side], lab: Lab, base_url: str
) -> None:
    """It can't wait for the page: with a good token it's answered, else told to try again, or to sign in."""
    page, worker = sides
    give_packages(worker.python, base_url=base_url)
    profile = f"{base_url}/api/profile"

    def get() -> Any:
        return worker.python(get_from_a_handler, [profile])

    assert ["NotSignedIn"] == worker.get("profile")
    assert [NotSignedIn.__name__] == get()
    page.sign_in(lab.sign_in())
    assert [200] == worker.get("profile")
    assert [200] == get()
    lab.expire()
    assert ["RefreshUnavailable"] == get()
    assert [200] == worker.get("profile")
    assert [200] == get()
    assert 1 == lab.counters()["refresh"]
