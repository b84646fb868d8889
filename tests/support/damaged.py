"""Data folders with one thing wrong in them, and what a start makes of each."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from historian.errors import HistorianError, SegmentCorrupt
from tests.support import store_kit
from tests.support.disk_recorder import DiskRecorder, recording, unsynced
from tests.support.store_kit import QUARTER_US, START_US
from tests.support.store_life import Key, Life, contents, open_life_store

PAGE_BYTES = 4096
NEVER = -1  # a number of operations at which nothing was promised yet


class Damaged(NamedTuple):
    """One way to spoil a file."""

    name: str
    data: bytes


class Verdict(NamedTuple):
    """What a start on a damaged folder came to."""

    outcome: str  # whole, reported, refused
    text: str  # the refusal, or the damage that is shown
    lost: tuple[int, ...] = ()  # numbers of the batches that are not served


def cuts(data: bytes, step: int = 1) -> Iterator[Damaged]:
    """Cut at every `step`-th byte."""
    yield from (Damaged(f"cut at {at}", data[:at]) for at in range(0, len(data), step))


def flips(data: bytes, step: int = 1, last: int | None = None) -> Iterator[Damaged]:
    """Every `step`-th byte up to `last` turned over, with another pattern at each."""
    for at in range(0, len(data) if last is None else last, step):
        yield Damaged(f"byte {at} flipped", _with(data, at, bytes([data[at] ^ (255 - at % 255)])))


def bit_flips(data: bytes, first: int, last: int) -> Iterator[Damaged]:
    """Every bit of ``[first, last)`` turned over, one at a time."""
    for at in range(first, min(last, len(data))):
        for bit in range(8):
            yield Damaged(f"bit {bit} of byte {at} flipped", _with(data, at, bytes([data[at] ^ 1 << bit])))


def zero_pages(data: bytes, size: int = PAGE_BYTES) -> Iterator[Damaged]:
    """Each page zeroed, and all of the file."""
    for at in range(0, len(data), size):
        yield Damaged(f"page at {at} is zeros", _with(data, at, bytes(min(size, len(data) - at))))
    yield Damaged("all zeros", bytes(len(data)))


async def make_folder(folder: Path, scenario: Callable[[Life], Awaitable[None]]) -> Life:
    """The folder that a life leaves whose process is killed at its end."""
    with recording(DiskRecorder()) as recorder:
        life = Life(folder, recorder)
        await scenario(life)
        store_kit.abandon(life.store)
    return life


async def judge(folder: Path, life: Life, *, may_hide: bool = False) -> Verdict:
    """Start there. Raises AssertionError where something wrong is served.

    What is in a segment is known to the manifest: its samples are served as they are, or refused. What was in a
    damaged log is not known: with `may_hide` an older version or none may be served, and `Verdict.lost` tells.
    """
    with unsynced():
        try:
            store = open_life_store(folder)
        except HistorianError as error:
            return Verdict("refused", str(error))
        try:
            lost = await _read_all(store, life, may_hide=may_hide)
            damage = store.status().damage
            return Verdict("reported" if damage else "whole", "\n".join(damage), tuple(lost))
        finally:
            await store.close()


async def _read_all(store: store_kit.Store, life: Life, *, may_hide: bool) -> list[int]:
    try:
        found = await contents(store)
    except SegmentCorrupt as error:
        if not store.status().damage:
            raise AssertionError("refused, but the damage is not shown") from error
        return await _read_apart(store, life)
    wrong = life.ledger.problems(found, NEVER)
    assert not wrong, "\n".join(wrong[:5])
    lost = life.ledger.lost_batches(found)
    assert may_hide or not lost, f"batches {lost} are missing, and the rest is served as if it were all"
    return lost


async def _read_apart(store: store_kit.Store, life: Life) -> list[int]:
    """Numbers of the batches of which something is refused; what is not refused is right."""
    refused: set[Key] = set()
    for key, versions in life.ledger.asked.items():
        time_us = START_US + key[1] * QUARTER_US
        try:
            [run] = await store.read([key[0]], time_us, time_us + 1)
        except HistorianError:
            refused.add(key)
            continue
        expected = [(time_us, *versions[-1][:2])]
        assert store_kit.as_tuples(run) == expected, (
            f"wrong: {key} {store_kit.as_tuples(run)}, not {expected}"
        )
    return [n for n, batch in enumerate(life.ledger.batches) if any(key in refused for key, _ in batch)]


def _with(data: bytes, at: int, part: bytes) -> bytes:
    return data[:at] + part + data[at + len(part) :]
