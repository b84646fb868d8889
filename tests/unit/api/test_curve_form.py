"""A load curve in its JSON and table form."""

import datetime
from fractions import Fraction

import msgspec
import numpy as np
from multidict import MultiDict

from api import curve_form
from api.curve_form import Day
from api.overlay import Overlay
from api.params import Params
from api.sample_form import SampleForm
from historian.energy import load_curve
from historian.energy.load_curve import LoadCurve, SlotState
from historian.model.point import HOUR_US, Point, PointKind
from historian.model.timestamp import load_zone
from historian.rollup.curve import PointCurves

POINT = Point(id=1, name="e", unit="kWh", kind=PointKind.INTERVAL, interval_us=HOUR_US)
FORM = SampleForm.of(Params(MultiDict()))


def make_day(values: list[float], point_count: int = 1) -> Day:
    """A day of two slots of twelve hours in UTC."""
    curve = LoadCurve(
        value=np.array(values),
        state=np.where(np.isnan(values), int(SlotState.MISSING), int(SlotState.COMPLETE)).astype(np.uint8),
        sample_count=np.array([12, 0]),
        quality=np.zeros(2, np.uint16),
        covered_us=np.where(np.isnan(values), 0, 12 * HOUR_US),
        total=Fraction(12),
        known_us=12 * HOUR_US,
        ranked_total=Fraction(12),
        ranked_us=12 * HOUR_US,
    )
    edges_us = np.array([0, 12 * HOUR_US, 24 * HOUR_US])
    summary = load_curve.summarise(curve, edges_us)
    curves = PointCurves(edges_us, [curve], curve, summary, np.isnan(values).astype(np.int64), "kW", "kWh")
    return Day([POINT] * point_count, load_zone("UTC"), curves)


def plain(day: Day) -> dict[str, object]:
    reply = curve_form.reply_of(day, "1970-01-01", "12h", "end", [], FORM)
    found: dict[str, object] = msgspec.json.decode(msgspec.json.encode(reply))
    return found


def test_states_have_the_names_of_the_contract() -> None:
    assert curve_form.STATE_NAMES == ("complete", "partial", "missing", "suspect", "spread", "spanned")


def test_columns_stand_side_by_side() -> None:
    reply = plain(make_day([1.0, np.nan]))
    assert reply["labels"] == ["12:00", "24:00"]
    assert reply["values"] == [1.0, None]
    assert reply["states"] == ["complete", "missing"]
    assert reply["counts"] == [12, 0]


def test_a_point_asked_for_alone_has_no_count_of_missing_points() -> None:
    assert "missing_points" not in plain(make_day([1.0, np.nan]))
    assert plain(make_day([1.0, np.nan], point_count=2))["missing_points"] == [0, 1]


def test_the_summary_counts_samples_that_were_due() -> None:
    summary = curve_form.summary_of(make_day([1.0, np.nan], point_count=2), FORM)
    assert (summary.expected, summary.received) == (48, 12)
    assert (summary.max, summary.energy, summary.energy_unit) == (1.0, 12.0, "kWh")


def test_a_day_without_a_slot_lines_up_as_missing() -> None:
    day, other = make_day([1.0, 2.0]), make_day([3.0, 4.0])
    short = other._replace(curves=other.curves._replace(edges_us=other.curves.edges_us[:2]))
    lined_up = curve_form.line_up(day, Overlay("-1d", datetime.date(1969, 12, 31)), short)
    assert lined_up.value[0] == 3.0
    assert np.isnan(lined_up.value[1])
    assert lined_up.state.tolist() == [SlotState.COMPLETE, SlotState.MISSING]


def test_overlays_are_columns_of_the_table() -> None:
    day = make_day([1.0, np.nan])
    lined_up = curve_form.line_up(day, Overlay("-1d", datetime.date(1969, 12, 31)), make_day([3.0, 4.0]))
    table = curve_form.table_of(day, "e", "start", [lined_up], FORM)
    rows = dict(
        zip([c.name for c in table.columns], [list(c.cells(0, 2)) for c in table.columns], strict=True)
    )
    assert rows["label"] == ["00:00", "12:00"]
    assert rows["value"] == [1.0, None]
    assert rows["value -1d"] == [3.0, 4.0]
