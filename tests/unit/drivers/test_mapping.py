import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.mapping import (
    MappingError,
    PointEntry,
    Scaling,
    check_poll_interval,
    draft_of,
    interval_us_of,
    scaling_of,
)
from historian.model.point import MINUTE_US, PointKind, TimeLabel


def entry(**changes: object) -> PointEntry:
    return PointEntry(**{"name": "a.b", "unit": "kW", **changes})  # type: ignore[arg-type]


def test_an_entry_becomes_a_draft() -> None:
    draft = draft_of(
        entry(kind=PointKind.MEAN_POWER, interval="5m", label=TimeLabel.PERIOD_END, range=(0.0, 10.0)),
        "demo110",
        "demo110.modbus",
        "Asia/Shanghai",
    )
    assert (draft.name, draft.unit, draft.kind) == ("a.b", "kW", PointKind.MEAN_POWER)
    assert (draft.interval_us, draft.label) == (5 * MINUTE_US, TimeLabel.PERIOD_END)
    assert (draft.range_low, draft.range_high) == (0.0, 10.0)
    assert (draft.station, draft.source, draft.time_zone) == ("demo110", "demo110.modbus", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        pytest.param({"unit": "kWatt"}, "unit", id="unknown unit"),
        pytest.param({"interval": "1 minute"}, "interval", id="interval that cannot be read"),
        pytest.param({"range": (5.0, 5.0)}, "range", id="empty range"),
    ],
)
def test_a_wrong_entry_names_its_field(changes: dict[str, object], key: str) -> None:
    with pytest.raises(MappingError) as caught:
        draft_of(entry(**changes), "s", "d", "UTC")
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("scale", "offset", "expected"),
    [
        pytest.param(1.0, 0.0, Scaling(1, 0, 1), id="as it is"),
        pytest.param(0.1, 0.0, Scaling(1, 0, 10), id="tenths"),
        pytest.param(0.25, -40.0, Scaling(1, -160, 4), id="with offset"),
        pytest.param(-0.01, 0.001, Scaling(-10, 1, 1000), id="negative"),
        pytest.param(1e3, 0.0, Scaling(1000, 0, 1), id="thousands"),
        pytest.param(0.0625, 0.0, Scaling(1, 0, 16), id="sixteenths"),
    ],
)
def test_scaling_is_the_decimal_that_was_written(scale: float, offset: float, expected: Scaling) -> None:
    assert scaling_of(entry(scale=scale, offset=offset), 65_535) == expected


def test_2304_tenths_are_230_point_4() -> None:
    scaling = scaling_of(entry(scale=0.1), 65_535)
    assert (2304.0 * scaling.numerator + scaling.addend) / scaling.denominator == 230.4


@given(st.integers(-(2**31), 2**31), st.integers(1, 9_999), st.integers(0, 4), st.integers(-999, 999))
def test_every_scaled_value_is_the_float_nearest_to_the_decimal(
    raw: int, digits: int, places: int, offset_digits: int
) -> None:
    scale, offset = digits / 10**places, offset_digits / 10**places
    scaling = scaling_of(entry(scale=scale, offset=offset), 2**31)
    value = (float(raw) * float(scaling.numerator) + float(scaling.addend)) / float(scaling.denominator)
    assert value == float(raw * Fraction(digits, 10**places) + Fraction(offset_digits, 10**places))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"scale": 0.0}, id="zero"),
        pytest.param({"scale": math.pi}, id="too many digits"),
        pytest.param({"scale": 1e-300}, id="too small"),
        pytest.param({"scale": math.nan}, id="not a number"),
        pytest.param({"offset": 1e17}, id="offset too large"),
    ],
)
def test_a_scale_that_cannot_be_exact_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MappingError):
        scaling_of(entry(**changes), 2**32)


def test_an_interval_must_be_a_multiple_of_the_poll_interval() -> None:
    check_poll_interval(entry(interval="1m"), 5_000_000)
    with pytest.raises(MappingError, match="interval 1m is not a multiple of the poll interval 7s"):
        check_poll_interval(entry(interval="1m"), 7_000_000)


def test_an_interval_defaults_to_a_quarter_hour() -> None:
    assert interval_us_of(entry()) == 15 * MINUTE_US


def test_a_reading_that_is_polled_has_no_day_for_a_label() -> None:
    daily = entry(kind=PointKind.REGISTER, unit="kWh", interval="1d", label=TimeLabel.PERIOD_START)
    with pytest.raises(MappingError, match="stamped with its instant") as caught:
        draft_of(daily, "", "", "Asia/Shanghai")
    assert caught.value.key == "label"
