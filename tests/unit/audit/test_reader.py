"""Pages of the trail: filters, cursors over months, and a bound on what one page reads."""

from pathlib import Path

import pytest

from historian.audit import reader
from historian.clock import ManualClock
from historian.model.audit import AuditQuestion, Kind
from historian.model.timestamp import TIME_MAX_US, parse_time_us
from historian.store.durable import DurableFiles
from tests.unit.audit.conftest import entry, open_trail

ALL = AuditQuestion(0, TIME_MAX_US)


@pytest.fixture
def filled(folder: Path, clock: ManualClock) -> Path:
    trail = open_trail(folder, clock)
    trail.append([entry(f"points/p{number}") for number in range(9)])
    clock.set_wall(parse_time_us("2026-12-05T00:00:00Z"))
    trail.append([entry("tariffs/t", Kind.CONFIG), entry("points/p1")])
    trail.close()
    return folder


def numbers(folder: Path, question: AuditQuestion) -> list[int]:
    found: list[int] = []
    place = None
    while True:
        page = reader.read(folder, DurableFiles(), question, place)
        assert len(page.records) <= question.limit
        found += [record.number for record in page.records]
        if (place := page.next_place) is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 11, 1000])
def test_pages_follow_each_other_over_months(filled: Path, limit: int) -> None:
    assert numbers(filled, ALL._replace(limit=limit)) == list(range(1, 13))


@pytest.mark.parametrize(
    ("question", "found"),
    [
        pytest.param(ALL._replace(kind="config"), [11], id="kind"),
        pytest.param(ALL._replace(who="historian"), [1], id="who"),
        pytest.param(ALL._replace(object="p1"), [3, 12], id="object"),
        pytest.param(ALL._replace(since_us=parse_time_us("2026-12-01T00:00:00Z")), [11, 12], id="since"),
        pytest.param(
            ALL._replace(until_us=parse_time_us("2026-12-01T00:00:00Z"), object="p1"), [3], id="until"
        ),
    ],
)
def test_only_what_was_asked_for(filled: Path, question: AuditQuestion, found: list[int]) -> None:
    assert numbers(filled, question) == found


def test_one_page_reads_so_much_and_the_next_goes_on(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "SCAN_BYTES_MAX", 1000)
    monkeypatch.setattr(reader, "CHUNK_BYTES", 700)
    page = reader.read(filled, DurableFiles(), ALL._replace(kind="config"))
    assert (page.records, page.next_place is None) == ([], False)
    assert numbers(filled, ALL._replace(kind="config")) == [11]
