"""Any rows come back from a segment bit for bit, alone, in parts and merged; searches agree with plain numpy."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.store import columns
from historian.store.columns import Rows
from tests.support.segment_kit import assert_same, segment_of
from tests.support.store_kit import QUARTER_US, START_US

ODD = [-0.0, np.nan, np.inf, -np.inf, 5e-324, 1e300, 2.0**31, -(2.0**31), 2.0**53, 0.1, 1 / 3, 123456789.123]
times = st.one_of(
    st.builds(
        lambda first, step, slots: [START_US + (first + slot) * step for slot in slots],
        st.integers(0, 3),
        st.sampled_from([1, 7, 1_000_000, QUARTER_US]),
        st.lists(st.integers(0, 60), min_size=1, max_size=50, unique=True).map(sorted),
    ),
    st.lists(st.integers(0, 10**12), min_size=1, max_size=30, unique=True).map(
        lambda offsets: sorted(START_US + offset for offset in offsets)
    ),
)
values = st.one_of(
    st.integers(-(10**6), 10**6).map(lambda n: n / 100),
    st.integers(-(10**12), 10**12).map(lambda n: n / 1000),
    st.floats(allow_nan=True),
    st.sampled_from(ODD),
)


@st.composite
def runs(draw: Any) -> Rows:
    """Some points, each with times, values, qualities and sequences of its own kind."""
    parts = []
    for point_id in sorted(
        draw(st.lists(st.integers(1, 4_000_000_000), min_size=1, max_size=6, unique=True))
    ):
        time = np.array(draw(times), np.int64)
        count = len(time)
        kind = draw(st.sampled_from([values, st.integers(0, 99).map(float), st.sampled_from([1.5])]))
        value = np.array(draw(st.lists(kind, min_size=count, max_size=count)), np.float64)
        quality = np.full(count, draw(st.integers(0, 0xFFFF)), np.uint16)
        if draw(st.booleans()):
            quality[draw(st.integers(0, count - 1))] ^= 1
        sequence = draw(
            st.sampled_from(
                [np.full(count, 7), np.arange(count), time // QUARTER_US, time % 3 - (1 << 62), time // 7 % 2]
            )
        )
        parts.append(
            Rows(np.full(count, point_id, np.uint32), time, value, quality, sequence.astype(np.int64))
        )
    return columns.concatenate(parts)


@settings(max_examples=150, deadline=None)
@given(runs())
def test_any_rows_come_back(rows: Rows) -> None:
    found, superseded = segment_of(rows, superseded=rows).read_all()
    assert_same(found, rows)
    assert_same(superseded, rows)


@settings(max_examples=100, deadline=None)
@given(runs(), st.data())
def test_any_part_is_what_numpy_finds(rows: Rows, data: Any) -> None:
    segment = segment_of(rows)
    edge = st.one_of(st.sampled_from(rows.time_us.tolist()), st.integers(START_US - 9, START_US + 10**12))
    start, end = data.draw(edge), data.draw(edge)
    known = st.sampled_from(np.unique(rows.point_id).tolist())
    ids = np.array(
        data.draw(st.lists(st.one_of(known, st.integers(1, 9)), min_size=1, max_size=8)), np.uint32
    )
    block = segment.read_block(ids, start, end)
    for place, point_id in enumerate(ids.tolist()):
        wanted = (rows.point_id == point_id) & (rows.time_us >= start) & (rows.time_us < end)
        run = block.run(place)
        assert run.time_us.tolist() == rows.time_us[wanted].tolist()
        assert run.value.view(np.int64).tolist() == rows.value[wanted].view(np.int64).tolist()
        assert run.quality.tolist() == rows.quality[wanted].tolist()


@settings(max_examples=100, deadline=None)
@given(runs(), st.data())
def test_exact_searches_find_what_is_there_and_nothing_else(rows: Rows, data: Any) -> None:
    segment = segment_of(rows)
    places = data.draw(st.lists(st.integers(0, rows.row_count - 1), min_size=1, max_size=9))
    shift = np.array(data.draw(st.lists(st.sampled_from([0, 0, 1, -1, QUARTER_US]), min_size=9, max_size=9)))
    ids, moments = rows.point_id[places], rows.time_us[places] + shift[: len(places)]
    _, found = segment.find_exact(ids, moments, np.arange(len(places)))
    stored = set(zip(rows.point_id.tolist(), rows.time_us.tolist(), strict=True))
    asked = zip(ids.tolist(), moments.tolist(), strict=True)
    assert found.size.tolist() == [int(key in stored) for key in asked]
