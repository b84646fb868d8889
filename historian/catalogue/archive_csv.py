"""The archive as CSV, table by table: entities with their attributes, relations, charges, points.

A row stands for itself: one that cannot be taken is told by its line and costs no other. Taken again, a file changes nothing. What is
exported is what is known now; record times are those of the historian that imports.
"""

import csv
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from historian.catalogue import item_check
from historian.catalogue.archive import Archive
from historian.catalogue.charge_book import Billed
from historian.catalogue.charge_book import Outcome as Charged
from historian.catalogue.entity_book import Change, Changed
from historian.catalogue.registry import Registry
from historian.catalogue.relation_book import Outcome as Related
from historian.catalogue.relation_book import Wanted
from historian.errors import CsvInvalid, EntityInvalid, HistorianError, PointError, TimeError, UnitError
from historian.model import relation
from historian.model.entity import BEGINNING_US, EntityKey
from historian.model.point import Point, PointDraft, PointKind, TimeLabel, format_interval, parse_interval_us
from historian.model.relation import POINT
from historian.model.timestamp import format_time, load_zone, parse_local_time_us, parse_time_us

PART_ROWS: Final = 1_000  # of one transaction: others write in between
ALIAS: Final = "alias"  # in place of an attribute: a former id

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "entities": ("type", "id", "attribute", "value", "valid_from"),
    "relations": ("kind", "from_type", "from_id", "to_type", "to_id", "carrier", "valid_from", "valid_to"),
    "charges": ("type", "id", "item", "start", "end", "amount", "unit", "document"),
    "points": (
        "name", "unit", "kind", "interval", "label", "time_zone", "station", "item", "name_zh", "name_en", "range_low",
        "range_high", "multiplier", "capacity", "source",
    ),
}  # fmt: skip
"""The columns of each table; `type`, `id` and what identifies a row are required, others may be left out."""
_REQUIRED: Final[Mapping[str, int]] = {"entities": 2, "relations": 5, "charges": 2, "points": 1}

Row = Mapping[str, str]
Numbered = tuple[int, Row]
Shown = Callable[[str, str, str], str]  # (type, attribute, value) → what may be shown


class Reject(NamedTuple):
    """A row that was not taken, and why."""

    line: int
    detail: str


class Report(NamedTuple):
    """What became of the rows: each is new, a change, there already, or rejected."""

    rows: int
    created: int
    changed: int
    unchanged: int
    rejects: Sequence[Reject]


class _Counts:
    def __init__(self) -> None:
        self.rows = self.created = self.changed = self.unchanged = 0
        self.rejects: list[Reject] = []

    def add(self, *, is_new: bool, is_changed: bool) -> None:
        self.created += is_new
        self.changed += is_changed and not is_new
        self.unchanged += not (is_new or is_changed)


