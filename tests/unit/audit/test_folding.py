"""A flood is a record and a count."""

import msgspec

from historian.audit.folding import EVERYBODY, EXPORT_WINDOW_S, KEYS_MAX, WINDOW_S, Folding
from historian.clock import ManualClock
from historian.model.audit import AuditEntry, Kind

DENIED = AuditEntry(kind=Kind.DENIED, who="anybody", address="10.0.0.9", action="getPoint", result="denied")


def test_the_first_is_written_at_once_and_those_like_it_are_counted() -> None:
    clock = ManualClock()
    folding = Folding(clock)
    assert folding.take(DENIED) == DENIED
    assert [folding.take(DENIED) for _ in range(999)] == [None] * 999
    assert folding.due() == []
    clock.advance(WINDOW_S)
    [told] = folding.due()
    assert (told.count, told.address) == (999, "10.0.0.9")
    assert folding.take(DENIED) == DENIED
    clock.advance(WINDOW_S)
    assert folding.due() == []  # one alone needs no count


def test_another_address_or_result_is_another_record() -> None:
    folding = Folding(ManualClock())
    for change in ({}, {"address": "10.0.0.8"}, {"result": "failed"}, {"action": "getAudit"}):
        assert folding.take(msgspec.structs.replace(DENIED, **change)) is not None


def test_a_flood_from_everywhere_has_bounded_records() -> None:
    clock = ManualClock()
    folding = Folding(clock)
    first = [
        told
        for number in range(5000)
        if (told := folding.take(msgspec.structs.replace(DENIED, address=f"10.0.{number}", who=f"u{number}")))
    ]
    assert len(first) == KEYS_MAX + 1
    assert first[-1].address == EVERYBODY
    clock.advance(WINDOW_S)
    [rest] = folding.due()
    assert rest.count == 5000 - KEYS_MAX - 1


def test_an_export_is_counted_for_an_hour_and_the_end_tells_what_is_open() -> None:
    clock = ManualClock()
    folding = Folding(clock)
    export = msgspec.structs.replace(DENIED, kind=Kind.READ_EXPORT)
    folding.take(export)
    folding.take(export)
    clock.advance(EXPORT_WINDOW_S - 1)
    assert folding.due() == []
    assert [told.count for told in folding.due(is_end=True)] == [1]
