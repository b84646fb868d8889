"""A running historian in the place of a data folder, for commands that are given ``--server URL``.

`RemoteSink` and `RemoteDirectory` stand in for the local ones, so an import is the same code either way. What is asked
and answered over HTTP is `historian.client`'s.
"""

import asyncio
import csv
import io
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import msgspec
import numpy as np
import numpy.typing as npt

from historian.client import Client, Patience, Problem
from historian.client.exchange import API, CSV, Call, Page, Pages, Reply, Request
from historian.client.replies import IngestResult, PointAttributes, PointInfo
from historian.errors import HistorianError, IngestError, PointConflict, PointNotFound, StoreReadOnly
from historian.model.point import Point, PointDraft, format_interval, parse_interval_us
from historian.model.ports import REJECT_CODES, AppendResult, OnConflict, Outcome
from historian.model.sample import SampleBatch
from historian.text_table import TextTable

SAMPLES_PER_REQUEST_MAX: Final = 100_000
# An import waits for a full queue rather than begin again: up to an hour, a second and more at a time.
PATIENCE: Final = Patience(try_s=60.0, total_s=3600.0, tries_max=600, pause_s=1.0)

_OUTCOMES: Final = {code: outcome for outcome, code in REJECT_CODES.items()}


def connect(url: str) -> Client:
    """A client that waits where a historian is busy. Raises InvalidArgument for what is no address."""
    return Client(url, patience=PATIENCE)


def read_table(client: Client, path: str, query: Mapping[str, str]) -> TextTable:
    """Every page of a route's CSV as one table. Blocks; raises ClientError."""
    request = Request("GET", API + path, tuple(query.items()), accept=CSV)
    header: list[str] = []
    rows: list[list[str]] = []
    for table in client.turn_pages(Pages(Call(request, _csv_page))):
        header, *page = table or [header]
        rows += page
    return TextTable(header, rows)


def _csv_page(reply: Reply) -> Page[list[list[str]]]:
    rows = list(csv.reader(io.StringIO(reply.body.decode("utf-8-sig"))))
    return Page([rows], reply.headers.get("x-next-cursor", ""))


def point_of(told: PointInfo, point_id: int) -> Point:
    """A point as the model has it, under an id of the caller's."""
    fields = {name: getattr(told, name) for name in Point.__struct_fields__ if hasattr(told, name)}
    low, high = told.range or (None, None)
    interval_us = parse_interval_us(told.interval)
    return Point(
        **(fields | {"id": point_id, "interval_us": interval_us, "range_low": low, "range_high": high})
    )


