"""Unsealed batches against a plain list: every version is there, the newest is found, before, during and after a seal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from historian.model.sample import make_batch
from historian.store import unsealed_layer
from historian.store.columns import Rows
from historian.store.unsealed import Found, Frozen, Unsealed

Version = tuple[int, int, float, int]  # point, time, value, sequence, by arrival

SAMPLES = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), min_size=1, max_size=8)
IDS = st.lists(st.integers(0, 5), min_size=1, max_size=5, unique=True)
BOUND = st.integers(-1, 11)


def as_versions(rows: Rows) -> list[Version]:
    columns = (rows.point_id, rows.time_us, rows.value, rows.sequence)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def versions_of(held: list[Version]) -> list[Version]:
    """Sorted by point, time, sequence; of one version the last that arrived."""
    last = {(point_id, time_us, sequence): value for point_id, time_us, value, sequence in held}
    return [(point, time, last[point, time, sequence], sequence) for point, time, sequence in sorted(last)]


def newest_of(held: list[Version]) -> dict[tuple[int, int], Version]:
    return {version[:2]: version for version in versions_of(held)}


class UnsealedMachine(RuleBasedStateMachine):
    """Adds, seals and questions in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.unsealed = Unsealed()
        self.live: list[Version] = []
        self.frozen: list[Version] = []
        self.seal: Frozen | None = None
        self.record = 0

    @property
    def held(self) -> list[Version]:
        return [*self.frozen, *self.live]

    @rule(samples=SAMPLES, lag=st.integers(0, 3))
    def add(self, samples: list[tuple[int, int]], lag: int) -> None:
        self.record += 1
        sequence = max(1, self.record - lag)
        values = [float(self.record * 1000 + place) for place in range(len(samples))]
        points, times = zip(*samples, strict=True)
        self.unsealed.add(make_batch(points, times, values), sequence, self.record)
        self.live += [
            (point, time, value, sequence) for (point, time), value in zip(samples, values, strict=True)
        ]

    @rule(ids=IDS, start=BOUND, end=BOUND)
    def read(self, ids: list[int], start: int, end: int) -> None:
        wanted = [version for version in self.held if version[0] in ids and start <= version[1] < end]
        column = np.array(ids, np.uint32)
        assert as_versions(self.unsealed.read_versions(column, start, end)) == versions_of(wanted)
        newest = list(newest_of(wanted).values())
        assert as_versions(self.unsealed.read_newest(column, start, end)) == newest

    @rule(samples=SAMPLES)
    def look_up(self, samples: list[tuple[int, int]]) -> None:
        points, times = zip(*samples, strict=True)
        found = Found(len(samples))
        self.unsealed.look_up(np.array(points, np.uint32), np.array(times, np.int64), found)
        newest = newest_of(self.held)
        for place, key in enumerate(samples):
            assert bool(found.is_found[place]) == (key in newest)
            if key in newest:
                assert (found.value[place], found.sequence[place]) == newest[key][2:]

    @rule(ids=IDS, before=BOUND)
    def newest_time(self, ids: list[int], before: int) -> None:
        lowest = np.iinfo(np.int64).min
        times = self.unsealed.newest_time(np.array(ids, np.uint32), before).tolist()
        for point_id, time_us in zip(ids, times, strict=True):
            earlier = [version[1] for version in self.held if version[0] == point_id and version[1] < before]
            assert time_us == max(earlier, default=lowest)

    @precondition(lambda self: self.seal is None)
    @rule()
    def freeze(self) -> None:
        self.seal = self.unsealed.freeze()
        self.frozen, self.live = self.live, []
        assert self.seal.record == self.record

    @precondition(lambda self: self.seal is not None)
    @rule(is_failed=st.booleans())
    def end_seal(self, is_failed: bool) -> None:
        assert self.seal is not None
        expected = sorted(self.frozen, key=lambda version: (version[0], version[1], version[3]))
        assert as_versions(self.seal.sorted_rows()) == expected
        if is_failed:
            self.unsealed.thaw()
            self.live = self.held
        else:
            self.unsealed.forget()
        self.frozen, self.seal = [], None

    @invariant()
    def counts_agree(self) -> None:
        assert self.unsealed.count == len(self.held)

    @rule()
    def time_span(self) -> None:
        low, high = self.unsealed.time_span()
        if self.held:
            assert (low, high) == (min(v[1] for v in self.held), max(v[1] for v in self.held))
        else:
            assert low > high


@pytest.fixture(autouse=True)
def few_samples_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small tests meet both joined and single pieces."""
    monkeypatch.setattr(unsealed_layer, "SMALL_SAMPLES", 5)
    monkeypatch.setattr(unsealed_layer, "JOINED_SAMPLES", 12)


TestUnsealed = UnsealedMachine.TestCase
TestUnsealed.settings = settings(stateful_step_count=30)


@given(st.lists(SAMPLES, min_size=1, max_size=10))
def test_what_a_seal_took_does_not_change_while_others_read(batches: list[list[tuple[int, int]]]) -> None:
    unsealed = Unsealed()
    for number, samples in enumerate(batches):
        points, times = zip(*samples, strict=True)
        unsealed.add(make_batch(points, times, np.zeros(len(samples))), number + 1, number + 1)
    frozen = unsealed.freeze()
    before = as_versions(frozen.sorted_rows())
    unsealed.read_newest(np.arange(5, dtype=np.uint32), -1, 99)
    assert as_versions(frozen.sorted_rows()) == before
