"""`historian quarantine list · release · erase`: their parsers; what they do is imported when one runs."""

import argparse
from typing import Any, Final

CODES: Final = ("time_too_old", "time_in_future")
STATES: Final = ("kept", "released", "erased")


def add_actions(actions: "argparse._SubParsersAction[Any]") -> list[argparse.ArgumentParser]:
    """Add the parsers of the three actions; the caller adds the options that say where."""
    listing = actions.add_parser(
        "list",
        help="what waits for a decision, or what was decided · 列出",
        description="List samples stamped outside the time fence.\n列出时间戳超出允许范围而被隔离的样本。",
        epilog="example:\n  historian quarantine list --point hall.import.energy --server http://127.0.0.1:8420",
    )
    listing.add_argument("--point", metavar="NAME", help="only of this point")
    listing.add_argument("--code", choices=CODES, help="only those that are here for this reason")
    listing.add_argument("--state", choices=STATES, default="kept", help="default: kept")
    release = actions.add_parser(
        "release",
        help="store samples under the stamp they should have had · 修正时间后入库",
        description="Store samples; only those on disk in the store leave the quarantine. Again, it changes nothing.\n"
        "按修正后的时间入库；入库落盘后才离开隔离区；可重复执行。",
        epilog="exit code: 0 all are stored, 3 some stayed, 1 failed\n\n"
        "examples:\n"
        "  historian quarantine release 17-19 25 --shift=-8h --reason 'gateway clock 8 h ahead'\n"
        "  historian quarantine release 20 --time 2026-03-05T10:15:00+08:00 --reason 'typed by hand'",
    )
    stamp = release.add_mutually_exclusive_group()
    stamp.add_argument("--shift", metavar="-8h", help="move the stamps; write --shift=-8h with a minus")
    stamp.add_argument(
        "--time", metavar="TIME", help="the very time of a single sample, RFC 3339 with an offset"
    )
    release.add_argument(
        "--on-conflict",
        choices=("keep", "replace"),
        default="keep",
        help="where another value is stored: it stays (default), or is replaced",
    )
    erase = actions.add_parser(
        "erase",
        help="give samples up; who and why stay · 放弃",
        description="Give samples up. The entries stay to be looked at, with who, when and why.\n"
        "放弃样本；条目连同处理人、时间和原因保留备查。",
        epilog="exit code: 0 all are erased, 3 some stayed, 1 failed\n\n"
        "example:\n  historian quarantine erase 21 22 --reason 'test of the meter shop'",
    )
    for parser in (release, erase):
        parser.add_argument(
            "ids", metavar="ID", nargs="+", help="as the list gives them; 17-30 means all between"
        )
        parser.add_argument("--reason", required=True, help="why; kept for ever")
        parser.add_argument(
            "--author",
            help="who; default: the name you are logged in with; with --server and a token, the token's",
        )
    return [listing, release, erase]


def run(options: argparse.Namespace) -> int:
    """Run one of them; the exit code. Raises HistorianError."""
    from historian import cli_quarantine_place

    return cli_quarantine_place.run(options)
