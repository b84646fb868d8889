"""Scans become the same segment that sorting makes of them; what is no scan is not taken for one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.model.sample import SampleBatch, make_batch
from historian.store import columns, scans, seal, segment_file
from historian.store.columns import Piece
from historian.store.segment import Segment
from historian.store.segment_write import Batches, Content
from tests.support.segment_kit import NO_BATCHES, Maker, assert_same, texts_of_points
from tests.support.store_kit import QUARTER_US, START_US

DAY_US = 96 * QUARTER_US
VALUES = {
    "decimals": lambda rng, count: rng.integers(-9999, 9999, count) / 1000,
    "whole": lambda rng, count: rng.integers(0, 9, count).astype(float),
    "wide": lambda rng, count: rng.integers(0, 9, count) * 1e10 + 0.5,
    "floats": lambda rng, count: rng.normal(size=count),
    "odd": lambda rng, count: np.resize(np.array([np.nan, -0.0, np.inf, 1.5, 2.0**53]), count),
}


def scan(ids: Any, time_us: int, sequence: int, value: Any = 1.5, quality: Any = 0) -> Piece:
    """One sample each of many points."""
    ids = np.asarray(ids, np.uint32)
    batch = make_batch(
        ids, np.full(len(ids), time_us), np.broadcast_to(value, len(ids)).astype(float), quality
    )
    return Piece(batch, np.array([sequence]))


def contents(pieces: list[Piece]) -> tuple[Content, Content]:
    """Of the segment of one month: by scans, and by sorting."""
    found = scans.find(pieces)
    assert found is not None
    first = seal.Draft(NO_BATCHES)
    first.add_scans(found)
    second = seal.Draft(NO_BATCHES)
    second.add(*columns.split_versions([columns.sort_pieces(pieces)]))
    assert vars(first.builder).keys() == vars(second.builder).keys()
    for name in ("run_count", "sample_count", "sequence_min", "sequence_max", "time_min_us", "time_max_us"):
        assert getattr(first.builder, name) == getattr(second.builder, name), name
    names = texts_of_points(first.builder.point_ids())
    made = [draft.builder.finish(columns.make_rows(0), NO_BATCHES, names) for draft in (first, second)]
    return made[0], made[1]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    kinds=st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3),
    present=st.sampled_from([1.0, 0.97, 0.6]),
    steps=st.lists(st.sampled_from([1, 1, 1, 2, 3]), min_size=1, max_size=40),
    parts=st.integers(1, 3),
    every=st.sampled_from([1, 3]),
    has_quality=st.booleans(),
    is_shuffled=st.booleans(),
)
def test_scans_make_the_segment_that_sorting_makes(
    seed: int, kinds: list[str], present: float, steps: list[int], parts: int, every: int, has_quality: bool,
    is_shuffled: bool,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    pieces, time_us = [], START_US
    for number, step in enumerate(steps):
        time_us += step * QUARTER_US
        ids = np.flatnonzero(rng.random(300) < present) + 7
        ids = ids[(ids % every == 0) | (number % every == 0)]
        value = np.empty(len(ids))
        for place, kind in enumerate(kinds):
            own = ids % len(kinds) == place
            value[own] = VALUES[kind](rng, int(own.sum()))
        quality = rng.integers(0, 2, len(ids)) if has_quality else 0
        whole = scan(ids, time_us, 0, value, quality)
        for part, chosen in enumerate(np.array_split(np.arange(len(ids)), parts)):
            if len(chosen):
                cut = whole.batch.part(int(chosen[0]), int(chosen[-1]) + 1)
                pieces.append(Piece(cut, np.array([10 + number * parts + part])))
    if is_shuffled:
        rng.shuffle(pieces)  # type: ignore[arg-type]
    if (found := scans.find(pieces)) is None:
        assert sum(len(piece.batch.point_id) for piece in pieces) < scans.STRETCH_SAMPLES_MIN * len(pieces)
        return
    assert found.sample_count == sum(piece.batch.sample_count for piece in pieces)
    ours, theirs = contents(pieces)
    assert ours.index_crc32c == theirs.index_crc32c
    for name, data in theirs.data_sets.items():
        if not name.startswith("scan/"):  # an entry may begin at a run that does not need it
            assert ours.data_sets[name] == data, name
    rows, expected = (
        Segment(Path("memory"), segment_file.write(one, 1)).read_all()[0] for one in (ours, theirs)
    )
    assert_same(rows, expected)


def test_several_scans_in_a_batch_and_their_sequences_are_read_back() -> None:
    times = np.repeat(START_US + QUARTER_US * np.arange(4), 50)
    batch = make_batch(np.tile(np.arange(50), 4), times, np.arange(200) / 10)
    pieces = [Piece(batch, np.array([5])), scan(np.arange(50), START_US + DAY_US, 6)]
    ours, _ = contents(pieces)
    segment = Segment(Path("memory"), segment_file.write(ours, 1))
    rows, superseded = segment.read_all()
    assert superseded.row_count == 0
    assert_same(rows, columns.sort_pieces(pieces))


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [scan(np.arange(40), 5, 1), scan(np.arange(40), 5, 2)],  # all twice
        [scan(np.arange(40), 5, 1), scan(np.arange(39, 80), 5, 2)],  # one twice
        [scan(np.arange(0, 80, 2), 5, 1), scan(np.arange(1, 80, 2), 5, 2)],  # one among the other
        [scan([3, 3, *range(4, 99)], 5, 1)],
        [Piece(make_batch(7, np.arange(400), np.ones(400)), np.array([1]))],  # a run
        [scan([*range(99), 99_999_999], 5, 1)],  # tables over all ids would be too large
        [columns.make_rows(3)],
    ],
    ids=["nothing", "twice", "edge", "between", "same", "run", "spread", "sorted"],
)
def test_what_is_no_scan_is_not_taken_for_one(pieces: list[Piece]) -> None:
    assert scans.find(pieces) is None


def test_columns_that_kernels_cannot_address_are_left_to_sorting() -> None:
    whole = scan(np.arange(80), 5, 1).batch
    thinned = SampleBatch(*(column[::2] for column in whole))
    assert scans.find([Piece(thinned, np.array([1]))]) is None


def test_each_month_becomes_a_segment(tmp_path: Path) -> None:
    pieces = [scan(np.arange(1, 60), START_US + days * DAY_US, 10 + days) for days in (40, 0, 1)]
    found = scans.find(pieces)
    assert found is not None
    batches = Batches(np.array([10, 11, 50]), np.array([1, 2, 3]), np.zeros(3, np.uint16), ["s"])
    sealed = seal.publish_scans(Maker(tmp_path).publisher(), found, batches)
    assert [(one.info.month, one.info.sample_count) for one in sealed] == [("2026-01", 118), ("2026-02", 59)]
    kept = [Segment(one.path).read_batches().sequence.tolist() for one in sealed]
    assert kept == [[10, 11], [50]]


def test_runs_are_described_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [scan(np.arange(100), START_US + k * QUARTER_US, k, np.arange(100) + k / 10) for k in range(20)]
    found = scans.find(pieces)
    assert found is not None
    monkeypatch.setattr(scans, "VALUES_AT_ONCE", 45)  # two runs
    blocks = [
        (block.point_id.tolist(), block.narrow[: block.size.sum()].copy()) for block in found.blocks(130)
    ]  # six runs
    assert [ids for ids, _ in blocks] == [list(range(at, min(at + 6, 100))) for at in range(0, 100, 6)]
    numbers = np.concatenate([narrow for _, narrow in blocks]).reshape(100, 20)
    np.testing.assert_array_equal(numbers, np.arange(100)[:, None] * 10 + np.arange(20))