class ArchiveCsv:
    """Reads and writes the tables. Blocks; `time_zone` is where bare dates begin, `author` whose statements the rows are."""

    def __init__(self, archive: Archive, registry: Registry, time_zone: str, author: str = "") -> None:
        self._archive = archive
        self._registry = registry
        self._zone = load_zone(time_zone)
        self._author = author

    def take(
        self, table: str, lines: Iterable[str], tell: Callable[[int], None] = lambda _rows: None
    ) -> Report:
        """Import rows; `tell` hears how many are done. Raises CsvInvalid where the header or the text is unusable."""
        counts = _Counts()
        takers = {
            "entities": self._take_entities,
            "relations": self._take_relations,
            "charges": self._take_charges,
            "points": self._take_points,
        }
        rows = _read(table, lines, counts)
        while part := list(itertools.islice(rows, PART_ROWS)):
            takers[table](part, counts)
            counts.rows += len(part)
            tell(counts.rows)
        rejects = sorted(counts.rejects)
        return Report(counts.rows, counts.created, counts.changed, counts.unchanged, rejects)

    def rows(
        self, table: str, shown: Shown = lambda _type, _attribute, value: value
    ) -> Iterator[tuple[str, ...]]:
        """The header and all rows of a table, as they are known now."""
        makers = {
            "entities": lambda: self._entity_rows(shown),
            "relations": self._relation_rows,
            "charges": self._charge_rows,
            "points": self._point_rows,
        }
        yield COLUMNS[table]
        yield from makers[table]()

    def _take_entities(self, part: Sequence[Numbered], counts: _Counts) -> None:
        asked = []
        for line, row in part:
            with _Refusals(line, counts):
                asked.append((line, self._change_of(row)))
        outcomes = self._archive.entities.change_all([change for _, change in asked])
        for (line, _), outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome, Changed):
                counts.add(is_new=outcome.is_new, is_changed=outcome.added_count > 0)
            else:
                counts.rejects.append(Reject(line, str(outcome)))

    def _change_of(self, row: Row) -> Change:
        key, attribute = EntityKey(row["type"], row["id"]), row.get("attribute", "")
        if attribute == ALIAS:
            return Change(key, aliases=[row.get("value", "")], author=self._author)
        attributes = {attribute: row.get("value", "") or None} if attribute else {}
        return Change(key, attributes, self._since(row), author=self._author)

    def _take_relations(self, part: Sequence[Numbered], counts: _Counts) -> None:
        asked = []
        for line, row in part:
            with _Refusals(line, counts):
                to_id = row["to_id"]
                if row["to_type"] == POINT:
                    to_id = str(self._registry.get(to_id).id)
                valid_to = row.get("valid_to", "")
                wanted = Wanted(
                    row["kind"],
                    EntityKey(row["from_type"], row["from_id"]),
                    EntityKey(row["to_type"], to_id),
                    row.get("carrier", ""),
                    self._since(row),
                    self._moment(valid_to) if valid_to else None,
                    author=self._author,
                )
                asked.append((line, wanted))
        outcomes = self._archive.relations.state_all([wanted for _, wanted in asked])
        for (line, _), outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome, Related):
                counts.add(is_new=outcome.is_changed, is_changed=outcome.is_changed)
            else:
                counts.rejects.append(Reject(line, str(outcome)))

    def _take_charges(self, part: Sequence[Numbered], counts: _Counts) -> None:
        asked = []
        for line, row in part:
            with _Refusals(line, counts):
                billed = Billed(
                    EntityKey(row["type"], row["id"]),
                    row.get("item", ""),
                    self._moment(row.get("start", "")),
                    self._moment(row.get("end", "")),
                    row.get("amount", ""),
                    row.get("unit", ""),
                    row.get("document", ""),
                    author=self._author,
                )
                asked.append((line, billed))
        outcomes = self._archive.charges.state_all([billed for _, billed in asked])
        for (line, _), outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome, Charged):
                is_first = outcome.is_new and outcome.charge.supersedes is None
                counts.add(is_new=is_first, is_changed=outcome.is_new)
            else:
                counts.rejects.append(Reject(line, str(outcome)))

    def _take_points(self, part: Sequence[Numbered], counts: _Counts) -> None:
        drafts: list[tuple[int, PointDraft]] = []
        for line, row in part:
            with _Refusals(line, counts):
                drafts.append((line, self._draft_of(row)))
        known = set(self._registry.find_ids([draft.name for _, draft in drafts]).tolist())
        try:
            points = self._registry.create_many([draft for _, draft in drafts])
        except (PointError, UnitError, TimeError):
            points = []
            for line, draft in drafts:
                with _Refusals(line, counts):
                    points.append(self._registry.create(draft))
        for point in points:
            counts.add(is_new=point.id not in known, is_changed=False)
            known.add(point.id)

    def _draft_of(self, row: Row) -> PointDraft:
        given: dict[str, object] = {
            name: row[name] for name in ("name", "unit", "time_zone", "station", "name_zh", "name_en", "source") if row.get(name)
        }  # fmt: skip
        try:
            if row.get("kind"):
                given["kind"] = PointKind(row["kind"])
            if row.get("label"):
                given["label"] = TimeLabel(row["label"])
            if row.get("interval"):
                given["interval_us"] = parse_interval_us(row["interval"])
            for name in ("range_low", "range_high", "multiplier", "capacity"):
                if row.get(name):
                    given[name] = float(row[name])
        except ValueError as error:
            raise EntityInvalid(str(error)) from error
        if row.get("item"):
            item = item_check.measured_item(self._archive.items, row["item"])
            given = {**item_check.inherited(item), **given, "item": item.id}
        missing = [name for name in ("name", "unit", "kind") if name not in given]
        if missing:
            raise EntityInvalid(f"{', '.join(missing)}: required, or from an item")
        return PointDraft(**given)  # type: ignore[arg-type]

    def _entity_rows(self, shown: Shown) -> Iterator[tuple[str, ...]]:
        book = self._archive.entities
        for entity_type in sorted(book.counts()):
            after = 0
            while page := book.page(entity_type, None, after, PART_ROWS):
                after = page[-1].entity.number
                every = book.spans([known.entity for known in page])
                for known, spans in zip(page, every, strict=True):
                    key = known.entity.key
                    yield (*key, "", "", "")
                    for alias in known.aliases:
                        yield (*key, ALIAS, alias, "")
                    for name, steps in spans.items():
                        for span in steps:
                            value = span.stated.value
                            told = "" if value is None else shown(key.type, name, value)
                            yield (*key, name, told, _time_text(span.from_us))

    def _relation_rows(self) -> Iterator[tuple[str, ...]]:
        after = 0
        while page := self._archive.relations.page(after, PART_ROWS):
            after = page[-1].number
            numbers = {one.from_number for one in page} | {one.to_number for one in page}
            named = self._archive.entities.by_numbers(sorted(numbers))
            for one in page:
                if relation.kind_of(one.kind).to_types == (POINT,):
                    to = EntityKey(POINT, self._registry.by_id(one.to_number).name)
                else:
                    to = named[one.to_number].key
                valid_to = "" if one.valid_to_us is None else format_time(one.valid_to_us)
                since = _time_text(one.valid_from_us)
                yield (one.kind, *named[one.from_number].key, *to, one.carrier, since, valid_to)

    def _charge_rows(self) -> Iterator[tuple[str, ...]]:
        after = 0
        while page := self._archive.charges.page(after, PART_ROWS):
            after = page[-1].number
            named = self._archive.entities.by_numbers(sorted({one.entity for one in page}))
            for one in page:
                period = (format_time(one.start_us), format_time(one.end_us))
                yield (*named[one.entity].key, one.item, *period, one.amount, one.unit, one.document)

    def _point_rows(self) -> Iterator[tuple[str, ...]]:
        after = 0
        while page := self._registry.list(after_id=after, limit=PART_ROWS):
            after = page[-1].id
            yield from map(_point_row, page)

    def _since(self, row: Row) -> int:
        text = row.get("valid_from", "")
        return self._moment(text) if text else BEGINNING_US

    def _moment(self, text: str) -> int:
        if len(text) == len("2026-01-01") and text[4:5] == "-":
            return parse_local_time_us(f"{text}T00:00:00", self._zone)
        return parse_time_us(text)


