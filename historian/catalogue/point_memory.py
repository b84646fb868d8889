"""All points in memory, as columns: some 80 bytes each. Point objects are made when they are asked for."""

import contextlib
import fnmatch
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.catalogue.definition import Definition, Numbered, definition_of
from historian.catalogue.name_index import NameIndex
from historian.catalogue.point_column import Numbers, PointColumnStore, SortColumns
from historian.catalogue.text_column import TextColumn, Texts, pack
from historian.errors import PointNotFound
from historian.model.point import Point
from historian.model.sample import PointIdColumn

RECENT_COUNT_MAX: Final = 65_536  # twice as many Point objects live at most, about 300 bytes each
_MATCH_PART: Final = 8192


class PointRows(NamedTuple):
    """New points as columns, by rising id; a name in Chinese or English may be empty."""

    id: PointIdColumn
    name: Texts
    definition: Numbers
    station: Numbers
    name_zh: Sequence[str]
    name_en: Sequence[str]


class Additions(NamedTuple):
    """Definitions and stations that nobody had before, with their numbers."""

    definitions: list[tuple[int, Definition]]
    stations: list[tuple[int, str]]


class PointMemory:
    """Points by id and name. One thread at a time changes it; look-ups from any thread never wait for a disk."""

    def __init__(self, definitions: Numbered[Definition], stations: Numbered[str]) -> None:
        self.definitions = definitions
        self.stations = stations
        self.count = 0
        self.columns = PointColumnStore()
        self.names = NameIndex()
        self._texts = (TextColumn(), TextColumn())  # zh, en
        self._lock = threading.Lock()  # between making an object and changing what it is made from
        self._recent: dict[int, Point] = {}
        self._former_recent: dict[int, Point] = {}
        self._by_station: dict[str, PointIdColumn] = {}
        self._offsets: tuple[SortColumns, npt.NDArray[np.int64]] | None = None
        self._attributes_by_number: dict[int, dict[str, Any]] = {}

    def append(self, rows: PointRows) -> None:
        """Points with ids above all others."""
        if len(rows.id) == 0:
            return
        for column, texts in zip(self._texts, (rows.name_zh, rows.name_en), strict=True):
            named = [i for i, text in enumerate(texts) if text]
            if named:
                column.append(rows.id[named], pack([texts[i] for i in named]))
        used = np.unique(rows.definition).tolist()
        definitions = [(number, self.definitions[number]) for number in used]
        self.columns.append(rows.id, rows.definition, rows.station, definitions)
        self.names.append(rows.id, rows.name)
        self.count += len(rows.id)
        self._by_station = {}

    @contextlib.contextmanager
    def numbering(self) -> Iterator[Callable[[], Additions]]:
        """Numbers given inside hold; where it fails they are taken back. Gives a way to ask for what is new."""
        definition_count, station_count = len(self.definitions), len(self.stations)
        try:
            yield lambda: Additions(
                self.definitions.since(definition_count), self.stations.since(station_count)
            )
        except BaseException:
            self._attributes_by_number = {}
            self.definitions.forget_since(definition_count)
            self.stations.forget_since(station_count)
            raise

    def numbers_of(self, definition: Definition, station: str) -> tuple[int, int]:
        """Numbers of definition and station; new ones where they were never seen."""
        return self.definitions.number_of(definition), self.stations.number_of(station) if station else 0

    def replace(self, before: Point, after: Point) -> None:
        """Another version of a known point."""
        with self._lock:
            definition = definition_of(after)
            number, station = self.numbers_of(definition, after.station)
            self.columns.replace(after.id, number, definition, station)
            for column, old, new in zip(self._texts, _labels(before), _labels(after), strict=True):
                if new != old:
                    column.replace(after.id, new)
            if after.name != before.name:
                self.names.replace(after.id, after.name)
            self._by_station = {}
            self._recent[after.id] = after

    def point(self, point_id: int) -> Point:
        """Raises PointNotFound."""
        return self._recent.get(point_id) or self._make(point_id)

    def points(self, ids: PointIdColumn) -> list[Point]:
        """The point of each id. Raises PointNotFound."""
        missing = np.array([each for each in ids.tolist() if each not in self._recent], np.uint32)
        if 1 < len(missing) <= RECENT_COUNT_MAX:
            with self._lock:
                for point_id, name in zip(missing.tolist(), self.names_of(missing), strict=True):
                    if not name:
                        raise PointNotFound(str(point_id))
                    self._kept(point_id, name)
        return [self.point(point_id) for point_id in ids.tolist()]

    def is_known(self, point_id: int) -> bool:
        """Whether there is a point of that id."""
        definition = self.columns.sorts.definition
        return 0 < point_id < len(definition) and bool(definition[point_id])

    def names_of(self, ids: PointIdColumn) -> list[str]:
        """The name of each id, empty where there is no such point."""
        is_known = ids < self.names.names.length
        return self.names.names.get_many(np.where(is_known, ids, np.uint32(0)))

    def units_of(self, ids: PointIdColumn) -> list[str]:
        """The unit of each id, empty where there is no such point."""
        definition = self.columns.sorts.definition
        numbers = definition[np.where(ids < len(definition), ids, np.uint32(0))]
        units = ["", *(each.unit for _, each in self.definitions.since(0))]
        return [units[number] for number in numbers.tolist()]

    def stored_offsets_us(self) -> npt.NDArray[np.int64]:
        """`Definition.stored_offset_us` of each point by id, 0 where there is no such point."""
        sorts = self.columns.sorts
        if self._offsets is None or self._offsets[0] is not sorts:
            by_definition = [0, *(each.stored_offset_us for _, each in self.definitions.since(0))]
            self._offsets = sorts, np.array(by_definition, np.int64)[sorts.definition]
            self._offsets[1].flags.writeable = False
        return self._offsets[1]

    def select(self, station: str | None, item: str | None, after_id: int) -> PointIdColumn:
        """Ids above `after_id` whose station and item are these, where given; rising."""
        if station is None:
            ids = np.flatnonzero(self.columns.sorts.definition[max(0, after_id) + 1 :]).astype(np.uint32)
            ids += np.uint32(max(0, after_id) + 1)
        else:
            ids = self._of_station(station)
            ids = ids[np.searchsorted(ids, max(0, after_id), side="right") :]
        if item is None:
            return ids
        is_item = np.zeros(len(self.definitions) + 1, np.bool_)
        for number, definition in self.definitions.since(0):
            is_item[number] = definition.item == item
        return ids[is_item[self.columns.sorts.definition[ids]]]

    def matching(self, ids: PointIdColumn, glob: str, limit: int) -> PointIdColumn:
        """The first `limit` of these whose name the glob matches."""
        found: list[int] = []
        is_match = re.compile(fnmatch.translate(glob)).match
        literal = max(
            re.split(r"[*?]", glob.partition("[")[0]), key=len
        )  # must stand in every name that matches
        for part in self._parts(ids):
            texts = self.names.names.joined(part)
            if literal in texts:
                pairs = zip(part.tolist(), texts.split("\n"), strict=False)
                found += [point_id for point_id, name in pairs if literal in name and is_match(name)]
                if len(found) >= limit:
                    break
        return np.array(found[:limit], np.uint32)

    def used_stations(self) -> list[str]:
        """Every station that has a point, sorted."""
        return sorted(
            self.stations[number] for number in np.unique(self.columns.sorts.station).tolist() if number
        )

    def station_counts(self) -> dict[str, int]:
        """How many points each station has."""
        counts = np.bincount(self.columns.sorts.station)
        return {
            self.stations[number]: int(counts[number]) for number in np.flatnonzero(counts).tolist() if number
        }

    def _of_station(self, station: str) -> PointIdColumn:
        known = self._by_station
        ids = known.get(station)
        if ids is None:
            number, sorts = self.stations.find(station) if station else 0, self.columns.sorts
            is_there = sorts.station == number if number or not station else np.zeros(0, np.bool_)
            ids = np.flatnonzero(is_there & (sorts.definition[: len(is_there)] != 0)).astype(np.uint32)
            if number:  # else whoever asks for stations that are not there would fill the memory
                known[station] = ids
        return ids

    @staticmethod
    def _parts(ids: PointIdColumn) -> Iterator[PointIdColumn]:
        for first in range(0, len(ids), _MATCH_PART):
            yield ids[first : first + _MATCH_PART]

    def _make(self, point_id: int) -> Point:
        with self._lock:
            if not self.is_known(point_id):
                raise PointNotFound(str(point_id))
            return self._kept(point_id, self.names.names.get(point_id))

    def _kept(self, point_id: int, name: str) -> Point:
        point = self._former_recent.get(point_id) or self._built(point_id, name)
        if len(self._recent) >= RECENT_COUNT_MAX:
            self._former_recent, self._recent = self._recent, {}
        self._recent[point_id] = point
        return point

    def _built(self, point_id: int, name: str) -> Point:
        sorts = self.columns.sorts
        zh, en = self._texts
        station = sorts.station[point_id]
        return Point(
            id=point_id,
            name=name,
            station=self.stations[station] if station else "",
            name_zh=zh.get(point_id),
            name_en=en.get(point_id),
            **self._attributes(int(sorts.definition[point_id])),
        )

    def _attributes(self, definition: int) -> dict[str, Any]:
        """A definition by the names of its attributes."""
        known = self._attributes_by_number.get(definition)
        if known is None:
            known = self.definitions[definition]._asdict()
            self._attributes_by_number[definition] = known
        return known


def _labels(point: Point) -> tuple[str, str]:
    return point.name_zh, point.name_en
