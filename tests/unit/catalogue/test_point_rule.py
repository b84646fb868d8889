"""What a point may be."""

import math

import msgspec
import pytest

from historian.catalogue import point_rule
from historian.catalogue.point_rule import check_change, check_name, complete_draft
from historian.errors import HistorianError, PointConflict, PointInvalid, TimeError, UnitError
from historian.model.point import DAY_US, MINUTE_US, PointDraft, PointKind, TimeLabel

DRAFT = PointDraft(name="S1.F101.P", unit="kW", kind=PointKind.MEAN_POWER)


def draft_with(**changes: object) -> PointDraft:
    return msgspec.structs.replace(DRAFT, **changes)


def test_a_draft_is_completed_with_the_stated_defaults() -> None:
    point = complete_draft(DRAFT, 7, "Asia/Seoul")
    assert (point.id, point.name, point.unit, point.kind) == (7, "S1.F101.P", "kW", PointKind.MEAN_POWER)
    assert point.interval_us == 15 * MINUTE_US
    assert point.time_zone == "Asia/Seoul"
    assert point.multiplier == 1.0
    assert (point.range_low, point.range_high, point.capacity) == (None, None, None)


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (PointKind.INSTANTANEOUS, TimeLabel.INSTANT),
        (PointKind.REGISTER, TimeLabel.INSTANT),
        (PointKind.RATIO, TimeLabel.INSTANT),
        (PointKind.MEAN_POWER, TimeLabel.PERIOD_START),
        (PointKind.INTERVAL, TimeLabel.PERIOD_START),
    ],
)
def test_the_default_label_follows_the_kind(kind: PointKind, label: TimeLabel) -> None:
    assert complete_draft(draft_with(kind=kind), 1, "UTC").label is label


def test_what_a_draft_says_stands() -> None:
    point = complete_draft(
        draft_with(interval_us=MINUTE_US, label=TimeLabel.PERIOD_END, time_zone="Europe/Berlin"), 1, "UTC"
    )
    assert (point.interval_us, point.label, point.time_zone) == (
        MINUTE_US,
        TimeLabel.PERIOD_END,
        "Europe/Berlin",
    )


def test_an_alias_of_a_unit_becomes_its_symbol() -> None:
    assert complete_draft(draft_with(unit="kVar"), 1, "UTC").unit == "kvar"


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"unit": "Var"}, UnitError, "say which is meant"),
        ({"unit": "parsec"}, UnitError, "allowed:"),
        ({"time_zone": "Asia/Peking2"}, TimeError, "IANA"),
        ({"interval_us": 999_999}, PointInvalid, "1s to 366d"),
        ({"interval_us": 400 * DAY_US}, PointInvalid, "1s to 366d"),
        ({"range_low": 5.0, "range_high": 5.0}, PointInvalid, "5 is not below 5"),
        ({"range_high": math.nan}, PointInvalid, "range high .* finite"),
        ({"multiplier": 0.0}, PointInvalid, "multiplier .* above 0"),
        ({"multiplier": math.inf}, PointInvalid, "multiplier .* finite"),
        ({"capacity": -1.0}, PointInvalid, "capacity .* above 0"),
        ({"station": "a\nb"}, PointInvalid, "station .* printable"),
        ({"name_zh": "长" * 201}, PointInvalid, "name_zh .* 200"),
        ({"name": "two words"}, PointInvalid, "without spaces"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_wrong_attribute_is_refused_with_what_is_allowed(
    changes: dict[str, object], error: type[HistorianError], text: str
) -> None:
    with pytest.raises(error, match=text):
        complete_draft(draft_with(**changes), 1, "UTC")


@pytest.mark.parametrize("name", ["S1.F101.P", "变电站.一号主变.有功", "x", "1a", "0.5", "a:b[c]", "x" * 200])
def test_names_that_may_be(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "123",
        ".",
        "..",
        "a b",
        "a/b",
        "a?b",
        "a#b",
        "a%b",
        "a,b",
        'a"b',
        "a\\b",
        "a\x7f",
        "a\u200bb",
        "x" * 201,
    ],
)
def test_names_that_may_not_be(name: str) -> None:
    with pytest.raises(PointInvalid, match="not allowed"):
        check_name(name)


def test_a_name_that_is_no_text_at_all_is_refused() -> None:
    with pytest.raises(PointInvalid, match="not allowed"):
        check_name("\ud800")


def test_the_kind_never_changes() -> None:
    before = complete_draft(DRAFT, 1, "UTC")
    after = msgspec.structs.replace(before, kind=PointKind.REGISTER)
    with pytest.raises(PointConflict, match=r"kind of S1\.F101\.P is fixed at mean_power"):
        check_change(before, after)


def test_the_unit_changes_only_within_its_dimension() -> None:
    before = complete_draft(DRAFT, 1, "UTC")
    check_change(before, msgspec.structs.replace(before, unit="MW"))
    with pytest.raises(PointConflict, match="only to another unit of active_power, not to kvar"):
        check_change(before, msgspec.structs.replace(before, unit="kvar"))


def freeze(days: int, time_zone: str, label: TimeLabel = TimeLabel.PERIOD_START) -> PointDraft:
    return draft_with(
        kind=PointKind.REGISTER, unit="kWh", interval_us=days * DAY_US, label=label, time_zone=time_zone
    )


def test_readings_under_their_day_are_allowed_where_every_day_has_24_hours() -> None:
    for zone in ("Asia/Shanghai", "Asia/Seoul", "Asia/Kathmandu", "UTC"):
        assert complete_draft(freeze(1, zone), 1, "UTC").label is TimeLabel.PERIOD_START
    assert complete_draft(freeze(1, "Europe/Berlin", TimeLabel.INSTANT), 1, "UTC")
    assert complete_draft(freeze(31, "Europe/Berlin", TimeLabel.PERIOD_END), 1, "UTC")


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"]
)
def test_a_day_of_another_length_is_an_error_and_no_wrong_day(zone: str) -> None:
    with pytest.raises(PointInvalid, match=f"in {zone} days have 23 to 25 hours"):
        complete_draft(freeze(1, zone), 1, "UTC")


@pytest.mark.parametrize("days", [28, 30, 31, 365])
def test_the_reading_of_a_month_has_no_fixed_distance_from_its_label(days: int) -> None:
    with pytest.raises(PointInvalid, match="label it by its instant"):
        complete_draft(freeze(days, "Asia/Shanghai"), 1, "UTC")


@pytest.mark.parametrize("sign", [*"/?#%,\\\"' \t\n", "\u2028"])
def test_signs_that_no_name_may_have_are_replaced(sign: str) -> None:
    assert point_rule.with_allowed_signs(f"站{sign}b.c") == "站_b.c"
    point_rule.check_name(point_rule.with_allowed_signs(f"a{sign}b"))
