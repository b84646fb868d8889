"""Rollup rows one by one, and the comparison of ETags."""

import msgspec
import pytest
from multidict import MultiDict

from api import rollup_form
from api.params import Params
from api.problem import Problem
from api.sample_form import SampleForm
from historian.energy.coverage import Coverage
from historian.rollup.row import RollupRow

ROW = RollupRow(
    point_id=1, period="day", period_start_us=0, period_end_us=86_400_000_000, energy=24.0, unit="kWh",
    max_demand=1.5, max_demand_unit="kW", max_start_us=900_000_000, max_end_us=1_800_000_000, min=0.5,
    min_start_us=0, min_end_us=900_000_000, mean=1.0, load_factor=2 / 3, coverage=Coverage(expected=96, received=95),
    method="interval_sum", state="provisional", revision=2, computed_at_us=99,
)  # fmt: skip
NAMES = {1: "e"}


def form(**query: str) -> SampleForm:
    return SampleForm.of(Params(MultiDict(query)))


def test_a_row_tells_figures_units_and_evidence() -> None:
    (reply,) = rollup_form.replies_of([ROW], NAMES, form(tz="Asia/Shanghai"))
    assert (reply.point, reply.energy, reply.unit) == ("e", 24.0, "kWh")
    assert (reply.max_time, reply.max_time_local) == ("1970-01-01T00:15:00Z", "1970-01-01T08:15:00+08:00")
    assert reply.coverage.received == 95
    assert reply.revision == 2


def test_only_energies_are_converted() -> None:
    (reply,) = rollup_form.replies_of([ROW], NAMES, form(unit="MWh"))
    assert (reply.energy, reply.unit, reply.max_demand, reply.max_demand_unit) == (0.024, "MWh", 1.5, "kW")
    with pytest.raises(Problem):
        rollup_form.replies_of([ROW], NAMES, form(unit="kW"))


def test_a_point_without_energy_has_no_unit_for_it() -> None:
    row = msgspec.structs.replace(ROW, energy=None, unit=None, max_demand_unit=None)
    (reply,) = rollup_form.replies_of([row], NAMES, form(unit="MWh"))
    assert (reply.energy, reply.unit, reply.max_demand_unit) == (None, "", "")


@pytest.mark.parametrize(
    ("header", "is_unchanged"),
    [
        ("", False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
        ("a", False),
    ],
)
def test_the_client_s_etag_is_compared(header: str, is_unchanged: bool) -> None:
    assert rollup_form.is_unchanged(header, '"a"') is is_unchanged
