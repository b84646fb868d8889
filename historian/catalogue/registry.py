"""The registry of points: all of them in memory, SQLite behind.

Look-ups are pure memory and never wait. `create`, `create_many`, `ensure` of a new point, `update` and `rename`
block until SQLite has synced (about 1 to 10 ms each, whatever the number of points): code on an event loop calls
them through ``asyncio.to_thread``. Changes are serialised by a lock and become visible only when they are on disk.
"""

import builtins
import fnmatch
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from historian.catalogue.point_column import PointColumns, PointColumnStore
from historian.catalogue.point_rule import check_attributes, check_change, check_name, complete_draft
from historian.catalogue.point_table import PointRevision, PointTable
from historian.clock import Clock
from historian.errors import PointConflict, PointInvalid, PointNotFound, TimeError
from historian.model.point import Point, PointDraft
from historian.model.sample import PointIdColumn
from historian.model.timestamp import format_time, load_zone
from historian.model.unit import get_unit

_ID_DIGITS_MAX: Final = 10  # u32


class Registry:
    """Every point of this historian, by id and by name. Implements ports.PointDirectory.

    Ids start at 1, grow by one and are never reused. A former name keeps answering and is never given to another
    point. `default_time_zone` is used where a draft names none.
    """

    def __init__(self, path: Path, clock: Clock, default_time_zone: str) -> None:
        load_zone(default_time_zone)
        self._clock = clock
        self._default_time_zone = default_time_zone
        self._lock = threading.RLock()
        self._table = PointTable(path)
        points = self._table.load_points()
        self._id_max = max(self._table.highest_id(), points[-1].id if points else 0)
        self._points: builtins.list[Point | None] = [None] * (self._id_max + 1)
        for point in points:
            self._points[point.id] = point
        self._former_names = self._table.load_former_names()
        self._id_by_name = self._former_names | {point.name: point.id for point in points}
        self._count = len(points)
        self._columns = PointColumnStore(self._points)
        self._revision = self._count + self._table.revision_count()

    def close(self) -> None:
        """Release the file; look-ups still answer."""
        self._table.close()

    @property
    def revision(self) -> int:
        """Grows with every new point and every change, over restarts too."""
        return self._revision

    def count(self) -> int:
        """How many points there are."""
        return self._count

    def get(self, name_or_id: str) -> Point:
        """By name, former name or decimal id. Raises PointNotFound."""
        point_id = self._id_by_name.get(name_or_id)
        if point_id is None and len(name_or_id) <= _ID_DIGITS_MAX:
            point_id = int(name_or_id) if name_or_id.isascii() and name_or_id.isdigit() else None
        if point_id is None:
            raise PointNotFound(name_or_id)
        return self.by_id(point_id)

    def by_id(self, point_id: int) -> Point:
        """Raises PointNotFound."""
        point = self._points[point_id] if 0 < point_id < len(self._points) else None
        if point is None:
            raise PointNotFound(str(point_id))
        return point

    def former_name_of(self, name: str) -> bool:
        """Whether `name` is one that its point no longer bears."""
        return name in self._former_names

    def find_ids(self, names: Sequence[str]) -> PointIdColumn:
        """The id of each name or former name, 0 where there is none: the fast way for many."""
        find = self._id_by_name.get
        return np.fromiter((find(name, 0) for name in names), np.uint32, len(names))

    def columns(self) -> PointColumns:
        """Attributes of the hot path as arrays indexed by point id; never written to after they were given out."""
        return self._columns.columns

    def stations(self) -> builtins.list[str]:
        """Every station that has a point, sorted."""
        return sorted({point.station for point in self._points if point is not None and point.station})

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
        is_match = re.compile(fnmatch.translate(match)).match if match is not None else None
        found: builtins.list[Point] = []
        for point in self._points[max(0, after_id) + 1 :]:
            if len(found) >= limit:
                break
            if (
                point is not None
                and (station is None or point.station == station)
                and (item is None or point.item == item)
                and (is_match is None or is_match(point.name))
            ):
                found.append(point)
        return found

    def create(self, draft: PointDraft) -> Point:
        """A new point, on disk when this returns; the same definition again gives the existing point.

        Raises PointConflict where the name is taken, PointInvalid, UnitError or TimeError for a wrong draft.
        """
        return self.create_many([draft])[0]

    def create_many(self, drafts: Iterable[PointDraft]) -> builtins.list[Point]:
        """As `create` for each draft, in one transaction: all or none."""
        with self._lock:
            answers: builtins.list[Point] = []
            made: dict[str, Point] = {}
            for draft in drafts:
                point = complete_draft(draft, self._id_max + 1 + len(made), self._default_time_zone)
                existing = made.get(point.name) or self._named(point.name)
                if existing is None:
                    made[point.name] = existing = point
                elif msgspec.structs.replace(point, id=existing.id) != existing:
                    raise PointConflict(_conflict_text(point, existing))
                answers.append(existing)
            if made:
                self._add(builtins.list(made.values()))
            return answers

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
                raise PointConflict(_taken_text(new_name, holder))
            after = msgspec.structs.replace(before, name=new_name)
            return self._change(before, after, self._clock.now_us())

    def history(self, point_id: int) -> builtins.list[PointRevision]:
        """What the point was said to be, oldest statement first; one entry where it never changed."""
        point = self.by_id(point_id)
        return self._table.load_revisions(point_id) or [PointRevision(point, None, 0)]

    def as_of(self, point_id: int, time_us: int) -> Point:
        """What the point was at `time_us`, by all that is recorded today: the latest statement that covers it."""
        covering = [
            revision.point
            for revision in self.history(point_id)
            if revision.valid_from_us is None or revision.valid_from_us <= time_us
        ]
        return covering[-1]

    def _named(self, name: str) -> Point | None:
        point_id = self._id_by_name.get(name)
        return None if point_id is None else self._points[point_id]

    def _add(self, points: builtins.list[Point]) -> None:
        self._table.insert(points)
        self._points.extend(points)
        self._id_max = points[-1].id
        self._columns.append(points)
        self._id_by_name.update((point.name, point.id) for point in points)
        self._count += len(points)
        self._revision += len(points)

    def _change(self, before: Point, after: Point, valid_from_us: int) -> Point:
        if after == before:
            return before
        self._table.change(before, after, valid_from_us, self._clock.now_us())
        self._points[after.id] = after
        self._columns.replace(after)
        if after.name != before.name:
            self._former_names.pop(after.name, None)
            self._former_names[before.name] = before.id
            self._id_by_name[after.name] = after.id
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


def _conflict_text(wanted: Point, existing: Point) -> str:
    if existing.name != wanted.name:
        return _taken_text(wanted.name, existing)
    have, want = msgspec.to_builtins(existing), msgspec.to_builtins(wanted)
    different = [
        f"{field} {have[field]!r} (asked for {want[field]!r})"
        for field in have
        if field != "id" and have[field] != want[field]
    ]
    return f"point {existing.name} exists with {', '.join(different)}"


def _taken_text(name: str, holder: Point) -> str:
    if holder.name == name:
        return f"name {name} is taken by point {holder.id}"
    return f"name {name} is a former name of {holder.name} (point {holder.id}) and stays with it"
