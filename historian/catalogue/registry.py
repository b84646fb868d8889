"""The registry of points: all of them in memory as columns, SQLite behind.

Look-ups are pure memory and never wait. `create`, `create_many`, `ensure` of a new point, `update` and `rename`
block until SQLite has synced (about 1 to 10 ms each, whatever the number of points): code on an event loop calls
them through ``asyncio.to_thread``. Changes are serialised by a lock and become visible only when they are on disk.
"""

import builtins
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from historian.catalogue.definition import Definition, definition_of
from historian.catalogue.point_batch import PointBatch, conflict_text, taken_text
from historian.catalogue.point_column import PointColumns, SortColumns
from historian.catalogue.point_memory import PointMemory
from historian.catalogue.point_rule import check_attributes, check_change, check_name
from historian.catalogue.point_table import PointRevision, PointTable
from historian.clock import Clock
from historian.errors import PointConflict, PointInvalid, PointNotFound, PointsFull, TimeError
from historian.model.point import Point, PointDraft
from historian.model.sample import PointIdColumn
from historian.model.timestamp import format_time, load_zone
from historian.model.unit import get_unit

POINTS_MAX: Final = 10_000_000  # where nobody says less; each weighs some hundred bytes, more with samples
_ID_DIGITS_MAX: Final = 10  # u32


