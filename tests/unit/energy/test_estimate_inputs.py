"""Parts of estimation: which samples count, which stamps are free, shares that add up."""

from fractions import Fraction

import msgspec
import numpy as np
import pytest

from historian.energy import estimate_inputs as inputs
from historian.energy.estimate_inputs import EstimateRecord, Gap
from historian.model import quality
from historian.model.point import PointKind
from historian.model.sample import SampleRun


def run_of(times: list[int], qualities: list[int] | None = None) -> SampleRun:
    bits = np.array(qualities or [0] * len(times), np.uint16)
    return SampleRun(1, np.array(times, np.int64), np.arange(len(times), dtype=np.float64), bits)


def test_known_samples_are_no_estimates_and_good_ones_beyond_doubt() -> None:
    bits = [0, quality.SUSPECT, quality.BAD, quality.ESTIMATED, quality.MANUAL, quality.DELETED]
    run = run_of([0, 1, 2, 3, 4, 5], bits)
    assert inputs.known(run).time_us.tolist() == [0, 1, 4]
    assert inputs.good(run).time_us.tolist() == [0, 4]


def test_stamps_nearer_than_half_an_interval_to_a_sample_are_taken() -> None:
    gap = Gap(0, 45, 10, PointKind.INTERVAL)
    assert inputs.free_stamps(run_of([14, 25]), gap) == [0, 20, 30, 40]
    assert inputs.free_stamps(run_of([]), gap) == [0, 10, 20, 30, 40]


def test_the_nearest_of_two_is_the_earlier_where_both_are_as_near() -> None:
    assert inputs.nearest(run_of([6, 14]), 10, 10) == 0
    assert inputs.nearest(run_of([6, 13]), 10, 10) == 1
    assert inputs.nearest(run_of([5, 15]), 10, 10) is None
    assert inputs.nearest(run_of([10]), 10, 10) == 0


def test_the_share_with_power_is_exact() -> None:
    assert inputs.share_with_power(0, 9, [(-5, 1), (3, 5), (8, 20)]) == Fraction(5, 9)
    assert inputs.share_with_power(0, 9, [(9, 12)]) == 1


@pytest.mark.parametrize(
    ("values", "more", "digits"),
    [
        pytest.param([1.25, 3.0], 1, 3, id="one more"),
        pytest.param([], 1, 1, id="none"),
        pytest.param([1 / 3], 1, 9, id="no decimal"),
        pytest.param([0.123456789], 1, 9, id="nine at most"),
        pytest.param([123_456_789.0, 1 / 3], 0, 6, id="as many as a float holds"),
    ],
)
def test_digits_are_those_of_the_values(values: list[float], more: int, digits: int) -> None:
    assert inputs.decimals_of(values, more) == digits


def test_shares_add_up_and_none_is_below_zero() -> None:
    weights = [Fraction(1), Fraction(1), Fraction(1), Fraction(0)]
    shares = inputs.round_cumulative(weights, Fraction(1), 1)
    assert shares == [Fraction(3, 10), Fraction(3, 10), Fraction(4, 10), 0]
    assert inputs.round_cumulative([Fraction(999), Fraction(1)], Fraction("0.06"), 1) == [0, Fraction("0.06")]


def test_columns_hold_the_nearest_floats() -> None:
    record = EstimateRecord(gap_start_us=0, gap_end_us=10, methods={"linear": 1})
    made = inputs.make_estimate([5], [Fraction(1, 3)], record)
    assert made.time_us.dtype == np.int64
    assert made.value.tolist() == [1 / 3]
    assert made.quality.tolist() == [quality.ESTIMATED]


def test_a_record_survives_json_and_takes_nothing_unknown() -> None:
    record = EstimateRecord(
        gap_start_us=0, gap_end_us=10, methods={"linear": 1}, end_points_us=(1, 2), notes=("register_fell",)
    )
    assert msgspec.json.decode(msgspec.json.encode(record), type=EstimateRecord) == record
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(
            b'{"gap_start_us":0,"gap_end_us":1,"methods":{},"author":"x"}', type=EstimateRecord
        )