class RemoteDirectory:
    """Points of a remote historian; a PointDirectory. Ids are this object's own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._points: list[Point] = []

    def get(self, name_or_id: str) -> Point:
        for point in self._points:
            if point.name == name_or_id:
                return point
        try:
            return self._keep(self._client.point(name_or_id))
        except Problem as problem:
            _raise_own(problem)

    def by_id(self, point_id: int) -> Point:
        if not 1 <= point_id <= len(self._points):
            raise PointNotFound(str(point_id))
        return self._points[point_id - 1]

    def ensure(self, draft: PointDraft) -> Point:
        try:
            point = self.get(draft.name)
        except PointNotFound:
            return self._create(draft)
        if (point.unit, point.kind) != (draft.unit, draft.kind):
            raise PointConflict(
                f"point {draft.name} is there already as {point.kind.value} in {point.unit}, "
                f"not {draft.kind.value} in {draft.unit}"
            )
        return point

    def offsets_us(self) -> npt.NDArray[np.int64]:
        """By id: what stored times are ahead of the stamps that sources give."""
        return np.array([0, *(point.stored_time_offset_us() for point in self._points)], np.int64)

    def names(self) -> list[str]:
        """By id."""
        return ["", *(point.name for point in self._points)]

    def _create(self, draft: PointDraft) -> Point:
        made = self._client.make_points([_attributes_of(draft)])
        for reject in made.rejects:
            raise PointConflict(f"point {draft.name} was not made: {reject.detail}")
        return self._keep(made.points[0])

    def _keep(self, told: PointInfo) -> Point:
        self._points.append(point_of(told, len(self._points) + 1))
        return self._points[-1]


class RemoteSink:
    """Sends batches to a remote historian; a SampleSink for the points of its directory.

    The API counts outcomes and names refused samples; which of the others were accepted, duplicate
    or replaced is told as counts only, so their places in `AppendResult.outcome` are arbitrary.
    """

    def __init__(self, client: Client, directory: RemoteDirectory) -> None:
        self._client = client
        self._directory = directory

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        parts: list[AppendResult] = []
        for first in range(0, batch.sample_count, SAMPLES_PER_REQUEST_MAX):
            part = _part(batch, first, first + SAMPLES_PER_REQUEST_MAX)
            parts.append(await asyncio.to_thread(self._send, part, on_conflict))
        outcome = np.concatenate([part.outcome for part in parts] or [np.empty(0, np.uint8)])
        return AppendResult(outcome, max((part.sequence for part in parts), default=0))

    def _send(self, batch: SampleBatch, on_conflict: OnConflict) -> AppendResult:
        told = self._post(batch, on_conflict)
        refused = _refused(told)
        if len(refused) < told.rejected:
            # Not all are named. Asking again in pieces changes nothing and names the rest.
            step = told.rejects_listed_max
            for first in range(0, batch.sample_count, step):
                again = self._post(_part(batch, first, first + step), on_conflict)
                refused |= {first + place: code for place, code in _refused(again).items()}
        not_finite = dict.fromkeys(np.flatnonzero(np.isnan(batch.value)).tolist(), Outcome.NOT_FINITE)
        return AppendResult(_outcomes(batch.sample_count, told, refused | not_finite), told.seq)

    def _post(self, batch: SampleBatch, on_conflict: OnConflict) -> IngestResult:
        """One request; stamped as the points' sources stamp, for the API takes the label of a point off again."""
        import pyarrow as pa  # only an import needs it

        ids = batch.point_id.astype(np.int32)
        stamp_us = batch.time_us - self._directory.offsets_us()[ids]
        columns = {
            "point": pa.DictionaryArray.from_arrays(pa.array(ids), pa.array(self._directory.names())),
            "time": pa.array(stamp_us).view(pa.timestamp("us", tz="UTC")),
            "value": pa.array(np.ascontiguousarray(batch.value)),
            "quality": pa.array(np.ascontiguousarray(batch.quality)),
        }
        try:
            return self._client.ingest(pa.table(columns), on_conflict=on_conflict)
        except Problem as problem:
            _raise_own(problem)


def _part(batch: SampleBatch, first: int, last: int) -> SampleBatch:
    rows = slice(first, last)
    return SampleBatch(batch.point_id[rows], batch.time_us[rows], batch.value[rows], batch.quality[rows])


def _refused(told: IngestResult) -> dict[int, Outcome]:
    """Place in the batch → why it was refused, of those that are named."""
    return {
        reject.index: _OUTCOMES.get(reject.code, Outcome.UNKNOWN_POINT)
        for reject in told.rejects
        if reject.index is not None
    }


def _outcomes(count: int, told: IngestResult, refused: dict[int, Outcome]) -> npt.NDArray[np.uint8]:
    taken = np.repeat(
        np.array([Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.REPLACED], np.uint8),
        [told.accepted, told.duplicate, told.replaced],
    )
    outcome: npt.NDArray[np.uint8] = np.zeros(count, np.uint8)
    is_taken = np.ones(count, np.bool_)
    for place, reason in refused.items():
        outcome[place] = reason
        is_taken[place] = False
    if np.count_nonzero(is_taken) != len(taken):
        raise IngestError("the historian's answer does not count every sample; is it of another version?")
    outcome[is_taken] = taken
    return outcome


def _attributes_of(draft: PointDraft) -> PointAttributes:
    fields: dict[str, Any] = msgspec.structs.asdict(draft)
    interval_us, low, high = fields.pop("interval_us"), fields.pop("range_low"), fields.pop("range_high")
    if interval_us is not None:
        fields["interval"] = format_interval(interval_us)
    if low is not None or high is not None:
        fields["range"] = (low, high)
    return PointAttributes(**fields)


def _raise_own(problem: Problem) -> NoReturn:
    """What a problem of the API means for whoever expects a local historian."""
    match problem.status:
        case 404:
            raise _NotFound(str(problem)) from problem
        case 507:
            raise StoreReadOnly("disk_reserve", str(problem)) from problem
    raise problem


class _NotFound(PointNotFound):
    """A 404, with the historian's own words."""

    def __init__(self, detail: str) -> None:
        HistorianError.__init__(self, detail)
        self.name = ""