class Registry:
    """Every point of this historian, by id and by name. Implements ports.PointDirectory.

    Ids start at 1, grow by one and are never reused. A former name keeps answering and is never given to another
    point. `default_time_zone` is used where a draft names none; beyond `points_max` none is made.
    """

    def __init__(
        self, path: Path, clock: Clock, default_time_zone: str, points_max: int = POINTS_MAX
    ) -> None:
        load_zone(default_time_zone)
        self._points_max = points_max
        self._clock = clock
        self._default_time_zone = default_time_zone
        self._lock = threading.RLock()
        self._table = PointTable(path)
        self._memory = PointMemory(self._table.load_definitions(), self._table.load_stations())
        for rows in self._table.load_points(len(self._memory.definitions), len(self._memory.stations)):
            self._memory.append(rows)
        self._former_names = self._table.load_former_names()
        self._id_max = max(self._table.highest_id(), self._memory.names.names.length - 1)
        self._memory.columns.reach(self._id_max)
        self._change_counts = self._table.revision_counts()
        self._revision = self._memory.count + sum(self._change_counts.values())

    def close(self) -> None:
        """Release the file; look-ups still answer."""
        self._table.close()

    @property
    def revision(self) -> int:
        """Grows with every new point and every change, over restarts too."""
        return self._revision

    @property
    def highest_id(self) -> int:
        """The highest id ever given; 0 where there is none."""
        return self._id_max

    def count(self) -> int:
        """How many points there are."""
        return self._memory.count

    @property
    def room(self) -> int:
        """How many points may still be made."""
        return max(0, self._points_max - self.count())

    def get(self, name_or_id: str) -> Point:
        """By name, former name or decimal id. Raises PointNotFound."""
        point_id = self._find(name_or_id)
        if not point_id and len(name_or_id) <= _ID_DIGITS_MAX:
            point_id = int(name_or_id) if name_or_id.isascii() and name_or_id.isdigit() else 0
        if not point_id or not self._memory.is_known(point_id):
            raise PointNotFound(name_or_id)
        return self._memory.point(point_id)

    def by_id(self, point_id: int) -> Point:
        """Raises PointNotFound."""
        return self._memory.point(point_id)

    def points(self, ids: PointIdColumn) -> builtins.list[Point]:
        """The point of each id. Raises PointNotFound."""
        return self._memory.points(ids)

    def names(self, ids: PointIdColumn) -> builtins.list[str]:
        """The name of each id, empty where there is no such point: the fast way for many."""
        return self._memory.names_of(ids)

    def units(self, ids: PointIdColumn) -> builtins.list[str]:
        """The unit of each id, empty where there is no such point: the fast way for many."""
        return self._memory.units_of(ids)

    def former_name_of(self, name: str) -> bool:
        """Whether `name` is one that its point no longer bears."""
        return name in self._former_names

    def find_ids(self, names: Sequence[str]) -> PointIdColumn:
        """The id of each name or former name, 0 where there is none: the fast way for many."""
        found = self._memory.names.find_many(names)
        if self._former_names:
            for i in np.flatnonzero(found == 0).tolist():
                found[i] = self._former_names.get(names[i], 0)
        return found

    def columns(self) -> PointColumns:
        """Attributes of the hot path as arrays indexed by point id; never written to after they were given out."""
        return self._memory.columns.columns

    def stored_offsets_us(self) -> npt.NDArray[np.int64]:
        """What to add to a source's stamp of each point, by id, so that a period is stored under its start.

        Read only and as long as `columns`; made once for each revision.
        """
        return self._memory.stored_offsets_us()

    def sorts(self) -> SortColumns:
        """Numbers of definition and station by point id; points of one number have all of it in common."""
        return self._memory.columns.sorts

    def definition(self, number: int) -> Definition:
        """What the points of that number in `sorts` have in common."""
        return self._memory.definitions[number]

    def stations(self) -> builtins.list[str]:
        """Every station that has a point, sorted."""
        return self._memory.used_stations()

    def station_counts(self) -> dict[str, int]:
        """How many points each station has."""
        return self._memory.station_counts()

    def list(
        self,
        match: str | None = None,
        station: str | None = None,
        item: str | None = None,
        after_id: int = 0,
        limit: int = 1000,
    ) -> builtins.list[Point]:
        """Up to `limit` points by rising id, from the one after `after_id`; `match` is a glob on the name.

        The glob knows ``*``, ``?`` and ``[…]`` and minds case. `station` and `item` must be equal.
        """
        return self.points(self.select_ids(match, station, item, after_id, limit))

    def select_ids(
        self,
        match: str | None = None,
        station: str | None = None,
        item: str | None = None,
        after_id: int = 0,
        limit: int | None = None,
    ) -> PointIdColumn:
        """As `list`, but only the ids, and all of them where there is no `limit`; read only."""
        ids = self._memory.select(station, item, after_id)
        stop = len(ids) if limit is None else max(0, limit)
        return ids[:stop] if match is None else self._memory.matching(ids, match, stop)

    def create(self, draft: PointDraft) -> Point:
        """A new point, on disk when this returns; the same definition again gives the existing point.

        Raises PointConflict where the name is taken, PointInvalid, UnitError or TimeError for a wrong draft.
        """
        return self.create_many([draft])[0]

    def create_many(self, drafts: Iterable[PointDraft]) -> builtins.list[Point]:
        """As `create` for each draft, in one transaction: all or none. Raises PointsFull besides."""
        with self._lock:
            wanted = builtins.list(drafts)
            known = self.find_ids([draft.name for draft in wanted]).tolist()
            batch = PointBatch(self._memory, self._id_max + 1, self._default_time_zone)
            with self._memory.numbering() as additions:
                ids = [
                    self._same(batch.complete(draft), point_id) if point_id else batch.add(draft)
                    for draft, point_id in zip(wanted, known, strict=True)
                ]
                rows = batch.rows()
                if len(rows.id) > self.room:
                    raise PointsFull(
                        f"{len(rows.id)} points more would be over {self._points_max}, all that ingest.points_max allows"
                    )
                if len(rows.id):
                    self._table.insert(rows, additions())
            self._memory.append(rows)
            self._id_max += len(rows.id)
            self._revision += len(rows.id)
            return self._memory.points(np.array(ids, np.uint32))

    def ensure(self, draft: PointDraft) -> Point:
        """The point of that name or former name, made if absent. Raises PointConflict if unit or kind differ."""
        existing = self._named(draft.name)
        if existing is None:
            with self._lock:
                existing = self._named(draft.name) or self.create(draft)
        if existing.kind is not draft.kind or existing.unit != get_unit(draft.unit).symbol:
            raise PointConflict(
                f"point {existing.name} is {existing.kind.value} in {existing.unit}, "
                f"not {draft.kind.value} in {draft.unit}"
            )
        return existing

    def update(self, point_id: int, changes: Mapping[str, object], valid_from_us: int | None = None) -> Point:
        """The point with other attributes, valid from now or an earlier time; what it was is kept.

        `changes` maps fields of Point to values (or their JSON form). Raises PointConflict where the kind or the
        dimension of the unit would change, PointInvalid, UnitError or TimeError for a wrong value.
        """
        with self._lock:
            before = self.by_id(point_id)
            after = _changed(before, changes)
            check_attributes(after)
            check_change(before, after)
            return self._change(before, after, self._valid_from(valid_from_us))

    def rename(self, point_id: int, new_name: str) -> Point:
        """The point under another name; the former one keeps answering. Raises PointConflict if it is taken."""
        check_name(new_name)
        with self._lock:
            before = self.by_id(point_id)
            holder = self._named(new_name)
            if holder is not None and holder.id != point_id:
                raise PointConflict(taken_text(new_name, holder))
            after = msgspec.structs.replace(before, name=new_name)
            return self._change(before, after, self._clock.now_us())

    def history(self, point_id: int) -> builtins.list[PointRevision]:
        """What the point was said to be, oldest statement first; one entry where it never changed."""
        point = self.by_id(point_id)
        return self._table.load_revisions(point_id) or [PointRevision(point, None, 0)]

    def change_count(self, point_id: int) -> int:
        """How many statements about the point were recorded; 0 where it never changed."""
        return self._change_counts.get(point_id, 0)

    def changed_ids(self) -> builtins.list[int]:
        """Points that ever changed, in no order."""
        return builtins.list(self._change_counts)

    def as_of(self, point_id: int, time_us: int) -> Point:
        """What the point was at `time_us`, by all that is recorded today: the latest statement that covers it."""
        covering = [
            revision.point
            for revision in self.history(point_id)
            if revision.valid_from_us is None or revision.valid_from_us <= time_us
        ]
        return covering[-1]

    def _find(self, name: str) -> int:
        return self._memory.names.find(name) or self._former_names.get(name, 0)

    def _named(self, name: str) -> Point | None:
        point_id = self._find(name)
        return self._memory.point(point_id) if point_id else None

    def _same(self, wanted: Point, point_id: int) -> int:
        """The id of a point that is there already. Raises PointConflict where it is another than the wanted one."""
        existing = self._memory.point(point_id)
        if msgspec.structs.replace(wanted, id=point_id) != existing:
            raise PointConflict(conflict_text(wanted, existing))
        return point_id

    def _change(self, before: Point, after: Point, valid_from_us: int) -> Point:
        if after == before:
            return before
        with self._memory.numbering() as additions:
            numbers = self._memory.numbers_of(definition_of(after), after.station)
            times_us = (valid_from_us, self._clock.now_us())
            self._table.change(before, after, numbers, additions(), times_us)
        self._memory.replace(before, after)
        if after.name != before.name:
            former = self._former_names | {before.name: before.id}
            former.pop(after.name, None)
            self._former_names = former
        # The first change also records what the point was before.
        self._change_counts[before.id] = self._change_counts.get(before.id, 1) + 1
        self._revision += 1
        return after

    def _valid_from(self, valid_from_us: int | None) -> int:
        now_us = self._clock.now_us()
        if valid_from_us is None:
            return now_us
        if valid_from_us > now_us:
            raise TimeError(f"valid_from {format_time(valid_from_us)} is in the future; give now or earlier")
        return valid_from_us


def _changed(before: Point, changes: Mapping[str, object]) -> Point:
    fields = set(Point.__struct_fields__) - {"id", "name"}
    unknown = sorted(set(changes) - fields)
    if unknown:
        raise PointInvalid(
            f"{', '.join(unknown)} cannot be changed; allowed: {' '.join(sorted(fields))}; a name by rename"
        )
    try:
        merged = msgspec.to_builtins(before) | msgspec.to_builtins(dict(changes))
        point = msgspec.convert(merged, Point)
    except msgspec.ValidationError as error:
        raise PointInvalid(f"change of {before.name}: {error}") from error
    return msgspec.structs.replace(point, unit=get_unit(point.unit).symbol)
