"""Reads the files of ``config/tariffs``: a calendar each, and tables of holidays (``holidays-*.toml``)."""

from pathlib import Path
from typing import Final, NamedTuple

from historian.errors import SettingsError, TariffError
from historian.model.tariff import HolidayTable, TariffCalendar
from historian.toml_file import load_typed
from historian.toml_location import line_of

HOLIDAY_PATTERN: Final = "holidays-*.toml"
FILES_MAX: Final = 10_000  # of one folder


class TariffFile(NamedTuple):
    """A calendar with where it stands."""

    path: Path
    text: str
    calendar: TariffCalendar

    def error(self, fault: TariffError) -> SettingsError:
        """The same fault with file and line."""
        return SettingsError(str(self.path), line_of(self.text, fault.place), fault.problem)


def load_calendar(path: Path) -> TariffFile:
    """One calendar. Raises SettingsError with file and line."""
    calendar = load_typed(path, TariffCalendar)
    return TariffFile(path, path.read_text(encoding="utf-8-sig"), calendar)


def load_calendars(folder: Path) -> list[TariffFile]:
    """Every calendar of a folder, sorted by id and version. Raises SettingsError, for one that stands there twice too."""
    holidays = set(folder.glob(HOLIDAY_PATTERN))
    found: dict[tuple[str, int], TariffFile] = {}
    for path in _paths(folder, "*.toml"):
        if path in holidays:
            continue
        one = load_calendar(path)
        first = found.setdefault((one.calendar.id, one.calendar.version), one)
        if first is not one:
            problem = f"version {one.calendar.version} of {one.calendar.id} is already in {first.path}"
            raise SettingsError(str(path), line_of(one.text, ("id",)), problem)
    return [found[key] for key in sorted(found)]


def load_holidays(folder: Path) -> dict[str, HolidayTable]:
    """Every table of holidays of a folder by its id. Raises SettingsError, for one that stands there twice too."""
    tables: dict[str, HolidayTable] = {}
    for path in _paths(folder, HOLIDAY_PATTERN):
        table = load_typed(path, HolidayTable)
        if table.id in tables:
            line = line_of(path.read_text(encoding="utf-8-sig"), ("id",))
            raise SettingsError(str(path), line, f"{table.id} has a table already; allowed: one of each id")
        tables[table.id] = table
    return tables


def _paths(folder: Path, pattern: str) -> list[Path]:
    paths = sorted(folder.glob(pattern))
    if len(paths) > FILES_MAX:
        raise SettingsError(str(folder), 1, f"{len(paths)} files; allowed: {FILES_MAX}")
    return paths
