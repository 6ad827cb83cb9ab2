"""The command line of the demo's server.

python -m app.server --port 8000 --data DIR --access-ttl 1800 --refresh-ttl 604800 --grace 10 --lab
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from app.server.cross_origin import read_origin
from app.server.database import DatabaseBusy
from app.server.request_head import read_host
from app.server.serving import serve
from app.server.settings import ROOT, Settings, SetupError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage that argparse puts before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}: see python -m app.server --help\n")


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Run the server over the project folder `root`. Returns 2, having said why, when it can't start."""
    options = _parser().parse_args(arguments)
    settings = Settings(
        data=options.data or root / ".data",
        root=root,
        access_ttl=options.access_ttl,
        refresh_ttl=options.refresh_ttl,
        grace=options.grace,
        lab=options.lab,
        dpop_nonce=options.dpop_nonce,
        allow_hosts=(options.host, *options.allow_host),
        allow_origins=tuple(options.allow_origin),
    )
    try:
        serve(settings, host=options.host, port=options.port)
    except (SetupError, DatabaseBusy) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> Parser:
    parser = Parser(prog="python -m app.server", description="The demo's auth server.", allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="signing key and database (default: .data)")
    parser.add_argument(
        "--access-ttl",
        type=_lifetime,
        default=1800.0,
        metavar="S",
        help="life of an access token, in seconds",
    )
    parser.add_argument(
        "--refresh-ttl", type=_lifetime, default=604800.0, metavar="S", help="life of a session, in seconds"
    )
    parser.add_argument(
        "--grace",
        type=_grace,
        default=10.0,
        metavar="S",
        help="seconds for which the refresh token before the newest is accepted again; 0: never",
    )
    parser.add_argument(
        "--allow-host",
        type=_host,
        action="append",
        default=[],
        metavar="NAME",
        help="answer requests for this name too, for example demo.example; may be repeated",
    )
    parser.add_argument(
        "--allow-origin",
        type=_origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin call, for example https://app.example; may be repeated",
    )
    parser.add_argument(
        "--dpop-nonce", action="store_true", help="let each DPoP proof need a nonce of this server's"
    )
    parser.add_argument("--lab", action="store_true", help="offer the switches for tests under /lab")
    return parser


def _lifetime(text: str) -> float:
    value = _seconds(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be more than 0 seconds, not {text}")
    return value


def _grace(text: str) -> float:
    value = _seconds(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 seconds or more, not {text}")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a number of seconds, not {text!r}")
    return value


def _host(text: str) -> str:
    try:
        return read_host(text)
    except ValueError as error:
        reason = f"must be a name such as demo.example, not {text!r}"
        raise argparse.ArgumentTypeError(reason) from error


def _origin(text: str) -> str:
    try:
        return read_origin(text)
    except ValueError as error:
        reason = f"must be an origin such as https://app.example, not {text!r}"
        raise argparse.ArgumentTypeError(reason) from error


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 65535, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
