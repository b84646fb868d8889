"""The points within a caller's reach: handlers look points up through `points_of`, and so cannot forget whose they are.

A point of a station that is not the caller's does not exist for them: the same answer as for a name nobody ever gave.
"""

import builtins
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from aiohttp import web

from api.caller import identity_of
from api.context import CONTEXT
from historian.catalogue.registry import Registry
from historian.errors import PointConflict, PointInvalid, PointNotFound
from historian.model.access import Identity
from historian.model.point import Point, PointDraft
from historian.model.sample import PointIdColumn

REACHES_MAX: Final = 32  # each a byte a point

Mask = npt.NDArray[np.bool_]


class Points(Protocol):
    """What handlers ask of the registry; all of it, or of a caller's part. Semantics are those of `Registry`."""

    @property
    def revision(self) -> int: ...
    def count(self) -> int: ...
    def get(self, name_or_id: str) -> Point: ...
    def by_id(self, point_id: int) -> Point: ...
    def points(self, ids: PointIdColumn) -> builtins.list[Point]: ...
    def names(self, ids: PointIdColumn) -> builtins.list[str]: ...
    def units(self, ids: PointIdColumn) -> builtins.list[str]: ...
    def former_name_of(self, name: str) -> bool: ...
    def find_ids(self, names: Sequence[str]) -> PointIdColumn: ...
    def stations(self) -> builtins.list[str]: ...
    def station_counts(self) -> dict[str, int]: ...
    def list(
        self,
        match: str | None = None,
        station: str | None = None,
        item: str | None = None,
        after_id: int = 0,
        limit: int = 1000,
    ) -> builtins.list[Point]: ...
    def select_ids(
        self,
        match: str | None = None,
        station: str | None = None,
        item: str | None = None,
        after_id: int = 0,
        limit: int | None = None,
    ) -> PointIdColumn: ...
    def create(self, draft: PointDraft) -> Point: ...
    def create_many(self, drafts: Iterable[PointDraft]) -> builtins.list[Point]: ...
    def update(
        self, point_id: int, changes: Mapping[str, object], valid_from_us: int | None = None
    ) -> Point: ...
    def rename(self, point_id: int, new_name: str) -> Point: ...


