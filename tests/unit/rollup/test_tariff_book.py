"""Calendars kept in all their versions, and flags of days."""

import datetime
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue.database import Database
from historian.catalogue.term_table import SCHEMA
from historian.clock import ManualClock
from historian.energy.tariff import FLAGS_UNKNOWN
from historian.errors import CatalogueError, TariffError, TariffNotFound
from historian.model.tariff import BANDS, Overlay, Season, TariffCalendar
from historian.rollup.tariff_book import TariffBook

NOW_US = 1_700_000_000_000_000
ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")
DATE = datetime.date(2026, 7, 20)
SEASONS = (Season(peak=("08:00-20:00",), valley=("20:00-08:00",)),)
FIRST = TariffCalendar(id="t", version=1, seasons=SEASONS)
HOT = TariffCalendar(
    id="t", version=2, seasons=SEASONS, overlays=(Overlay(band="sharp", windows=("12:00-14:00",), flags=("hot_day",)),)
)  # fmt: skip


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_US)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "c.sqlite", SCHEMA, is_synced=True)
    yield made
    made.close()


def bands(book: TariffBook, as_of_us: int | None = None) -> list[str]:
    return [BANDS[code] for code in book.schedule("t", frozenset(), DATE, ZONE, as_of_us).band.tolist()]


def test_what_is_shipped_is_put_once_and_never_over_what_people_put(
    database: Database, clock: ManualClock
) -> None:
    book = TariffBook(database, clock, [FIRST])
    assert book.ids() == ["t"]
    book.put(HOT, "anna", "notice")
    again = TariffBook(database, clock, [FIRST])
    assert [one.calendar for one in again.versions("t")] == [FIRST, HOT]
    assert again.get("t").label == "t@2"


def test_the_version_of_a_moment_is_told(database: Database, clock: ManualClock) -> None:
    book = TariffBook(database, clock, [FIRST])
    clock.advance(10.0)
    book.put(HOT, "", "notice")
    book.flag_day("t", DATE, "hot_day", "", "36 degrees")
    assert bands(book) == ["valley", "peak", "sharp", "peak", "valley"]
    assert bands(book, NOW_US) == ["valley", "peak", "valley"]
    assert book.get("t", NOW_US - 5).label == "t@1"  # before there was any: the first


def test_a_day_of_which_nobody_said_anything_is_not_known(database: Database, clock: ManualClock) -> None:
    book = TariffBook(database, clock, [FIRST])
    book.put(HOT, "", "notice")
    unknown = book.schedule("t", frozenset(), DATE, ZONE)
    assert unknown.warnings == (FLAGS_UNKNOWN,)
    clock.advance(1.0)
    flag = book.flag_day("t", DATE, "hot_day", "anna", "36 degrees")
    clock.advance(1.0)
    gone = book.withdraw_flag(flag.number)
    assert book.schedule("t", frozenset(), DATE, ZONE).warnings == ()
    assert bands(book) == ["valley", "peak", "valley"]
    assert bands(book, flag.recorded_us) == ["valley", "peak", "sharp", "peak", "valley"]
    assert book.schedule("t", frozenset(), DATE, ZONE, NOW_US).warnings == (FLAGS_UNKNOWN,)
    assert TariffBook(database, clock, []).flags("t") == [gone]
    with pytest.raises(TariffError, match="withdrawn already"):
        book.withdraw_flag(flag.number)


def test_what_changes_is_seen_by_its_revision(database: Database, clock: ManualClock) -> None:
    book = TariffBook(database, clock, [FIRST])
    before = book.revision
    book.put(FIRST, "", "the same")
    assert book.revision == before
    book.put(HOT, "", "notice")
    assert book.revision == before + 1


def test_what_does_not_fit_is_refused(database: Database, clock: ManualClock) -> None:
    book = TariffBook(database, clock, [FIRST])
    with pytest.raises(TariffNotFound, match="there are: t"):
        book.get("u")
    with pytest.raises(TariffError, match="allowed: 2"):
        book.put(TariffCalendar(id="t", version=5, seasons=SEASONS, name_en="x"), "", "r")
    with pytest.raises(TariffError, match="no option x; allowed: none"):
        book.check("t", frozenset({"x"}))
    with pytest.raises(TariffError, match="asks for none"):
        book.flag_day("t", DATE, "hot_day", "", "r")
    assert len(book.versions("t")) == 1


def test_a_damaged_calendar_is_named(database: Database, clock: ManualClock) -> None:
    TariffBook(database, clock, [FIRST])
    with database.transaction() as connection:
        connection.execute("UPDATE calendar SET body = '{}'")
    with pytest.raises(CatalogueError, match="calendar t"):
        TariffBook(database, clock, [])
