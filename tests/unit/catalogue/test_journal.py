"""The journal of outages."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue import journal as journal_module
from historian.catalogue.journal import COLLECTOR_OFF, DETAIL_LENGTH_MAX, MISSING_FILE, Journal, Outage
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.errors import CatalogueError
from historian.model.point import PointDraft, PointKind

FAR_US = 10**15


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path, ManualClock(FAR_US))
    yield journal
    journal.close()


def test_an_outage_has_a_source_a_time_and_a_cause(journal: Journal) -> None:
    journal.outage_began("modbus", 100, "link_down", "connection refused")
    assert journal.outages(["modbus"], 0, 1000) == [
        Outage("modbus", 100, None, "link_down", "connection refused")
    ]
    journal.outage_ended("modbus", 200)
    assert journal.outages(["modbus"], 0, 1000) == [
        Outage("modbus", 100, 200, "link_down", "connection refused")
    ]


def test_an_open_outage_keeps_its_first_cause(journal: Journal) -> None:
    journal.outage_began("modbus", 100, "link_down", "")
    journal.outage_began("modbus", 150, "timeout", "")
    journal.outage_ended("modbus", 200)
    journal.outage_ended("modbus", 300)
    assert journal.outages(["modbus"], 0, 1000) == [Outage("modbus", 100, 200, "link_down", "")]


@pytest.mark.parametrize(
    ("start_us", "end_us", "count"),
    [(0, 100, 0), (0, 101, 1), (150, 160, 1), (199, 300, 1), (200, 300, 0)],
)
def test_outages_that_touch_the_range_are_given_whole(
    journal: Journal, start_us: int, end_us: int, count: int
) -> None:
    journal.outage_began("modbus", 100, "link_down", "")
    journal.outage_ended("modbus", 200)
    assert (
        journal.outages(["modbus"], start_us, end_us) == [Outage("modbus", 100, 200, "link_down", "")] * count
    )


def test_sources_do_not_mix_and_answers_come_by_time(journal: Journal) -> None:
    for start_us, source in ((300, "a"), (100, "b"), (200, "c")):
        journal.outage_began(source, start_us, "link_down", "")
    assert [outage.source for outage in journal.outages(["a", "b", "a"], 0, 1000)] == ["b", "a"]
    assert journal.outages([], 0, 1000) == []


def test_more_sources_than_one_statement_takes(journal: Journal) -> None:
    names = [f"s{n:04}" for n in range(1200)]
    journal.outage_began(names[-1], 1, "link_down", "")
    assert len(journal.outages(names, 0, 10)) == 1


def test_a_clock_that_stepped_back_gives_an_empty_outage(journal: Journal) -> None:
    journal.outage_began("modbus", 100, "link_down", "")
    journal.outage_ended("modbus", 50)
    journal.outage_began("modbus", 60, "link_down", "again")
    assert [(outage.start_us, outage.end_us) for outage in journal.outages(["modbus"], 0, 101)] == [
        (60, None),
        (100, 100),
    ]


def test_a_detail_of_any_length_is_cut(journal: Journal) -> None:
    journal.outage_began("modbus", 100, "link_down", "x" * 10_000)
    assert len(journal.outages(["modbus"], 0, 1000)[0].detail) == DETAIL_LENGTH_MAX


def reopened(path: Path, journal: Journal, now_us: int = FAR_US) -> Journal:
    journal.close()
    return Journal(path, ManualClock(now_us))


def test_the_time_between_two_lives_is_an_outage_of_the_historian(path: Path, journal: Journal) -> None:
    journal.process_started(1_000)
    journal.process_stopped(2_000)
    journal = reopened(path, journal)
    journal.process_started(5_000)
    assert journal.outages([], 0, 10_000) == [
        Outage("", 2_000, 5_000, "historian_down", "stopped in good order")
    ]
    assert journal.outages([], 0, 2_000) == journal.outages([], 5_000, 10_000) == []


def test_after_a_crash_it_was_down_since_its_last_sign_of_life(path: Path, journal: Journal) -> None:
    journal.process_started(1_000)
    journal.process_alive(1_500)
    journal.process_alive(1_400)  # the clock stepped back
    journal = reopened(path, journal)
    journal.process_started(5_000)
    assert [outage[1:3] for outage in journal.outages([], 0, 10_000)] == [(1_500, 5_000)]


def test_before_its_first_life_the_historian_was_not_down(journal: Journal) -> None:
    journal.process_started(1_000)
    assert journal.outages([], 0, 10_000) == []


def test_a_life_that_seems_to_begin_before_the_last_one_ended_gives_no_outage(
    path: Path, journal: Journal
) -> None:
    journal.process_started(1_000)
    journal.process_stopped(2_000)
    journal = reopened(path, journal)
    journal.process_started(1_500)
    assert journal.outages([], 0, 10_000) == []


def test_an_offline_reader_sees_the_historian_down_until_now(path: Path, journal: Journal) -> None:
    journal.process_started(1_000)
    journal.process_stopped(2_000)
    journal = reopened(path, journal, now_us=7_000)
    assert [outage[1:3] for outage in journal.outages([], 0, 10_000)] == [(2_000, 7_000)]


def test_it_may_share_the_file_of_the_registry(path: Path, journal: Journal) -> None:
    registry = Registry(path, ManualClock(0), "UTC")
    registry.create(PointDraft(name="a", unit="V", kind=PointKind.INSTANTANEOUS))
    journal.outage_began("modbus", 100, "link_down", "")
    registry.rename(1, "b")
    assert len(journal.outages(["modbus"], 0, 1000)) == 1
    registry.close()


KILLED_CHILD = """
import os, signal, sys
from pathlib import Path
from historian.catalogue.journal import Journal
from historian.clock import ManualClock
journal = Journal(Path(sys.argv[1]), ManualClock(0))
journal.process_started(1_000)
journal.outage_began("modbus", 1_100, "link_down", "refused")
journal.process_alive(1_200)
journal.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_outage_open_at_kill_9_stays_open_until_the_source_is_back(path: Path, root: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", KILLED_CHILD, str(path)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": "."},
        timeout=60,
    )
    assert child.returncode == -signal.SIGKILL
    journal = Journal(path, ManualClock(FAR_US))
    journal.process_started(4_000)
    assert journal.outages(["modbus"], 0, 10_000) == [
        Outage("modbus", 1_100, None, "link_down", "refused"),
        Outage("", 1_200, 4_000, "historian_down", "died; down since its last sign of life"),
    ]
    journal.outage_began("modbus", 4_100, "timeout", "")  # still out: the first cause stands
    journal.outage_ended("modbus", 5_000)
    assert journal.outages(["modbus"], 0, 10_000)[0] == Outage("modbus", 1_100, 5_000, "link_down", "refused")
    journal.close()


