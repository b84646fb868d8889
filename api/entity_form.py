"""Entities between their JSON form and the catalogue's: moments, revisions, and what the caller may see."""

import datetime
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from aiohttp import web
from msgspec import UNSET

from api import problem
from api.context import CONTEXT
from api.edit_body import time_of
from api.operation import Parameter
from api.params import Params
from api.personal import masked, may_see_personal
from api.problem import Problem
from api.schemas_entities import AttributeReply, EntityReply, StatedReply
from api.time_form import TimeForm
from historian.catalogue.entity_book import Known
from historian.model.entity import BEGINNING_US, EXTRA, EntityKey, Span, Stated
from historian.model.item import Item
from historian.model.timestamp import load_zone, parse_local_time_us

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ETAG: Final = re.compile(r'(?:W/)?"(\d{1,18})"', re.ASCII)
NEW: Final = 0  # the revision of what is not there yet

TYPE: Final = Parameter("type", "Type of entity, such as power_account.", {"type": "string"}, "path", True)
ID: Final = Parameter("id", "Id or former id of the entity.", {"type": "string"}, "path", True)
AT: Final = Parameter(
    "at",
    "What held at this moment; absent: now, or the moment of as_of.",
    {"type": "string", "examples": ["2026-11-21T00:00:00+08:00", "1795190400000"]},
)
IF_MATCH: Final = Parameter(
    "If-Match", "ETag of the entity as it was read; 412 where it has changed.", {"type": "string"}, "header"
)
IF_NEW: Final = Parameter(
    "If-None-Match", "`*`: only where it is not there yet, else 412.", {"type": "string"}, "header"
)


def key_of(request: web.Request) -> EntityKey:
    """Type and id of the path."""
    return EntityKey(request.match_info["type"], request.match_info["id"])


def at_us(params: Params) -> int | None:
    """The moment asked for, None where none was. Raises Problem."""
    return None if params.text("at") is None else params.time_us("at")


def moment_of(request: web.Request, given: str | int, pointer: str) -> int:
    """An instant of a body, in µs; a bare date is its midnight in the zone of the settings. Raises Problem."""
    if isinstance(given, str) and _DATE.fullmatch(given):
        try:
            datetime.date.fromisoformat(given)
        except ValueError as error:
            raise Problem(
                problem.INVALID_TIME, f"{pointer}: {given!r} is no date", f"{pointer}：{given!r} 不是日期"
            ) from error
        zone = load_zone(request.app[CONTEXT].settings.time_zone)
        return parse_local_time_us(f"{given}T00:00:00", zone)
    return time_of(given, pointer)


def expected_of(request: web.Request) -> int | None:
    """The revision that ``If-Match`` or ``If-None-Match: *`` asks for, None where neither is given. Raises Problem."""
    wanted = request.headers.get("If-Match", "").strip()
    if request.headers.get("If-None-Match", "").strip() == "*":
        return NEW
    if wanted in ("", "*"):
        return None
    match = _ETAG.fullmatch(wanted)
    if match is None or int(match[1]) == NEW:
        raise Problem.of_parameter("If-Match", "is no ETag of an entity", "不是档案对象的 ETag")
    return int(match[1])


def etag_of(revision: int) -> dict[str, str]:
    """The header that tells a revision."""
    return {"ETag": f'"{revision}"'}


class EntityForm(NamedTuple):
    """How entities are told in one reply."""

    items: Mapping[str, Item]
    times: TimeForm
    sees_personal: bool

    @classmethod
    def of(cls, request: web.Request, entity_type: str, params: Params) -> "EntityForm":
        """Raises ItemInvalid for a type that is none, Problem."""
        items = request.app[CONTEXT].archive.items.attributes_of(entity_type)
        return cls(items, TimeForm.of(params), may_see_personal(request))

    def reply(self, known: Known, asked_id: str = "") -> EntityReply:
        """The JSON form; `asked_id` is the id it was asked for under."""
        told = {name: self._attribute(name, span) for name, span in known.held.items()}
        entity = known.entity
        return EntityReply(
            type=entity.key.type,
            id=entity.key.id,
            attributes={name: one for name, one in told.items() if not name.startswith(EXTRA)},
            extra={name.removeprefix(EXTRA): one for name, one in told.items() if name.startswith(EXTRA)},
            aliases=list(known.aliases),
            created_at=self.times.time(entity.created_us),
            revision=entity.revision,
            renamed_to="" if asked_id in ("", entity.key.id) else entity.key.id,
            changes=UNSET,
        )

    def stated(self, one: Stated) -> StatedReply:
        """One statement."""
        item = self.items.get(one.attribute)
        shown = None if one.value is None else self.shown(one.attribute, one.value)
        return StatedReply(
            number=one.number,
            attribute=one.attribute,
            value=shown,
            valid_from=self.since(one.valid_from_us),
            recorded_at=self.times.time(one.recorded_us),
            item=item.id if item else "",
            withdrawn=one.is_withdrawn,
            masked=shown != one.value,
            author=one.author,
            reason=one.reason,
        )

    def shown(self, attribute: str, value: str) -> str:
        """The value, as the caller may see it."""
        return value if self.sees_personal else masked(self.items.get(attribute), value)

    def since(self, time_us: int) -> str | int | None:
        """A begin; None: since ever."""
        return None if time_us == BEGINNING_US else self.times.time(time_us)

    def _attribute(self, name: str, span: Span) -> AttributeReply:
        assert span.stated.value is not None, "what holds has a value"
        item = self.items.get(name)
        shown = self.shown(name, span.stated.value)
        return AttributeReply(
            value=shown,
            valid_from=self.since(span.from_us),
            valid_to=self.times.time(span.to_us),
            recorded_at=self.times.time(span.stated.recorded_us),
            item=item.id if item else "",
            unit=item.unit if item else "",
            masked=shown != span.stated.value,
        )
