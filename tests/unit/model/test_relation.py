"""Relations lead from some types to some others, hold for a span, and are known from when they were recorded."""

import pytest

from historian.errors import EntityInvalid
from historian.model import relation
from historian.model.relation import Relation

ONE = Relation(1, "meter_at", 1, 2, "", 100, 200, 1000, withdrawn_us=2000)


def test_a_relation_holds_from_its_begin_up_to_its_end() -> None:
    assert [ONE.holds_at(at_us) for at_us in (99, 100, 199, 200)] == [False, True, True, False]
    assert ONE._replace(valid_to_us=None).holds_at(10**15)


def test_a_relation_is_known_until_it_is_withdrawn() -> None:
    assert [ONE.is_known_at(at_us) for at_us in (999, 1000, 1999, 2000, None)] == [
        False, True, True, False, False,
    ]  # fmt: skip
    assert ONE._replace(withdrawn_us=None).is_known_at(None)


@pytest.mark.parametrize(
    ("from_us", "to_us", "overlaps"),
    [
        (0, 100, False),
        (0, 101, True),
        (199, 300, True),
        (200, None, False),
        (0, None, True),
        (120, 130, True),
    ],
)
def test_spans_that_only_touch_do_not_overlap(from_us: int, to_us: int | None, overlaps: bool) -> None:
    assert ONE.overlaps(from_us, to_us) is overlaps


@pytest.mark.parametrize(
    ("kind", "source", "to", "carrier", "said"),
    [
        ("meter_at", "meter", "line", "", "leads from meter to metering_point"),
        ("meter_at", "line", "metering_point", "", "leads from"),
        ("meter_at", "meter", "metering_point", "gas", "no carrier"),
        ("supply_path", "metering_point", "metering_point", "", "electricity"),
    ],
)
def test_what_does_not_fit_is_told(kind: str, source: str, to: str, carrier: str, said: str) -> None:
    with pytest.raises(EntityInvalid, match=said):
        relation.check(relation.kind_of(kind), source, to, carrier)
    relation.check(relation.kind_of("supply_path"), "metering_point", "power_account", "electricity")


def test_unknown_kinds_and_empty_spans_are_told() -> None:
    with pytest.raises(EntityInvalid, match="meter_at"):
        relation.kind_of("beside")
    with pytest.raises(EntityInvalid, match="not after"):
        relation.check_span(5, 5)
    relation.check_span(5, None)
