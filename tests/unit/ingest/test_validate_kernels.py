"""The comparing kernel against plain Python, and its numbers against the names they stand for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.ingest import validate_kernels
from historian.model import quality
from historian.model.ports import Outcome


def test_the_kernels_numbers_are_those_of_the_model() -> None:
    named = {
        "_ACCEPTED": Outcome.ACCEPTED,
        "_DUPLICATE": Outcome.DUPLICATE,
        "_REPLACED": Outcome.REPLACED,
        "_CONFLICT": Outcome.CONFLICT,
        "_NOT_FINITE": Outcome.NOT_FINITE,
        "_TOO_OLD": Outcome.TIME_TOO_OLD,
        "_IN_FUTURE": Outcome.TIME_IN_FUTURE,
        "_UNKNOWN_POINT": Outcome.UNKNOWN_POINT,
        "_VALIDITY_MASK": quality.VALIDITY_MASK,
        "_SUSPECT": quality.SUSPECT,
    }
    assert {name: getattr(validate_kernels, name) for name in named} == named


SAMPLES = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 2), st.sampled_from([1.0, 2.0]), st.booleans()),
    min_size=1,
    max_size=12,
)


@given(SAMPLES, st.dictionaries(st.tuples(st.integers(1, 2), st.integers(0, 2)), st.sampled_from([1.0, 2.0])))
def test_resolve_and_its_plain_twin_agree(
    samples: list[tuple[int, int, float, bool]], stored: dict[tuple[int, int], float]
) -> None:
    ids = np.array([sample[0] for sample in samples], np.uint32)
    times = np.array([sample[1] for sample in samples], np.int64)
    values = np.array([sample[2] for sample in samples])
    may_replace = np.array([sample[3] for sample in samples], np.uint8)
    keys = [(point, time) for point, time, _, _ in samples]
    is_found = np.array([key in stored for key in keys])
    found = np.array([stored.get(key, 0.0) for key in keys])
    zeros = np.zeros(len(samples), np.uint16)
    outcome = np.empty(len(samples), np.uint8)
    order = np.lexsort((times, ids))
    written = validate_kernels.resolve(
        order, ids, times, values, zeros, may_replace, is_found, found, zeros, outcome
    )
    state, expected = dict(stored), []
    for key, (_, _, value, may) in zip(keys, samples, strict=True):
        if state.get(key) == value:
            expected.append(Outcome.DUPLICATE)
        elif key in state and not may:
            expected.append(Outcome.CONFLICT)
        else:
            expected.append(Outcome.REPLACED if key in state else Outcome.ACCEPTED)
            state[key] = value
    assert outcome.tolist() == expected
    assert written == sum(one in (Outcome.ACCEPTED, Outcome.REPLACED) for one in expected)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(-1, 4), st.sampled_from([1.0, 5.0, -5.0, np.nan, np.inf, -np.inf])
        ),
        max_size=6,
    )
)
def test_samples_are_good_where_validation_refuses_and_marks_none(
    samples: list[tuple[int, int, float]],
) -> None:
    ids = np.array([sample[0] for sample in samples], np.uint32)
    times = np.array([sample[1] for sample in samples], np.int64)
    values = np.array([sample[2] for sample in samples])
    points = (
        np.array([0, 60, 60], np.int64),
        np.array([-np.inf, -np.inf, 0.0]),
        np.array([np.inf, np.inf, 4.0]),
    )
    fence = 0, 3
    outcome, marked = np.empty(len(ids), np.uint8), np.empty(len(ids), np.uint16)
    refused, out_of_range = validate_kernels.validate(
        ids, times, values, np.zeros(len(ids), np.uint16), *points, *fence, outcome, marked
    )
    are_good = validate_kernels.are_good(ids, times, values, *points, *fence)
    assert are_good == (refused == 0 and out_of_range == 0)
