"""The book of time-of-use calendars: every version that was ever in force, and flags that days were given.

A calendar changes only when somebody puts a new version: figures made by it are made anew then, and at no other time.
What is shipped is put once, as the first version. `put` and `flag_day` block until SQLite has synced.
"""

import copy
import datetime
import threading
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from historian.catalogue.database import Database
from historian.clock import Clock
from historian.energy import tariff
from historian.energy.holiday import NO_HOLIDAYS, Holidays
from historian.energy.tariff import DaySchedule, Tariff
from historian.errors import CatalogueError, TariffError, TariffNotFound
from historian.model.tariff import TariffCalendar

SHIPPED: Final = "shipped with the historian"


class TariffVersion(NamedTuple):
    """A calendar as it was put."""

    calendar: TariffCalendar
    recorded_us: int
    author: str
    reason: str


class DayFlag(NamedTuple):
    """A flag that a day of a calendar was given, such as that of a hot day."""

    number: int
    calendar: str
    date: datetime.date
    flag: str
    recorded_us: int
    author: str
    reason: str
    withdrawn_us: int | None


class TariffBook:
    """Calendars by id. The tables are those of `term_table.SCHEMA`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        shipped: Sequence[TariffCalendar],
        holidays: Holidays = NO_HOLIDAYS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._holidays = holidays
        self._lock = threading.RLock()
        self._versions = self._load_versions()
        self._flags = self._load_flags()
        self._compiled: dict[tuple[str, int], Tariff] = {}
        self.revision = 0
        for calendar in shipped:
            if calendar.id not in self._versions:
                self.put(msgspec.structs.replace(calendar, version=1), "", SHIPPED)

    @property
    def holidays(self) -> Holidays:
        """The table by which calendars know holidays."""
        return self._holidays

    def with_version(self, calendar: TariffCalendar) -> "TariffBook":
        """A book for looking only, in which this is the newest version of its calendar. Raises TariffError."""
        known = self._versions.get(calendar.id, [])
        newest = msgspec.structs.replace(calendar, version=len(known) + 1)
        tariff.compile_tariff(newest)
        book = copy.copy(self)
        made = TariffVersion(newest, self._clock.now_us(), "", "on trial")
        book._versions = {**self._versions, calendar.id: [*known, made]}
        book._compiled = dict(self._compiled)
        return book

    def ids(self) -> list[str]:
        """Every calendar, sorted."""
        return sorted(self._versions)

    def versions(self, calendar_id: str) -> list[TariffVersion]:
        """All versions, the first one first. Raises TariffNotFound."""
        if calendar_id not in self._versions:
            raise TariffNotFound(calendar_id, self.ids())
        return list(self._versions[calendar_id])

    def get(self, calendar_id: str, as_of_us: int | None = None) -> Tariff:
        """The version in force, or the one that was. Raises TariffNotFound."""
        known = self.versions(calendar_id)
        if as_of_us is not None:
            known = [one for one in known if one.recorded_us <= as_of_us] or known[:1]
        calendar = known[-1].calendar
        key = (calendar.id, calendar.version)
        if key not in self._compiled:
            self._compiled[key] = tariff.compile_tariff(calendar)
        return self._compiled[key]

    def check(self, calendar_id: str, options: frozenset[str]) -> None:
        """Raise TariffNotFound, or TariffError for an option that the calendar does not have."""
        known = self.get(calendar_id).options
        if not options <= known:
            wrong, allowed = ", ".join(sorted(options - known)), ", ".join(sorted(known)) or "none"
            raise TariffError(calendar_id, ("options",), f"has no option {wrong}; allowed: {allowed}")

    def put(self, calendar: TariffCalendar, author: str, reason: str) -> TariffVersion:
        """A new calendar, or the next version of a known one; the same again changes nothing. Raises TariffError."""
        tariff.compile_tariff(calendar)
        with self._lock:
            known = self._versions.get(calendar.id, [])
            next_version = len(known) + 1
            if (
                known
                and msgspec.structs.replace(calendar, version=known[-1].calendar.version)
                == known[-1].calendar
            ):
                return known[-1]
            if calendar.version != next_version:
                problem = f"version {calendar.version} does not follow; allowed: {next_version}"
                raise TariffError(calendar.id, ("version",), problem)
            made = TariffVersion(calendar, self._clock.now_us(), author, reason)
            body = msgspec.json.encode(calendar).decode()
            with self._database.transaction() as connection:
                connection.execute(
                    "INSERT INTO calendar VALUES (?, ?, ?, ?, ?, ?)",
                    (calendar.id, calendar.version, made.recorded_us, author, reason, body),
                )
            self._versions[calendar.id] = [*known, made]
            self.revision += 1
        return made

    def flag_day(self, calendar_id: str, date: datetime.date, flag: str, author: str, reason: str) -> DayFlag:
        """Say that a day was one of those. Raises TariffNotFound, TariffError where no overlay asks for the flag."""
        known = self.get(calendar_id).flags
        if flag not in known:
            allowed = ", ".join(sorted(known)) or "this calendar asks for none"
            raise TariffError(calendar_id, ("flag",), f"{flag!r} is no flag; allowed: {allowed}")
        with self._lock:
            now_us = self._clock.now_us()
            with self._database.transaction() as connection:
                cursor = connection.execute(
                    "INSERT INTO day_flag (calendar, date, flag, recorded_us, author, reason) VALUES (?, ?, ?, ?, ?, ?)",
                    (calendar_id, date.isoformat(), flag, now_us, author, reason),
                )
                number = cursor.lastrowid
            assert number is not None, "an inserted row has a number"
            made = DayFlag(number, calendar_id, date, flag, now_us, author, reason, None)
            self._flags = [*self._flags, made]
            self.revision += 1
        return made

    def withdraw_flag(self, number: int) -> DayFlag:
        """Take a flag back; it stays on record. Raises TariffError."""
        with self._lock:
            place = next(
                (i for i, one in enumerate(self._flags) if one.number == number and one.withdrawn_us is None),
                None,
            )
            if place is None:
                raise TariffError("", ("number",), f"flag {number} is not there, or was withdrawn already")
            now_us = self._clock.now_us()
            with self._database.transaction() as connection:
                connection.execute("UPDATE day_flag SET withdrawn_us = ? WHERE number = ?", (now_us, number))
            gone = self._flags[place]._replace(withdrawn_us=now_us)
            self._flags = [*self._flags[:place], gone, *self._flags[place + 1 :]]
            self.revision += 1
        return gone

    def flags(self, calendar_id: str) -> list[DayFlag]:
        """All flags ever given, withdrawn ones too, in the order of their recording."""
        return [one for one in self._flags if one.calendar == calendar_id]

    def schedule(
        self,
        calendar_id: str,
        options: frozenset[str],
        date: datetime.date,
        zone: datetime.tzinfo,
        as_of_us: int | None = None,
    ) -> DaySchedule:
        """The bands of a local day. Raises TariffNotFound, TariffError for an unknown option."""
        chosen = self.get(calendar_id, as_of_us)
        return tariff.day_bands(
            chosen, date, zone, self._holidays, self._flags_of(chosen, date, as_of_us), options
        )

    def _flags_of(self, chosen: Tariff, date: datetime.date, as_of_us: int | None) -> frozenset[str] | None:
        """Of a day of which nobody has said anything: none of which one knows."""
        if not chosen.flags:
            return frozenset()
        given = [one for one in self._flags if one.calendar == chosen.calendar.id and one.date == date]
        if as_of_us is None:
            return frozenset(one.flag for one in given if one.withdrawn_us is None) if given else None
        then = [one for one in given if one.recorded_us <= as_of_us]
        held = [one.flag for one in then if one.withdrawn_us is None or one.withdrawn_us > as_of_us]
        return frozenset(held) if then else None

    def _load_versions(self) -> dict[str, list[TariffVersion]]:
        found: dict[str, list[TariffVersion]] = {}
        rows = self._database.rows(
            "SELECT id, recorded_us, author, reason, body FROM calendar ORDER BY id, version"
        )
        for calendar_id, recorded_us, author, reason, body in rows:
            try:
                calendar = msgspec.json.decode(body, type=TariffCalendar)
            except msgspec.DecodeError as error:
                raise CatalogueError(str(self._database.path), f"calendar {calendar_id}: {error}") from error
            found.setdefault(calendar_id, []).append(TariffVersion(calendar, recorded_us, author, reason))
        return found

    def _load_flags(self) -> list[DayFlag]:
        rows = self._database.rows(
            "SELECT number, calendar, date, flag, recorded_us, author, reason, withdrawn_us FROM day_flag ORDER BY number"
        )
        return [DayFlag(row[0], row[1], datetime.date.fromisoformat(row[2]), *row[3:]) for row in rows]
