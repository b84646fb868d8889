"""`historian access …`: accounts, locks and tokens on the machine itself, beside a running historian or without one.

Whoever may write the data folder may do this; a running historian notices within a second. Passwords are asked for, or read from
standard input, and never taken from the command line, where others could see them.
"""

import argparse
import asyncio
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from historian.errors import HistorianError

if TYPE_CHECKING:  # `--help` loads nothing heavy
    from historian.access.door import Door

ROLES: Final = ("viewer", "operator", "editor", "engineer", "auditor", "admin")
RIGHTS: Final = ("read", "write", "edit", "configure", "personal", "audit")
_BY: Final = "local"
DAY_US: Final = 86_400 * 1_000_000


def add_actions(actions: "argparse._SubParsersAction[Any]") -> None:
    """Add the parsers of all actions."""
    described = (
        ("list", "accounts, tokens and locks · 列出账号、令牌和锁定"),
        ("add", "a new account; its password is asked for · 新建账号"),
        ("reset", "another password, to be changed at the next login · 重置口令"),
        ("unlock", "forget failed logins of an account or an address · 解除锁定"),
        ("sign-out", "end every session of an account · 结束某账号的全部会话"),
        ("token", "a token for a service, printed once · 新建服务令牌"),
        ("revoke", "end a token at once · 吊销令牌"),
    )
    parsers = {
        name: actions.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example:\n  {_EXAMPLES[name]}",
        )
        for name, text in described
    }
    for name in ("add", "reset", "sign-out"):
        parsers[name].add_argument("name", metavar="NAME", help="the account")
    parsers["unlock"].add_argument("name", metavar="NAME", help="the account, or an address such as 10.0.0.7")
    parsers["token"].add_argument("name", metavar="NAME", help="which service it is for")
    parsers["revoke"].add_argument("id", metavar="ID", help="the readable part of the token")
    parsers["add"].add_argument("--role", choices=ROLES, action="append", help="default: viewer; repeatable")
    parsers["token"].add_argument(
        "--right", choices=RIGHTS, action="append", help="default: read; repeatable"
    )
    parsers["token"].add_argument("--days", type=int, default=365, help="how long it is good (default: 365)")
    for name in ("add", "token"):
        parsers[name].add_argument(
            "--station", metavar="NAME", action="append", help="only this station; repeatable; default: all"
        )
    for parser in parsers.values():
        parser.add_argument(
            "--data", metavar="DIR", type=Path, default=Path("var"), help="data folder (default: var)"
        )
        parser.add_argument("--config", metavar="FILE", type=Path, help="settings file (default: built-in)")


_EXAMPLES: Final = {
    "list": "historian access list --data /srv/historian",
    "add": "historian access add chief --role admin",
    "reset": "historian access reset chief",
    "unlock": "historian access unlock chief",
    "sign-out": "historian access sign-out chief",
    "token": "historian access token telegraf --right write --station S1 --days 90",
    "revoke": "historian access revoke 1f09c3aa",
}


def run(options: argparse.Namespace) -> int:
    """Run one of them; the exit code. Raises HistorianError, OSError."""
    from historian import settings
    from historian.access.book import Book
    from historian.access.door import Door
    from historian.clock import SystemClock
    from historian.metrics import Metrics
    from historian.store import filenames

    if not options.data.is_dir():
        raise HistorianError(f"there is no data folder {options.data}; name it with --data")
    clock = SystemClock()
    book = Book(options.data / filenames.ACCESS, clock, settings.load(options.config).access)
    try:
        print("\n".join(_do(Door(book, clock, Metrics()), options)))
    finally:
        book.close()
    return 0


def _do(door: "Door", options: argparse.Namespace) -> list[str]:
    book = door.book
    match options.access_kind:
        case "list":
            return _listed(door)
        case "add":
            return [_add(door, options)]
        case "reset":
            book.person(options.name)
            asyncio.run(door.set_password(options.name, _ask_password(), must_change=True))
            return [f"{options.name}: the password must be changed at the next login"]
        case "unlock":
            dropped = book.lockouts.forget_failures(options.name) + book.lockouts.forget_address(options.name)
            return [f"{options.name}: {dropped} locks or counts dropped"]
        case "sign-out":
            return [f"{options.name}: {book.end_sessions_of(options.name)} sessions ended"]
        case "token":
            return _make_token(door, options)
    return [f"{book.revoke_token(options.id).id}: revoked"]


def _listed(door: "Door") -> list[str]:
    from historian.model.timestamp import format_time

    book = door.book
    lines = [
        f"account {person.id} roles={','.join(person.roles)} stations={_shown(person.stations)}"
        f"{' disabled' if person.is_disabled else ''}{' must-change-password' if book.must_change(person) else ''}"
        for person in book.people()
    ]
    lines += [
        f"token {token.id} {token.name!r} rights={','.join(token.rights)} stations={_shown(token.stations)} "
        f"{'revoked' if token.revoked_us else f'until {format_time(token.expires_us)}'}"
        for token in book.tokens()
    ]
    locks = book.lockouts.locks().items()
    return [*lines, *(f"lock {key} until {format_time(one.locked_until_us)}" for key, one in locks)]


def _add(door: "Door", options: argparse.Namespace) -> str:
    from historian.access import password_rule, record
    from historian.access.record import Person
    from historian.model.access import Role

    roles = tuple(Role(role) for role in dict.fromkeys(options.role or ["viewer"]))
    person = Person(id=options.name, roles=roles, stations=_stations(options))
    record.check_person(person)
    password = _ask_password()
    password_rule.check_password(password, options.name, door.book.limits)
    door.book.add_person(person)
    asyncio.run(door.set_password(options.name, password, must_change=False))
    return f"{options.name}: made"


def _make_token(door: "Door", options: argparse.Namespace) -> list[str]:
    from historian.clock import SystemClock
    from historian.model.access import Right

    rights = [Right(right) for right in dict.fromkeys(options.right or ["read"])]
    expires_us = SystemClock().now_us() + min(options.days, 3650) * DAY_US
    token, text = door.book.add_token(options.name, rights, _stations(options), _BY, expires_us)
    return [f"{token.id}: keep this, it is shown only now · 仅显示一次：", text]


def _stations(options: argparse.Namespace) -> tuple[str, ...] | None:
    return None if options.station is None else tuple(sorted(set(options.station)))


def _shown(stations: tuple[str, ...] | None) -> str:
    return "all" if stations is None else ",".join(stations)


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password · 口令: ")
    if getpass.getpass("Again · 再输入一次: ") != first:
        raise HistorianError("the two passwords differ; nothing was changed")
    return first
