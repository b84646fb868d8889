"""Calls about the quarantine: samples with impossible stamps, which wait for a decision."""

import datetime
from collections.abc import Sequence
from typing import Literal

import msgspec

from historian.client.exchange import API, Call, Page, Pages, Reply, Request, decoder, given
from historian.client.moment import Moment, moment_text
from historian.client.point_calls import json_request

State = Literal["kept", "released", "erased"]


class QuarantineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sample in the quarantine. `time` is as it came, `stored_time` what it was released under."""

    id: int
    point: str
    time: datetime.datetime
    value: float
    unit: str
    quality: str
    origin: str
    code: str
    source: str
    arrived_at: datetime.datetime
    state: State
    stored_time: datetime.datetime | None = None
    decided_at: datetime.datetime | None = None
    author: str = ""
    reason: str = ""


class RefusedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that stays as it is."""

    id: int
    code: str
    detail: str


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the entries: `done` now, `already` so before, or `refused`. `kept` still wait in all."""

    done: int
    already: int
    refused: list[RefusedEntry]
    kept: int
    seq: int


class _Entries(msgspec.Struct):
    entries: list[QuarantineRow]
    next: str = ""


def quarantine(
    *, point: str | None = None, code: str | None = None, state: State = "kept", page_size: int = 1000
) -> Pages[QuarantineRow]:
    """The entries by rising id."""
    read = decoder(_Entries)

    def page(reply: Reply) -> Page[QuarantineRow]:
        told = read(reply)
        return Page(told.entries, told.next)

    query = given(point=point, code=code, state=state, limit=str(page_size))
    return Pages(Call(Request("GET", f"{API}/quarantine", query), page))


def release(
    ids: Sequence[int],
    *,
    reason: str,
    author: str = "",
    shift: str | None = None,
    time: Moment | None = None,
    on_conflict: Literal["replace", "keep", "reject"] = "keep",
) -> Call[Decided]:
    """Store samples, their stamps moved by `shift` (such as ``-8h``), or one of them at `time`. May be repeated."""
    body: dict[str, object] = {
        "ids": list(ids),
        "reason": reason,
        "author": author,
        "on_conflict": on_conflict,
    }
    if shift is not None:
        body["shift"] = shift
    if time is not None:
        body["time"] = time if isinstance(time, int) else moment_text("time", time)
    return Call(json_request("POST", f"{API}/quarantine/release", body), decoder(Decided))


def erase(ids: Sequence[int], *, reason: str, author: str = "") -> Call[Decided]:
    """Give samples up; the entries stay as evidence. May be repeated."""
    body = {"ids": list(ids), "reason": reason, "author": author}
    return Call(json_request("POST", f"{API}/quarantine/erase", body), decoder(Decided))