def test_a_burst_is_one_transaction_and_none_before_the_flush(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = journal._database
    begun: list[int] = []
    transaction = database.transaction
    monkeypatch.setattr(database, "transaction", lambda: begun.append(1) or transaction())
    for point in range(1000):
        journal.outage_began(f"modbus/{point}", 100, "device_exception", "code 2")
    journal.outage_ended("modbus/7", 200)
    assert (len(begun), journal.waiting_count) == (0, 1000)
    assert journal.flush() == 1000
    assert (len(begun), journal.waiting_count) == (1, 0)
    assert len(database.rows("SELECT 1 FROM outage")) == 1000
    assert database.rows("SELECT end_us FROM outage WHERE source = 'modbus/7'") == [(200,)]
    assert journal.flush() == 0
    assert len(begun) == 1


def test_an_outage_that_ends_after_the_flush_is_the_same_row(journal: Journal) -> None:
    journal.outage_began("modbus", 100, "link_down", "")
    journal.flush()
    journal.outage_ended("modbus", 300)
    journal.flush()
    assert journal._database.rows("SELECT start_us, end_us FROM outage") == [(100, 300)]


def test_what_could_not_be_written_waits_and_the_number_of_them_is_bounded(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise CatalogueError("journal", "disk full")

    monkeypatch.setattr(journal_module, "WAITING_MAX", 2)
    with monkeypatch.context() as broken:
        broken.setattr(journal._database, "transaction", fail)
        journal.outage_began("a", 1, "link_down", "")
        journal.outage_began("b", 1, "link_down", "")
        with pytest.raises(CatalogueError):
            journal.flush()
        journal.outage_began("c", 1, "link_down", "")
    assert (journal.waiting_count, journal.lost_count) == (2, 1)
    assert [outage.source for outage in journal.outages(["a", "b", "c"], 0, 10)] == ["a", "b"]


def test_a_missing_file_is_recorded_whole(journal: Journal) -> None:
    missing = Outage("station:S1", 100, 200, MISSING_FILE, "load_20261121.csv")
    journal.record(missing)
    journal.record(missing._replace(start_us=150, end_us=400))
    assert journal.outages(["station:S1"], 180, 300) == [
        missing,
        missing._replace(start_us=150, end_us=400),
    ]


def test_a_collector_that_is_configured_no_more_is_off_until_it_is_back(path: Path) -> None:
    first = Journal(path, ManualClock(FAR_US))
    first.collectors_configured(["modbus", "iec104"], 100)
    assert first.outages(["modbus", "iec104"], 0, FAR_US) == []
    first.close()
    later = Journal(path, ManualClock(FAR_US))
    later.collectors_configured(["modbus"], 500)
    [off] = later.outages(["modbus", "iec104"], 0, FAR_US)
    assert off[:4] == ("iec104", 500, None, COLLECTOR_OFF)
    later.outage_ended("iec104", 900)
    assert later.outages(["iec104"], 0, FAR_US)[0].end_us == 900
    later.close()


def test_what_was_over_long_ago_is_forgotten(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_PRUNED_AT_ONCE", 2)
    for start_us in range(0, 500, 100):
        journal.record(Outage("modbus", start_us, start_us + 50, "link_down", ""))
    journal.outage_began("iec104", 0, "link_down", "lasts")
    for life_us in (0, 100, 200):
        journal.process_started(life_us)
        journal.process_stopped(life_us + 10)
    journal.flush()
    assert journal.prune(251) == 3
    left = journal.outages(["modbus", "iec104"], 0, 1000)
    assert [(one.source, one.start_us) for one in left] == [("iec104", 0), ("modbus", 300), ("modbus", 400)]
    assert len(journal._database.rows("SELECT 1 FROM process_life")) == 1
    journal.prune(FAR_US)
    assert len(journal._database.rows("SELECT 1 FROM process_life")) == 1  # the one that lives
