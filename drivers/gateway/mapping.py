"""A mapping file says how a delimited text file becomes points: its layout, its time, its columns.

``config/demo/steel.toml`` is an example with every field explained in docs/operator/import.md. The
mapping, not the importer, knows what a source means: whether a stamp is the start or the end of a
period, in which zone, and to which day the 00:00 row belongs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from drivers import mapping as point_mapping
from drivers.gateway import csv_time
from historian import settings, toml_location
from historian.errors import SettingsError, TimeError
from historian.model import timestamp
from historian.model.point import PERIOD_KINDS, PointDraft, TimeLabel, is_freeze_by_day

ColumnRef = Annotated[int, Meta(ge=1, le=100_000)] | Annotated[str, Meta(min_length=1)]
SCALED_RAW_MAX = 1  # only the digits of scale and offset are checked: a number in a file has no largest value


class FileLayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[file]: the text itself."""

    delimiter: Annotated[str, Meta(min_length=1, max_length=1, pattern=r"^[^\"\r\n]$")] = ","
    encoding: Literal["utf-8", "gb18030", "gbk", "latin-1"] = "utf-8"
    decimal_mark: Literal[".", ","] = "."
    header: bool = True
    skip_lines: Annotated[int, Meta(ge=0, le=1000)] = 0
    final_newline: bool = True
    missing: tuple[str, ...] = ("",)
    sentinels: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.delimiter == self.decimal_mark:
            raise ValueError(
                f"decimal_mark: {self.decimal_mark!r} is the delimiter too; allowed: another one"
            )


class TimeLayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[time]: what the stamps look like and what they mean."""

    columns: Annotated[tuple[ColumnRef, ...], Meta(min_length=1)]
    time_zone: str
    label: TimeLabel
    format: str = "iso"
    midnight: Literal["date_start", "same_date_end"] = "date_start"

    def __post_init__(self) -> None:
        try:
            timestamp.load_zone(self.time_zone)
        except TimeError as error:
            raise ValueError(f"time_zone: {error}") from None
        try:
            csv_time.TimeFormat(self.format)
        except ValueError as error:
            raise ValueError(f"format: {error}") from None


class ColumnPoint(point_mapping.PointEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[points]]: one column, by header name or 1-based number, and the point it holds.

    `label` of the file applies, not of the entry.
    """

    column: ColumnRef
    sentinels: tuple[float, ...] = ()


class CsvLayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    time: TimeLayout
    points: Annotated[tuple[ColumnPoint, ...], Meta(min_length=1)]
    file: FileLayout = FileLayout()
    station: str = ""


class CsvMapping(NamedTuple):
    """A mapping file that was read and checked."""

    path: Path
    text: str
    layout: CsvLayout

    def error(self, location: Sequence[str | int], problem: str) -> SettingsError:
        """The error to raise for the field at `location`, such as ``("points", 2, "column")``."""
        return SettingsError(str(self.path), toml_location.line_of(self.text, location), problem)

    def drafts(self) -> list[PointDraft]:
        """The points to be made, in the order of the file."""
        return [self._draft(index) for index in range(len(self.layout.points))]

    def scalings(self) -> list[point_mapping.Scaling]:
        """How the numbers of each point's column become its unit, in the order of the file."""
        return [point_mapping.scaling_of(entry, SCALED_RAW_MAX) for entry in self.layout.points]

    def _draft(self, index: int) -> PointDraft:
        entry = self.layout.points[index]
        try:
            point_mapping.scaling_of(entry, SCALED_RAW_MAX)
            draft = point_mapping.draft_of(entry, self.layout.station, "", self.layout.time.time_zone)
        except point_mapping.MappingError as error:
            raise self.error(("points", index, error.key), str(error)) from error
        label = self.layout.time.label if entry.kind in PERIOD_KINDS else TimeLabel.INSTANT
        if is_freeze_by_day(entry.kind, draft.interval_us or 0, self.layout.time.label):
            label = self.layout.time.label
            self._check_even_days(index)
        return msgspec.structs.replace(draft, label=label)

    def _check_even_days(self, index: int) -> None:
        zone = self.layout.time.time_zone
        if not timestamp.has_even_days(timestamp.load_zone(zone)):
            raise self.error(
                ("points", index, "interval"),
                f"a daily reading under its day has no fixed time in {zone}, whose days have 23 to 25 hours; allowed: the "
                "label instant, and stamps of the instant it was frozen at",
            )


def load(path: Path) -> CsvMapping:
    """Read and check one mapping file. Raises SettingsError with file and line."""
    layout = settings.load_typed(path, CsvLayout)
    mapping = CsvMapping(path, path.read_text("utf-8-sig"), layout)
    _check_points(mapping)
    mapping.drafts()
    return mapping


def _check_points(mapping: CsvMapping) -> None:
    names: set[str] = set()
    columns: set[str | int] = set()
    for index, entry in enumerate(mapping.layout.points):
        location = ("points", index)
        if entry.name in names:
            raise mapping.error((*location, "name"), f"point {entry.name!r} is there twice")
        if entry.column in columns:
            raise mapping.error((*location, "column"), f"column {entry.column!r} is there twice")
        if isinstance(entry.column, str) and not mapping.layout.file.header:
            raise mapping.error(
                (*location, "column"),
                f"column {entry.column!r}: the file has no header; allowed: a number from 1",
            )
        if entry.label is not None:
            raise mapping.error((*location, "label"), "a file has one label; allowed: label in [time]")
        if entry.kind in PERIOD_KINDS and mapping.layout.time.label is TimeLabel.INSTANT:
            raise mapping.error(
                (*location, "kind"),
                f"{entry.kind.value} covers a period, but the label of [time] is instant; allowed: a label of "
                "period_start or period_end, or another kind",
            )
        names.add(entry.name)
        columns.add(entry.column)
    for index, column in enumerate(mapping.layout.time.columns):
        if isinstance(column, str) and not mapping.layout.file.header:
            raise mapping.error(
                ("time", "columns", index),
                f"column {column!r}: the file has no header; allowed: a number from 1",
            )