class Reaches:
    """Which points are of which stations, for the sets of stations asked with last."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept: OrderedDict[frozenset[str], tuple[int, Mask]] = OrderedDict()

    def of(self, identity: Identity) -> Points:
        """The points this identity may know of."""
        return self._registry if identity.stations is None else ReachedPoints(self._registry, self, identity)

    def mask(self, stations: frozenset[str]) -> Mask:
        """By point id whether the point is of one of them; made once for each revision of the registry."""
        revision = self._registry.revision
        kept = self._kept.get(stations)
        if kept is None or kept[0] != revision:
            mask = np.zeros(self._registry.highest_id + 1, np.bool_)
            for station in stations:
                ids = self._registry.select_ids(None, station)
                mask[ids[ids < len(mask)]] = True
            kept = self._kept[stations] = (revision, mask)
            if len(self._kept) > REACHES_MAX:
                self._kept.popitem(last=False)
        self._kept.move_to_end(stations)
        return kept[1]

    def within(self, identity: Identity, ids: npt.NDArray[np.integer]) -> Mask | None:
        """Of each id whether it is in reach; None: all are, for this identity everything is."""
        if identity.stations is None:
            return None
        return _marked(self.mask(identity.stations), ids)


class ReachedPoints:
    """The points of some stations, as if there were no others. Implements Points."""

    def __init__(self, registry: Registry, reaches: Reaches, identity: Identity) -> None:
        assert identity.stations is not None, "without stations everything is in reach"
        self._registry = registry
        self._stations = identity.stations
        self._mask = reaches.mask(identity.stations)

    @property
    def revision(self) -> int:
        return self._registry.revision

    def count(self) -> int:
        return int(np.count_nonzero(self._mask))

    def get(self, name_or_id: str) -> Point:
        return self._checked(self._registry.get(name_or_id), name_or_id)

    def by_id(self, point_id: int) -> Point:
        return self._checked(self._registry.by_id(point_id), str(point_id))

    def points(self, ids: PointIdColumn) -> builtins.list[Point]:
        return [self._checked(point, str(point.id)) for point in self._registry.points(ids)]

    def names(self, ids: PointIdColumn) -> builtins.list[str]:
        return self._registry.names(self._reached(ids))

    def units(self, ids: PointIdColumn) -> builtins.list[str]:
        return self._registry.units(self._reached(ids))

    def former_name_of(self, name: str) -> bool:
        return self._registry.former_name_of(name)

    def find_ids(self, names: Sequence[str]) -> PointIdColumn:
        return self._reached(self._registry.find_ids(names))

    def stations(self) -> builtins.list[str]:
        return [station for station in self._registry.stations() if station in self._stations]

    def station_counts(self) -> dict[str, int]:
        counts = self._registry.station_counts()
        return {station: count for station, count in counts.items() if station in self._stations}

    def list(
        self,
        match: str | None = None,
        station: str | None = None,
        item: str | None = None,
        after_id: int = 0,
        limit: int = 1000,
    ) -> builtins.list[Point]:
        return self._registry.points(self.select_ids(match, station, item, after_id, limit))

    def select_ids(
        self,
        match: str | None = None,
        station: str | None = None,
        item: str | None = None,
        after_id: int = 0,
        limit: int | None = None,
    ) -> PointIdColumn:
        if station is not None and station not in self._stations:
            return np.zeros(0, np.uint32)
        ids = self._registry.select_ids(match, station, item, after_id)
        ids = ids[self._is_within(ids)]
        return ids if limit is None else ids[: max(0, limit)]

    def create(self, draft: PointDraft) -> Point:
        return self.create_many([draft])[0]

    def create_many(self, drafts: Iterable[PointDraft]) -> builtins.list[Point]:
        wanted = [*drafts]
        for draft in wanted:
            self._require_station(draft.station)
            self._require_free(draft.name)
        return self._registry.create_many(wanted)

    def update(self, point_id: int, changes: Mapping[str, object], valid_from_us: int | None = None) -> Point:
        self.by_id(point_id)
        if "station" in changes:
            self._require_station(str(changes["station"]))
        return self._registry.update(point_id, changes, valid_from_us)

    def rename(self, point_id: int, new_name: str) -> Point:
        self.by_id(point_id)
        self._require_free(new_name)
        return self._registry.rename(point_id, new_name)

    def _checked(self, point: Point, name: str) -> Point:
        if point.station not in self._stations:
            raise PointNotFound(name)
        return point

    def _is_within(self, ids: PointIdColumn) -> Mask:
        return _marked(self._mask, ids)

    def _reached(self, ids: PointIdColumn) -> PointIdColumn:
        return np.where(self._is_within(ids), ids, 0).astype(np.uint32)

    def _require_station(self, station: str | None) -> None:
        if station not in self._stations:
            raise PointInvalid(f"station {station!r} is not one of yours; name one of your stations")

    def _require_free(self, name: str) -> None:
        found = self._registry.find_ids([name])
        if found[0] and not self._is_within(found)[0]:
            raise PointConflict(f"the name {name!r} is taken; choose another")


def _marked(mask: Mask, ids: npt.NDArray[np.integer]) -> Mask:
    """Of each id whether the mask has it; one that was given after the mask was made is not in it."""
    is_known = ids < len(mask)
    return mask[np.where(is_known, ids, 0)] & is_known


def points_of(request: web.Request) -> Points:
    """The points that the caller of this request may know of."""
    app = request.app
    identity = identity_of(request)
    if identity.stations is None:
        registry: Registry = app[CONTEXT].registry
        return registry
    reaches: Reaches = app[REACHES]
    return reaches.of(identity)


REACHES: Final = web.AppKey("reaches", Reaches)
