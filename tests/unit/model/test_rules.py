"""Rules say clearly what they do not allow."""

from typing import Any

import msgspec
import pytest

from historian.model import rules
from historian.model.point import PointKind
from historian.model.rules import Rules


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param({"stuck": {"samples": 2}}, "samples: 2 is not within 3 to 100000", id="too few"),
        pytest.param({"range": {"low": 5, "high": 5}}, "low: 5 is not below high (5)", id="upside down"),
        pytest.param({"range": {"capacity_share": None}}, "nothing is asked", id="empty range"),
        pytest.param({"range": {"capacity_share": 0}}, "capacity_share: 0 is not above 0", id="share"),
        pytest.param(
            {"range": {"capacity_share": 1e4}}, "10000 is above 1000", id="share in percent of percent"
        ),
        pytest.param({"range": {"mark": "wrong"}}, "Invalid enum value 'wrong'", id="mark"),
        pytest.param({"negative": {"tolerance": -1}}, "tolerance: -1 is below 0", id="tolerance"),
        pytest.param({"negative": {"tolerance": float("nan")}}, "nan is no finite number", id="not finite"),
        pytest.param({"sentinel": {"values": []}}, "0 of them, 1 to 16 allowed", id="no sentinel"),
        pytest.param(
            {"sentinel": {"values": [float("inf")]}}, "inf is no finite number", id="infinite sentinel"
        ),
        pytest.param({"sentinel": {}}, "missing required field `values`", id="sentinels unsaid"),
        pytest.param({"spike": {"height": -1}}, "height: -1 is below 0", id="height"),
        pytest.param({"spike": {"neighbour_intervals": 0}}, "0 is not within 1 to 35136", id="neighbours"),
        pytest.param({"rate_of_change": {"max_per_hour": 0}}, "max_per_hour: 0 is not above 0", id="rate"),
        pytest.param({"zero_on_active": {"hours": 9000}}, "hours: 9000 is above 8784", id="hours"),
        pytest.param({"missing": {"gap_intervals": 0.5}}, "gap_intervals: 0.5 is below 1", id="gap"),
        pytest.param({"prolonged_estimation": {"days": 0}}, "days: 0 is not above 0", id="days"),
        pytest.param({"clock": {"year_min": 1900}}, "year_min: 1900 is not within 1970 to 2200", id="year"),
        pytest.param({"clock": {"behind_s": 0}}, "behind_s: 0 is not above 0", id="behind"),
        pytest.param({"frozen": {}}, "unknown field `frozen`", id="no such rule"),
        pytest.param({"stuck": {"count": 3}}, "unknown field `count`", id="no such parameter"),
    ],
)
def test_what_is_not_allowed_is_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(wrong, Rules)
    assert message in str(raised.value)
    assert f"$.{next(iter(wrong))}" in str(raised.value) or "unknown field" in message


def test_rules_made_in_code_are_looked_at_too() -> None:
    with pytest.raises(ValueError, match="low: 2 is not below high"):
        rules.RangeRule(low=2.0, high=1.0)


def test_rules_survive_json() -> None:
    some = msgspec.convert(
        {"sentinel": {"values": [-99, 6553.5]}, "stuck": {"samples": 4, "mark": "bad"}, "missing": {}}, Rules
    )
    assert msgspec.json.decode(msgspec.json.encode(some), type=Rules) == some
    assert some.names == ("sentinel", "stuck", "missing")
    assert some.sentinel == rules.SentinelRule(values=(-99.0, 6553.5), mark="bad")


def test_every_rule_has_its_name() -> None:
    assert {field.name for field in msgspec.structs.fields(Rules)} == set(rules.NAMES)


def test_the_usual_rules_fit_the_kind() -> None:
    assert rules.usual(PointKind.REGISTER).names == (
        "spike", "rate_of_change", "missing", "prolonged_estimation", "duplicate", "clock",
    )  # fmt: skip
    assert rules.usual(PointKind.RATIO).range is None
    assert rules.usual(PointKind.MEAN_POWER).range == rules.RangeRule(capacity_share=1.2)
