"""Works on a running historian through its HTTP API, for commands that are given ``--server URL``.

`RemoteSink` and `RemoteDirectory` stand in for the local ones, so an import is the same code either way.
"""

import asyncio
import http.client
import itertools
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from historian.clock import Clock
from historian.errors import (
    HistorianError,
    IngestError,
    PointConflict,
    PointNotFound,
    QueueFull,
    StoreReadOnly,
)
from historian.model import timestamp
from historian.model.point import Point, PointDraft, PointKind, TimeLabel, format_interval, parse_interval_us
from historian.model.ports import REJECT_CODES, AppendResult, OnConflict, Outcome
from historian.model.sample import SampleBatch

API: Final = "/api/v1"
REQUEST_TIMEOUT_S: Final = 60.0
SAMPLES_PER_REQUEST_MAX: Final = 20_000
RETRY_AFTER_DEFAULT_S: Final = 1
QUEUE_FULL_RETRIES_MAX: Final = 600

_OUTCOMES: Final = {code: outcome for outcome, code in REJECT_CODES.items()}


class Answer(NamedTuple):
    """One HTTP answer, body read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RemoteHistorian:
    """One connection to a historian, opened anew where it was closed. Blocks; raises HistorianError."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise HistorianError(f"--server {url} is no address; allowed: http://HOST:PORT")
        try:
            port = parts.port
        except ValueError:
            raise HistorianError(f"--server {url} has no valid port; allowed: 1 to 65535") from None
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._url = url
        self._base = parts.path.rstrip("/") + API
        self._connection = kind(parts.hostname, port, timeout=REQUEST_TIMEOUT_S)

    def close(self) -> None:
        self._connection.close()

    def get_json(self, path: str, query: Mapping[str, str]) -> Any:
        """The answer to a GET as plain values."""
        return msgspec.json.decode(self._checked("GET", _with_query(path, query), {}, b"").body)

    def get_csv(self, path: str, query: Mapping[str, str]) -> tuple[str, str]:
        """The answer as CSV text, and the cursor of the next page, empty on the last."""
        answer = self._checked("GET", _with_query(path, query), {"Accept": "text/csv"}, b"")
        return answer.body.decode("utf-8-sig"), answer.headers.get("X-Next-Cursor", "")

    def post_json(self, path: str, body: object) -> Any:
        """The answer to a POST as plain values."""
        headers = {"Content-Type": "application/json"}
        return msgspec.json.decode(self._checked("POST", path, headers, msgspec.json.encode(body)).body)

    def _checked(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        answer = self._ask(method, path, {"Accept": "application/json"} | headers, body)
        if answer.status >= 300:
            raise _error_of(answer, self._url)
        return answer

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        is_reused = self._connection.sock is not None
        try:
            return self._ask_once(method, path, headers, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self._connection.close()
            if not is_reused:
                raise self._unreachable(error) from error
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise self._unreachable(error) from error
        # The other side let an idle connection go; every request of ours may be repeated.
        try:
            return self._ask_once(method, path, headers, body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise self._unreachable(error) from error

    def _ask_once(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self._connection.request(method, self._base + path, body or None, headers)
        response = self._connection.getresponse()
        return Answer(response.status, dict(response.headers), response.read())

    def _unreachable(self, error: Exception) -> HistorianError:
        return HistorianError(
            f"{self._url} does not answer: {str(error) or type(error).__name__}; is the historian running?"
        )


class RemoteDirectory:
    """Points of a remote historian; a PointDirectory. Ids are this object's own."""

    def __init__(self, remote: RemoteHistorian) -> None:
        self._remote = remote
        self._points: list[Point] = []

    def get(self, name_or_id: str) -> Point:
        for point in self._points:
            if point.name == name_or_id:
                return point
        return self._keep(self._remote.get_json(f"/points/{urllib.parse.quote(name_or_id, safe='')}", {}))

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

    def _create(self, draft: PointDraft) -> Point:
        made = self._remote.post_json("/points", [_body_of(draft)])
        for reject in made["rejects"]:
            raise PointConflict(f"point {draft.name} was not made: {reject['detail']}")
        return self._keep(made["points"][0])

    def _keep(self, reply: dict[str, Any]) -> Point:
        point = Point(
            id=len(self._points) + 1,
            name=reply["name"],
            unit=reply["unit"],
            kind=PointKind(reply["kind"]),
            interval_us=parse_interval_us(reply["interval"]),
            label=TimeLabel(reply["label"]),
            time_zone=reply["time_zone"],
            station=reply.get("station", ""),
        )
        self._points.append(point)
        return point


class RemoteSink:
    """Sends batches to a remote historian; a SampleSink for the points of its directory.

    The API counts outcomes and names refused samples; which of the others were accepted, duplicate
    or replaced is told as counts only, so their places in `AppendResult.outcome` are arbitrary.
    """

    def __init__(self, remote: RemoteHistorian, directory: RemoteDirectory, clock: Clock) -> None:
        self._remote = remote
        self._directory = directory
        self._clock = clock

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        parts: list[AppendResult] = []
        for first in range(0, batch.sample_count, SAMPLES_PER_REQUEST_MAX):
            part = _part(batch, first, first + SAMPLES_PER_REQUEST_MAX)
            parts.append(await self._send_when_room(part, on_conflict))
        outcome = np.concatenate([part.outcome for part in parts] or [np.empty(0, np.uint8)])
        return AppendResult(outcome, max((part.sequence for part in parts), default=0))

    async def _send_when_room(self, batch: SampleBatch, on_conflict: OnConflict) -> AppendResult:
        """Wait here while the queue is full: parts sent before must not be sent again and count twice."""
        for _ in range(QUEUE_FULL_RETRIES_MAX):
            try:
                return await asyncio.to_thread(self._send, batch, on_conflict)
            except QueueFull as error:
                await self._clock.sleep(error.retry_after_s)
        raise IngestError(f"the ingest queue stayed full for {QUEUE_FULL_RETRIES_MAX} tries; try again later")

    def _send(self, batch: SampleBatch, on_conflict: OnConflict) -> AppendResult:
        reply, places = self._post(batch, on_conflict)
        refused = _refused(reply, places)
        if reply["rejects_omitted"]:
            # Not all are named. Asking again in pieces changes nothing and names the rest.
            step = reply["rejects_listed_max"]
            for first in range(0, batch.sample_count, step):
                part = _part(batch, first, first + step)
                again, part_places = self._post(part, on_conflict)
                refused |= {first + place: code for place, code in _refused(again, part_places).items()}
        return AppendResult(_outcomes(batch.sample_count, reply, refused), int(reply["seq"]))

    def _post(self, batch: SampleBatch, on_conflict: OnConflict) -> tuple[dict[str, Any], list[int]]:
        """The reply, and where in the batch each series begins."""
        runs = list(_runs(batch))
        series = [self._series(_part(batch, first, last)) for first, last in runs]
        body = {"series": series, "on_conflict": on_conflict}
        return self._remote.post_json("/ingest", body), [first for first, _ in runs]

    def _series(self, batch: SampleBatch) -> dict[str, object]:
        """One point's samples, stamped as its sources stamp them: the API takes the point's label off again."""
        point = self._directory.by_id(int(batch.point_id[0]))
        stamp_us = batch.time_us - point.stored_time_offset_us()
        series: dict[str, object] = {"point": point.name, "values": batch.value.tolist()}
        if (stamp_us % 1000).any():
            series["times"] = [timestamp.format_time(time_us) for time_us in stamp_us.tolist()]
        else:
            series["times"] = (stamp_us // 1000).tolist()
        if batch.quality.any():
            series["quality"] = batch.quality.tolist()
        return series


def _part(batch: SampleBatch, first: int, last: int) -> SampleBatch:
    rows = slice(first, last)
    return SampleBatch(batch.point_id[rows], batch.time_us[rows], batch.value[rows], batch.quality[rows])


def _runs(batch: SampleBatch) -> Iterator[tuple[int, int]]:
    """Ranges of one point each, in the batch's order."""
    edges = [0, *(np.flatnonzero(np.diff(batch.point_id.astype(np.int64))) + 1).tolist(), batch.sample_count]
    return ((first, last) for first, last in itertools.pairwise(edges) if first < last)


def _refused(reply: dict[str, Any], places: list[int]) -> dict[int, Outcome]:
    """Place in the batch → why it was refused; a series refused as a whole is its fault alone, all of it."""
    refused: dict[int, Outcome] = {}
    for reject in reply["rejects"]:
        first = places[reject["series"]]
        outcome = _OUTCOMES.get(reject["code"], Outcome.UNKNOWN_POINT)
        if reject.get("index") is None:
            refused |= dict.fromkeys(range(first, first + reject.get("count", 1)), outcome)
        else:
            refused[first + reject["index"]] = outcome
    return refused


def _outcomes(
    count: int, reply: dict[str, Any], refused: dict[int, Outcome]
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    taken = np.repeat(
        np.array([Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.REPLACED], np.uint8),
        [reply["accepted"], reply["duplicate"], reply["replaced"]],
    )
    outcome = np.zeros(count, np.uint8)
    is_taken = np.ones(count, np.bool_)
    for place, reason in refused.items():
        outcome[place] = reason
        is_taken[place] = False
    if np.count_nonzero(is_taken) != len(taken):
        raise IngestError("the historian's answer does not count every sample; is it of another version?")
    outcome[is_taken] = taken
    return outcome


def _body_of(draft: PointDraft) -> dict[str, object]:
    fields = msgspec.to_builtins(draft)
    interval_us, low, high = fields.pop("interval_us"), fields.pop("range_low"), fields.pop("range_high")
    if interval_us is not None:
        fields["interval"] = format_interval(interval_us)
    if low is not None or high is not None:
        fields["range"] = [low, high]
    return {name: value for name, value in fields.items() if value is not None}


def _with_query(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urllib.parse.urlencode(query)}" if query else path


def _error_of(answer: Answer, url: str) -> HistorianError:
    """What a problem of the API means here."""
    try:
        told = msgspec.json.decode(answer.body)
        detail = str(told.get("detail") or told.get("title") or "")
    except (msgspec.DecodeError, AttributeError):
        detail = ""
    detail = (
        detail or f"{url} answered {answer.status} {http.client.responses.get(answer.status, '')}".rstrip()
    )
    retry_after = answer.headers.get("Retry-After", "")
    match answer.status:
        case 404:
            return _NotFound(detail)
        case 507:
            return StoreReadOnly("disk_reserve", detail)
        case 429 | 503 if retry_after.isdigit():
            return QueueFull(int(retry_after) or RETRY_AFTER_DEFAULT_S)
    return HistorianError(detail)


class _NotFound(PointNotFound):
    """A 404, with the historian's own words."""

    def __init__(self, detail: str) -> None:
        HistorianError.__init__(self, detail)
        self.name = ""
