"""Ends a simulator with the program that started it, however that ended: then standard input ends too."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from typing import Final

READ_BYTES: Final = 4096


def add_option(parser: argparse.ArgumentParser) -> None:
    """Let the command line ask for it."""
    parser.add_argument(
        "--until-stdin-ends",
        action="store_true",
        help="stop when standard input ends, as it does when the program that started this one is gone",
    )


def watch(stop: Callable[[], object]) -> None:
    """Call `stop` once, on the running loop, when standard input ends; what comes before is passed over.

    Raises OSError where standard input can be no watched file: it is for pipes and terminals.
    """
    loop = asyncio.get_running_loop()
    number = sys.stdin.fileno()

    def read() -> None:
        if not os.read(number, READ_BYTES):
            loop.remove_reader(number)
            stop()

    loop.add_reader(number, read)
