"""Points: labels, intervals, names."""

import pytest

from historian.model.point import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    NAME_PATTERN,
    SECOND_US,
    Point,
    PointKind,
    TimeLabel,
    format_interval,
    parse_interval_us,
    stored_offset_us,
)


def point(kind: PointKind, label: TimeLabel) -> Point:
    return Point(id=1, name="p", unit="kWh", kind=kind, label=label, interval_us=15 * MINUTE_US)


def test_a_period_labelled_by_its_end_is_stored_under_its_start() -> None:
    assert point(PointKind.INTERVAL, TimeLabel.PERIOD_END).stored_time_offset_us() == -15 * MINUTE_US


def test_a_label_of_the_source_overrides_that_of_the_point() -> None:
    ending = point(PointKind.MEAN_POWER, TimeLabel.PERIOD_END)
    assert ending.stored_time_offset_us(TimeLabel.PERIOD_START) == 0


@pytest.mark.parametrize("kind", [PointKind.INSTANTANEOUS, PointKind.REGISTER, PointKind.RATIO])
def test_an_instant_is_stored_as_stamped_whatever_the_label(kind: PointKind) -> None:
    instant = point(kind, TimeLabel.PERIOD_END)
    assert not instant.has_period
    assert instant.stored_time_offset_us() == 0


@pytest.mark.parametrize(
    ("text", "interval_us"),
    [("1s", SECOND_US), ("15m", 15 * MINUTE_US), ("1h", HOUR_US), ("1d", DAY_US)],
    ids=["second", "quarter", "hour", "day"],
)
def test_interval_text_goes_both_ways(text: str, interval_us: int) -> None:
    assert parse_interval_us(text) == interval_us
    assert format_interval(interval_us) == text


@pytest.mark.parametrize("text", ["", "15", "m", "0m", "-5m", "1.5h", "15min", "15 m", "１5m"])
def test_an_interval_is_a_whole_number_with_a_unit(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        parse_interval_us(text)


def test_ninety_minutes_are_not_written_as_hours() -> None:
    assert format_interval(90 * MINUTE_US) == "90m"


@pytest.mark.parametrize("name", ["steel.import.energy", "站1.F101.P", "a:b@c"])
def test_names_may_have_dots_and_any_script(name: str) -> None:
    assert NAME_PATTERN.fullmatch(name)


@pytest.mark.parametrize(
    "name", ["", "a b", "a/b", "a?b", "a#b", "a%b", "a,b", 'a"b', "a'b", "a\x00", "x" * 201]
)
def test_names_have_no_signs_that_urls_or_line_protocol_use(name: str) -> None:
    assert not NAME_PATTERN.fullmatch(name)


@pytest.mark.parametrize(
    ("interval_us", "label", "offset_us"),
    [
        (DAY_US, TimeLabel.PERIOD_START, DAY_US),  # the reading of day D is of D+1 00:00
        (7 * DAY_US, TimeLabel.PERIOD_START, 7 * DAY_US),
        (DAY_US, TimeLabel.INSTANT, 0),
        (DAY_US, TimeLabel.PERIOD_END, 0),
        (HOUR_US, TimeLabel.PERIOD_START, 0),
    ],
)
def test_a_reading_that_comes_under_its_day_is_stored_at_the_end_of_it(
    interval_us: int, label: TimeLabel, offset_us: int
) -> None:
    frozen = Point(id=1, name="p", unit="kWh", kind=PointKind.REGISTER, interval_us=interval_us, label=label)
    assert frozen.stored_time_offset_us() == offset_us
    assert stored_offset_us(PointKind.REGISTER, interval_us, label) == offset_us
    assert stored_offset_us(PointKind.INTERVAL, interval_us, TimeLabel.PERIOD_START) == 0
