"""Who sent which batch: kept until a segment keeps it, joined when segments are merged."""

from historian.model.sample import Origin
from historian.store import batch_journal
from historian.store.batch_journal import BatchJournal


def journal_of(*entries: tuple[int, int, str]) -> BatchJournal:
    journal = BatchJournal()
    for record, arrival_us, source in entries:
        journal.add(record, record, arrival_us, Origin(source))
    return journal


def test_entries_come_back_with_their_source() -> None:
    found = journal_of((1, 10, "a"), (2, 20, "b"), (3, 30, "a")).snapshot()
    assert [found.source_names[number] for number in found.source] == ["a", "b", "a"]
    assert found.arrival_time_us.tolist() == [10, 20, 30]


def test_entries_up_to_a_sequence_are_dropped() -> None:
    journal = journal_of((1, 10, "a"), (4, 40, "b"), (5, 50, "c"))
    journal.drop_through(4)
    assert journal.snapshot().sequence.tolist() == [5]
    journal.drop_through(9)
    journal.drop_through(9)
    assert journal.snapshot().sequence.tolist() == []


def test_joining_keeps_each_entry_once_with_its_own_source() -> None:
    first = journal_of((1, 10, "a"), (3, 30, "b")).snapshot()
    second = journal_of((2, 20, "b"), (3, 30, "b")).snapshot()
    joined = batch_journal.join([first, second])
    assert joined.sequence.tolist() == [1, 2, 3]
    assert [joined.source_names[number] for number in joined.source] == ["a", "b", "b"]


def test_too_many_sources_share_one_name() -> None:
    journal = BatchJournal()
    for number in range(65_540):
        journal.add(number, number, 0, Origin(f"source {number}"))
    found = journal.snapshot()
    assert len(found.source_names) == 65_536
    assert found.source_names[found.source[-1]] == "(others)"
