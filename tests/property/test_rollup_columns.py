"""Columns = objects: months and years out of cells say what `aggregate` says, to the last bit; so does their text."""

import datetime
import math
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import MultiDict

from api import rollup_form, rollup_table
from api.params import Params
from api.rollup_json import RowWriter
from api.sample_form import SampleForm
from historian.energy import calendar, fixed_point
from historian.energy.calendar import DateRange
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.timestamp import load_zone
from historian.rollup import aggregate, figure_columns, figure_pack, period_kernels, periods
from historian.rollup.billing import Billed
from historian.rollup.day_figure import DayFigure, definition_of, demand_block_us
from historian.rollup.day_keeper import Found
from historian.rollup.day_table import DayTable
from historian.rollup.definitions import Definitions
from historian.rollup.frames import Frames, Question
from historian.rollup.point_unit import units_of

BERLIN = load_zone("Europe/Berlin")
DAYS = DateRange(datetime.date(2026, 3, 25), datetime.date(2026, 4, 6))
NOTHING = np.empty(0, np.int64)
POINTS = {
    number: Point(
        id=number, name=f"p{number}", unit=unit, kind=kind, interval_us=interval_us, time_zone="Europe/Berlin"
    )
    for number, (unit, kind, interval_us) in enumerate(
        [
            ("kWh", PointKind.INTERVAL, 15 * MINUTE_US),
            ("kW", PointKind.MEAN_POWER, 5 * MINUTE_US),
            ("V", PointKind.INSTANTANEOUS, HOUR_US),
        ],
        start=254,
    )
}

decimals = st.builds(Fraction, st.integers(-(10**8), 10**8), st.sampled_from([1, 10, 4000, 3600, 7]))
binaries = st.floats(-1e9, 1e9).map(Fraction)
huge = st.builds(Fraction, st.integers(-(2**90), 2**90), st.sampled_from([1, 2**62, 3**50]))
sums = st.one_of(decimals, decimals, decimals, binaries, huge)
extremes = st.one_of(
    st.sampled_from([1.5, 2.5]),  # often equal, so that the first must be told
    st.builds(lambda number, digits: number / 10**digits, st.integers(-(10**6), 10**6), st.integers(0, 9)),
    st.floats(-1e12, 1e12),
)