class _Refusals:
    """Keeps what a row raises as its reject."""

    def __init__(self, line: int, counts: _Counts) -> None:
        self._line = line
        self._counts = counts

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, HistorianError):
            return False
        self._counts.rejects.append(Reject(self._line, str(error)))
        return True


def _read(table: str, lines: Iterable[str], counts: _Counts) -> Iterator[Numbered]:
    reader = csv.reader(lines, strict=True)
    header = [cell.strip().lower() for cell in _next(reader) or []]
    needed, known = COLUMNS[table][: _REQUIRED[table]], COLUMNS[table]
    if set(needed) - set(header) or set(header) - set(known) or len(set(header)) < len(header):
        raise CsvInvalid(
            1, f"the header is {','.join(header)}; needed: {','.join(needed)}; known: {','.join(known)}"
        )
    line = reader.line_num + 1
    while (cells := _next(reader)) is not None:
        if len(cells) == len(header):
            yield line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
        elif cells:
            counts.rows += 1
            counts.rejects.append(Reject(line, f"{len(cells)} fields, the header has {len(header)}"))
        line = reader.line_num + 1


def _next(reader: "Iterator[list[str]]") -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise CsvInvalid(getattr(reader, "line_num", 1), str(error)) from error


def _time_text(time_us: int) -> str:
    return "" if time_us == BEGINNING_US else format_time(time_us)


def _point_row(point: Point) -> tuple[str, ...]:
    numbers = (point.range_low, point.range_high, point.multiplier, point.capacity)
    return (
        point.name, point.unit, point.kind.value, format_interval(point.interval_us), point.label.value, point.time_zone,
        point.station, point.item, point.name_zh, point.name_en,
        *("" if number is None else repr(number) for number in numbers), point.source,
    )  # fmt: skip
