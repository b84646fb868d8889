"""Drafts become the rows of new points; what many drafts have in common is checked once."""

from typing import NamedTuple

import msgspec
import numpy as np

from historian.catalogue.definition import Definition, attributes_of, definition_of
from historian.catalogue.point_memory import PointMemory, PointRows
from historian.catalogue.point_rule import check_name, check_texts, complete_draft
from historian.catalogue.text_column import pack
from historian.errors import PointConflict
from historian.model.point import Point, PointDraft


class _New(NamedTuple):
    id: int
    draft: PointDraft
    definition: Definition


class PointBatch:
    """Collects new points from `first_id` on."""

    def __init__(self, memory: PointMemory, first_id: int, default_time_zone: str) -> None:
        self._memory = memory
        self._first_id = first_id
        self._default_time_zone = default_time_zone
        self._definitions: dict[tuple[object, ...], Definition] = {}  # by the attributes as asked for
        self._new: dict[str, _New] = {}

    def add(self, draft: PointDraft) -> int:
        """The id of a point that is new with this batch. Raises what `complete` raises, or PointConflict."""
        definition = self._definition(draft)
        made = self._new.get(draft.name)
        if made is None:
            self._new[draft.name] = made = _New(self._first_id + len(self._new), draft, definition)
        elif _texts(made.draft) != _texts(draft) or made.definition != definition:
            existing = complete_draft(made.draft, made.id, self._default_time_zone)
            raise PointConflict(conflict_text(self.complete(draft), existing))
        return made.id

    def complete(self, draft: PointDraft) -> Point:
        """The point that the draft describes, without an id. Raises PointInvalid, UnitError or TimeError."""
        return complete_draft(draft, 0, self._default_time_zone)

    def rows(self) -> PointRows:
        """The new points; numbers their definitions and stations."""
        new = self._new.values()
        numbers = [self._memory.numbers_of(each.definition, each.draft.station) for each in new]
        definition, station = zip(*numbers, strict=True) if numbers else ((), ())
        return PointRows(
            np.arange(self._first_id, self._first_id + len(new), dtype=np.uint32),
            pack(list(self._new)),
            np.array(definition, np.uint32),
            np.array(station, np.uint32),
            [each.draft.name_zh for each in new],
            [each.draft.name_en for each in new],
        )

    def _definition(self, draft: PointDraft) -> Definition:
        asked = attributes_of(draft)
        definition = self._definitions.get(asked)
        if definition is None:
            definition = definition_of(self.complete(draft))
            self._definitions[asked] = definition
        else:
            check_name(draft.name)
            check_texts(draft)
        return definition


def conflict_text(wanted: Point, existing: Point) -> str:
    """Why `wanted` cannot be made beside `existing`, which has its name."""
    if existing.name != wanted.name:
        return taken_text(wanted.name, existing)
    have, want = msgspec.to_builtins(existing), msgspec.to_builtins(wanted)
    different = [
        f"{field} {have[field]!r} (asked for {want[field]!r})"
        for field in have
        if field != "id" and have[field] != want[field]
    ]
    return f"point {existing.name} exists with {', '.join(different)}"


def taken_text(name: str, holder: Point) -> str:
    """That a name is not free, and who has it."""
    if holder.name == name:
        return f"name {name} is taken by point {holder.id}"
    return f"name {name} is a former name of {holder.name} (point {holder.id}) and stays with it"


def _texts(draft: PointDraft) -> tuple[str, str, str]:
    return draft.station, draft.name_zh, draft.name_en
