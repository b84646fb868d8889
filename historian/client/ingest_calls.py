"""Calls that send samples, in as many requests as they need."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from historian.client import frames
from historian.client.errors import InvalidArgument
from historian.client.exchange import API, ARROW, CSV, Call, Reply, Request, decoder, given
from historian.client.frames import Part, Prepared
from historian.client.point_calls import json_request
from historian.client.replies import IngestResult, Reject

T = TypeVar("T")

OnConflict = Literal["replace", "keep", "reject"]
Precision = Literal["ns", "us", "ms", "s"]

_READ = decoder(IngestResult)
_COUNTED = (
    "accepted", "duplicate", "replaced", "conflict", "rejected", "quarantined", "rejects_omitted", "skipped",
)  # fmt: skip


class Parts(NamedTuple):
    """Requests to be sent one after another, made as they are needed; `first` is the sum before any of them."""

    calls: Iterator[Call[IngestResult]]
    first: IngestResult


def ingest(
    samples: frames.Samples,
    *,
    on_conflict: OnConflict = "replace",
    rows_max: int = frames.ROWS_PER_REQUEST_MAX,
) -> Parts:
    """Send samples, in requests of `rows_max` rows; the answer comes when all are on disk.

    Rejects name rows of what was given. Each request has a key of its own, so that one that is repeated counts once.
    """
    if rows_max < 1:
        raise InvalidArgument(f"rows_max is {rows_max}; it must be at least 1")
    prepared = frames.prepare(samples)
    return Parts(_calls(prepared, on_conflict, rows_max), IngestResult(skipped=prepared.skipped))


def ingest_series(
    series: Sequence[Mapping[str, Any]], *, on_conflict: OnConflict = "replace"
) -> Call[IngestResult]:
    """JSON columns as the interface takes them: ``{"point": …, "times": […], "values": […], "quality": […]?}``."""
    body = {"series": list(series), "on_conflict": on_conflict}
    request = json_request("POST", f"{API}/ingest", body)
    return Call(request._replace(headers=_key()), _READ)


def ingest_csv(text: str, *, on_conflict: OnConflict = "replace") -> Call[IngestResult]:
    """CSV with the header ``point,time,value[,quality]``."""
    request = Request(
        "POST", f"{API}/ingest", given(on_conflict=on_conflict), text.encode(), CSV, headers=_key()
    )
    return Call(request, _READ)


def write_lines(lines: str | bytes, *, precision: Precision = "ns") -> Call[None]:
    """InfluxDB line protocol. Raises Problem ``/problems/lines-refused`` naming the first faulty lines; good ones are stored."""
    body = lines.encode() if isinstance(lines, str) else lines
    request = Request(
        "POST", "/api/v2/write", given(precision=precision), body, "text/plain; charset=utf-8", headers=_key()
    )
    return Call(request, lambda reply: None)


def add(total: IngestResult, part: IngestResult) -> IngestResult:
    """Two results as one."""
    counts = {name: getattr(total, name) + getattr(part, name) for name in _COUNTED}
    return msgspec.structs.replace(
        total,
        **counts,
        rejects=[*total.rejects, *part.rejects],
        rejects_listed_max=part.rejects_listed_max,
        seq=max(total.seq, part.seq),
    )


def told_before(error: BaseException, total: IngestResult) -> None:
    """Add to an error what was stored before it."""
    stored = total.accepted + total.duplicate + total.replaced
    if stored:
        error.add_note(f"{stored} samples of this call were stored before; sending all again is harmless")


def _calls(prepared: Prepared, on_conflict: OnConflict, rows_max: int) -> Iterator[Call[IngestResult]]:
    for part in prepared.parts(rows_max):
        request = Request(
            "POST", f"{API}/ingest", given(on_conflict=on_conflict), part.stream, ARROW, headers=_key()
        )
        yield Call(request, _reader(part))


def _reader(part: Part) -> Callable[[Reply], IngestResult]:
    def read(reply: Reply) -> IngestResult:
        result = _READ(reply)
        return msgspec.structs.replace(result, rejects=[_in_whole(reject, part) for reject in result.rejects])

    return read


def _in_whole(reject: Reject, part: Part) -> Reject:
    """With the row's number in what the caller gave."""
    if reject.index is None:
        return reject
    return msgspec.structs.replace(reject, index=part.row_numbers[reject.index].as_py())


def _key() -> tuple[tuple[str, str], ...]:
    return (("Idempotency-Key", uuid.uuid4().hex),)
