"""The real thing: ``python -m app.server`` in a process of its own, asked over sockets."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from asyncio import gather
from pathlib import Path

import httpx
import pytest

from app.server.__main__ import main
from tests.server.running import ROOT, Running, command
from tests.server.site import CREDENTIALS, bearer


async def sign_in(http: httpx.AsyncClient) -> dict[str, str]:
    tokens: dict[str, str] = (await http.post("/login", json=CREDENTIALS)).json()
    return tokens


async def test_one_line_says_where_it_is(server: Running, http: httpx.AsyncClient) -> None:
    """The address that it prints answers with the page."""
    address = r"http://127\.0\.0\.1:\d+/"
    credentials = r"\(user demo, password demo-password\)"
    assert re.fullmatch(f"silent-refresh demo: {address}  {credentials}\n", server.ready)
    assert (await http.get("/login")).text.startswith("<!doctype html>")


async def test_simultaneous_refreshes_over_sockets_have_one_winner(http: httpx.AsyncClient) -> None:
    """Twenty connections, one token, no grace: one gets tokens."""
    content = {"refreshToken": (await sign_in(http))["refreshToken"]}

    responses = await gather(*(http.post("/refresh", json=content) for _ in range(20)))

    assert [200] + [401] * 19 == sorted(response.status_code for response in responses)
    assert 20 == (await http.get("/lab/counters")).json()["refresh"]


async def test_a_dropped_refresh_breaks_the_connection(http: httpx.AsyncClient) -> None:
    """The client sees a network error; with ``after`` the rotation happened all the same."""
    content = {"refreshToken": (await sign_in(http))["refreshToken"]}
    await http.post("/lab/refresh", json={"drop": True})
    await http.post("/lab/refresh", json={"drop": True, "after": True})

    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post("/refresh", json=content)

    assert 401 == (await http.post("/refresh", json=content)).status_code
    assert {"refresh": 3, "reuse": 1, "api": 0, "unauthorized": 0} == (await http.get("/lab/counters")).json()


async def test_a_dropped_api_request_breaks_the_connection(http: httpx.AsyncClient) -> None:
    """It is counted nevertheless, by its id too; the next one is answered."""
    headers = bearer((await sign_in(http))["accessToken"]) | {"X-Request-ID": "a"}
    await http.post("/lab/api", json={"drop": True})

    with pytest.raises(httpx.RemoteProtocolError):
        await http.get("/api/profile", headers=headers)

    assert 200 == (await http.get("/api/profile", headers=headers)).status_code
    assert {"a": 2} == (await http.get("/lab/requests")).json()


async def test_the_address_of_a_caller_cannot_be_forged(http: httpx.AsyncClient) -> None:
    """X-Forwarded-For is not believed: failed sign-ins, and faults, find the connection that is there."""
    await http.post("/lab/api", json={"drop": True})

    with pytest.raises(httpx.RemoteProtocolError):
        await http.get("/api/profile", headers={"X-Forwarded-For": "192.0.2.7"})


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_bytes_that_are_no_http_are_refused(
    server: Running, http: httpx.AsyncClient, request_bytes: bytes
) -> None:
    """The connection ends, with a 400 at most, and the server goes on."""
    port = httpx.URL(server.url).port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            connection.sendall(request_bytes)
            connection.shutdown(socket.SHUT_WR)
            received = connection.recv(65536)
        except OSError:  # the server may have closed it before it was all said
            received = b""

    assert not re.match(rb"HTTP/1.1 [235]", received)
    assert 200 == (await http.get("/")).status_code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_quietly(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and a plain kill end it with success and no traceback."""
    assert (0, "", "") == Running(tmp_path / "data").stop(number)


def test_tokens_and_passwords_are_not_logged(tmp_path: Path) -> None:
    """After sign-ins, refusals, reuse and a lost connection, its output holds its address alone."""
    running = Running(tmp_path / "data", "--lab", "--grace", "0")
    with httpx.Client(base_url=running.url, trust_env=False) as http:
        token = http.post("/login", json=CREDENTIALS).json()["refreshToken"]
        http.post("/login", json={"username": "demo", "password": "wrong"})
        for _ in range(3):
            http.post("/refresh", json={"refreshToken": token})
        http.get("/api/profile", params={"token": token}, headers=bearer(token))

    assert (0, "", "") == running.stop()


def test_a_port_in_use_is_one_sentence(server: Running, tmp_path: Path) -> None:
    """With what to do about it, and exit code 2."""
    port = str(httpx.URL(server.url).port)

    ended = subprocess.run(
        command("--port", port, "--data", str(tmp_path / "data")),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert (2, "") == (ended.returncode, ended.stdout)
    assert f"port {port} is in use: stop the other program or choose another with --port 0\n" == ended.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["--acc", "1"], "unrecognized arguments: --acc 1"),
        (["--port", "x"], "must be a number from 0 to 65535, not 'x'"),
        (["--port", "65536"], "must be a number from 0 to 65535"),
        (["--access-ttl", "0"], "must be more than 0 seconds, not 0"),
        (["--refresh-ttl", "nan"], "must be a number of seconds"),
        (["--grace", "-1"], "must be 0 seconds or more, not -1"),
        (["--allow-host", "demo.example:80"], "must be a name such as demo.example, not 'demo.example:80'"),
        (["--allow-origin", "*"], "must be an origin such as https://app.example, not '*'"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the option or the value, and exits with 2."""
    with pytest.raises(SystemExit) as ended:
        main(options)

    errors = capsys.readouterr().err
    assert 2 == ended.value.code
    assert said in errors
    assert 1 == errors.count("\n")


def test_a_data_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where a folder should be: exit code 2, and which folder it was."""
    (tmp_path / "file").write_text("")

    assert 2 == main(["--port", "0", "--data", str(tmp_path / "file" / "data")])

    errors = capsys.readouterr().err
    assert errors.startswith(f"can't write to the data folder {tmp_path / 'file' / 'data'}")
    assert errors.endswith("choose another with --data DIR\n")


@pytest.mark.parametrize("name", ["signing.key", "auth.sqlite3"])
def test_a_damaged_data_folder_is_one_sentence(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says which file to delete."""
    (tmp_path / name).write_text("damaged")

    assert 2 == main(["--port", "0", "--data", str(tmp_path)])

    errors = capsys.readouterr().err
    assert f"{tmp_path / name} is damaged" in errors
    assert 1 == errors.count("\n")


def test_a_missing_set_up_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without static/vendor the page can't start, so the server says how to get it."""
    assert 2 == main([], root=tmp_path)

    assert "static/vendor is missing: run `make demo` once, it installs it\n" == capsys.readouterr().err


def test_an_address_of_another_machine_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """It names the address."""
    assert 2 == main(["--host", "192.0.2.1", "--port", "0"])

    assert "192.0.2.1 is not an address of this machine: try --host 127.0.0.1\n" == capsys.readouterr().err


def test_secrets_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    """Key and database, and the folder that is made for them."""
    data = tmp_path / "new" / "data"
    Running(data).stop()

    assert 0o700 == data.stat().st_mode & 0o777
    assert {0o600} == {(data / name).stat().st_mode & 0o777 for name in ("signing.key", "auth.sqlite3")}
    assert "*\n" == (data / ".gitignore").read_text()