@st.composite
def figures(draw: st.DrawFn, point: Point, day: int) -> DayFigure:
    start_us, end_us = calendar.day_edges_us(datetime.date.fromordinal(day), BERLIN)
    block_us = demand_block_us(point.interval_us)
    known_us = draw(st.sampled_from([0, end_us - start_us, 15 * MINUTE_US, 7 * HOUR_US + 1]))
    has_extremes = known_us > 0 and draw(st.booleans())
    has_own_rank = has_extremes and draw(st.booleans())
    total, ranked = (draw(sums) for _ in range(2)) if known_us else (Fraction(), Fraction())
    slots = [draw(st.integers(0, (end_us - start_us) // block_us - 1)) for _ in range(2)]
    highest, lowest = (draw(extremes), draw(extremes)) if has_extremes else (None, None)
    starts = [start_us + slot * block_us if has_extremes else None for slot in slots]
    ends = [None if one is None else min(one + block_us, end_us) for one in starts]
    counts = [draw(st.integers(0, 300)) for _ in range(5)]
    return DayFigure(
        point.id, day, start_us, end_us, total.numerator, total.denominator, known_us,
        ranked.numerator if has_own_rank else None, ranked.denominator if has_own_rank else None,
        max(1, known_us // 2) if has_own_rank else None,
        highest, starts[0], ends[0], lowest, starts[1], ends[1],
        calendar_expected(start_us, end_us, point), *counts, draw(st.booleans()), draw(st.sampled_from([0, 0, -(2**63), 77])),
        *definition_of(point), draw(st.integers(1, 9)), draw(st.integers(0, 2**50)),
    )  # fmt: skip


def calendar_expected(start_us: int, end_us: int, point: Point) -> int:
    return round((end_us - start_us) / point.interval_us)


@st.composite
def kept(draw: st.DrawFn) -> dict[int, dict[int, DayFigure]]:
    days = range(DAYS.first.toordinal(), DAYS.last.toordinal())
    return {
        number: {day: draw(figures(point, day)) for day in days if draw(st.booleans())}
        for number, point in POINTS.items()
    }


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def fold(
    frames: Frames, period: calendar.PeriodName, by_point: dict[int, dict[int, DayFigure]], now_us: int
) -> periods.PeriodColumns:
    ids = np.array(list(POINTS), np.int64)
    days = DateRange(calendar.period_of(DAYS.first, period).first, calendar.period_of(DAYS.last, period).last)
    span = periods.Span(
        period, days, calendar.periods_of(days, period), [BERLIN], np.zeros(len(ids), np.int64)
    )
    units = [units_of(point) for point in POINTS.values()]
    intervals = np.array([point.interval_us for point in POINTS.values()], np.int64)
    blocks = np.array([demand_block_us(point.interval_us) for point in POINTS.values()], np.int64)
    asked = periods.Asked(np.arange(len(ids)), units, blocks, intervals, periods.ALL)
    folder = periods.Folder(ids, span, asked, POINTS.__getitem__, now_us)
    question = Question(ids, days.first.toordinal(), days.last.toordinal())
    folder.take(
        Found(
            np.arange(len(ids)), frames.place(question), frames.cells, lambda place: by_point[int(ids[place])]
        )
    )
    return folder.answer


def oracle(
    answer: periods.PeriodColumns, by_point: dict[int, dict[int, DayFigure]], now_us: int
) -> list[periods.RollupRow]:
    rows = []
    first = calendar.local_date(int(answer.period_start_us[0]), BERLIN)
    last = calendar.local_date(int(answer.period_end_us[-1]), BERLIN)
    for number, point in POINTS.items():
        for part in calendar.periods_of(DateRange(first, last), answer.period):
            rows.append(aggregate.row_of(point, answer.period, part, BERLIN, by_point[number], now_us))
    return rows


@given(kept(), st.sampled_from(["day", "month", "year"]), st.integers(0, 400))
@settings(deadline=None, max_examples=60)
def test_folded_rows_are_those_of_the_objects(
    folder: Path, by_point: dict[int, dict[int, DayFigure]], period: calendar.PeriodName, hours: int
) -> None:
    now_us = calendar.day_start_us(DAYS.first, BERLIN) + hours * HOUR_US
    with tempfile.TemporaryDirectory(dir=folder) as name:
        table = DayTable(Path(name) / "figures.db")
        frames = Frames(table, 0)
        everything = [figure for some in by_point.values() for figure in some.values()]
        frames.store(
            figure_columns.of_figures(everything, table.definitions), figure_columns.allocate(0), NOTHING
        )
        answer = fold(frames, period, by_point, now_us)
        rows = periods.rows_of(answer)
        assert rows == oracle(answer, by_point, now_us)
        names = [point.name for point in POINTS.values()]
        for query in ({}, {"tz": "Asia/Tokyo"}, {"time": "epoch_ms"}, {"unit": "MWh"}):
            form = SampleForm.of(Params(MultiDict(query)))
            if query.get("unit"):
                rows = [row for row in rows if row.unit is not None]
            written = written_rows(answer, names, form)
            told = rollup_form.replies_of(
                rows, {number: point.name for number, point in POINTS.items()}, form
            )
            expected = [msgspec.json.decode(msgspec.json.encode(reply)) for reply in told]
            assert [row for row in written if not query.get("unit") or row["unit"]] == expected
        table.close()


def written_rows(
    answer: periods.PeriodColumns, names: list[str], form: SampleForm
) -> list[dict[str, object]]:
    fields = rollup_table.chosen_fields(Params(MultiDict()))
    rollups = rollup_table.arrange(Billed(answer, None, None), names, fields, form)
    middle = rollups.row_count // 2
    writer = RowWriter(rollups)
    text = writer.rows(0, middle) if middle else b""
    text += writer.rows(middle, rollups.row_count)
    written: list[dict[str, object]] = msgspec.json.decode(b"[" + text[:-1] + b"]")
    return [{name: value for name, value in row.items() if name != "algorithm"} for row in written]


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_figures_come_back_from_their_columns_and_bytes(data: st.DataObject) -> None:
    point, day = data.draw(st.sampled_from(list(POINTS.values()))), DAYS.first.toordinal() + 3
    some = [data.draw(figures(point, day)) for _ in range(data.draw(st.integers(0, 4)))]
    definitions = Definitions()
    columns = figure_columns.of_figures(some, definitions)
    unpacked = figure_pack.unpack(figure_pack.pack(columns), "here")
    told = [one._replace(**same_rank(one)) for one in some]
    assert figure_columns.to_figures(unpacked, definitions) == told


def same_rank(figure: DayFigure) -> dict[str, None]:
    """Sums over the ranked slots that equal the total's are not told twice."""
    numerator, denominator, ranked_us = figure.ranked
    is_same = (Fraction(numerator, denominator), ranked_us) == (figure.total, figure.known_us)
    return dict.fromkeys(("ranked_numerator", "ranked_denominator", "ranked_us")) if is_same else {}


@given(st.integers(-(2**62) + 1, 2**62 - 1), st.integers(1, 2**62 - 1), st.integers(1, 2**50), extremes)
@settings(deadline=None, max_examples=500)
def test_a_quotient_is_correctly_rounded_or_not_told(
    numerator: int, denominator: int, known_us: int, highest: float
) -> None:
    assert same_or_nan(period_kernels.quotient(numerator, denominator), numerator / denominator)
    mean = fixed_point.quotient(numerator * HOUR_US, denominator * known_us)
    assert same_or_nan(period_kernels.mean_of(numerator, denominator, known_us), mean)
    if highest > 0:
        over, under = fixed_point.exact_ratio(highest)
        factor = fixed_point.quotient(numerator * HOUR_US * under, denominator * known_us * over)
        told = period_kernels.load_factor_of(numerator, denominator, known_us, highest)
        assert same_or_nan(told, min(factor, 1.0))


def same_or_nan(told: float, expected: float) -> bool:
    return math.isnan(told) or told == expected
