"""Figures made where samples lie are those made from samples read out, bit for bit."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from historian.energy import fleet, packed
from historian.energy.fleet import Ask, Asked
from historian.energy.packed import Needs
from historian.energy.steady_kernels import Figures
from historian.model import quality
from historian.model.point import DAY_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun, block_of
from tests.support import packed_kit

QUARTER_US = 15 * MINUTE_US
DAY_COUNT = 4
EDGES = [np.arange(day * 96, day * 96 + 97, dtype=np.int64) * QUARTER_US for day in range(DAY_COUNT)]
KINDS = (PointKind.MEAN_POWER, PointKind.INTERVAL, PointKind.INSTANTANEOUS)
ALL = Needs(True, True)


def some_run(point_id: int, random: np.random.Generator) -> tuple[SampleRun, int]:
    """Quarters with gaps, from before the days until after them; values of so many digits."""
    digits = int(random.integers(0, 4))
    is_there = random.random(96 * (DAY_COUNT + 2)) < random.choice([0.02, 0.8, 1.0])
    slots = np.flatnonzero(is_there) - 96
    highest = 10**5 if point_id % 2 else 5  # of which several are equal
    value = random.integers(-4, highest, len(slots)) / 10**digits
    marks = np.zeros(len(slots), np.uint16)
    if point_id % 3 == 0:
        marks[random.random(len(slots)) < 0.01] = random.choice(
            [quality.SUSPECT, quality.BAD, quality.DELETED]
        )
    return SampleRun(point_id, slots * QUARTER_US, value, marks), digits


def cut(runs: Sequence[SampleRun], begin_us: int, end_us: int) -> list[SampleRun]:
    return [run.between(begin_us, end_us) for run in runs]


@pytest.fixture(scope="module")
def fleet_of_runs() -> tuple[list[SampleRun], list[int], list[Ask]]:
    random = np.random.default_rng(5)
    made = [some_run(point_id, random) for point_id in range(90)]
    asks = [Ask(KINDS[i % 3], QUARTER_US, 80.0 if i % 4 else 0.1) for i in range(90)]
    return [run for run, _ in made], [digits for _, digits in made], asks


def compare(
    left: Figures, right: Figures, is_done: np.ndarray, names: Sequence[str] = Figures._fields
) -> None:
    for name in names:
        np.testing.assert_array_equal(
            getattr(left, name)[is_done], getattr(right, name)[is_done], err_msg=name
        )


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "in reverse"])
@pytest.mark.parametrize(
    "bounds", [[-96, 1000], [-96, 130, 131, 205, 1000]], ids=["one piece", "four pieces"]
)
def test_figures_are_those_of_samples_read_out(
    fleet_of_runs: tuple[list[SampleRun], list[int], list[Ask]], bounds: list[int], order: int
) -> None:
    runs, digits, asks = fleet_of_runs
    spans = list(itertools.pairwise(bounds))
    pieces = [
        # Some pieces have a digit more than they need, as a run that is stored elsewhere may.
        packed_kit.piece_of(
            cut(runs, first * QUARTER_US, last * QUARTER_US), QUARTER_US, [one + first % 2 for one in digits]
        )
        for first, last in spans
    ]
    block = packed_kit.block_of(range(90), pieces[::order])
    expected = fleet.day_figures(block_of(runs), Asked.of(asks), EDGES)
    found = packed.day_figures(block, Asked.of(asks), EDGES, QUARTER_US, ALL)
    assert expected.is_done.all()
    is_good = np.array([not run.between(0, 96 * DAY_COUNT * QUARTER_US).quality.any() for run in runs])
    assert found.is_done[is_good].all()
    assert 5 < (~found.is_done).sum() < 100
    compare(found.figures, expected.figures, found.is_done)
    brief = packed.day_figures(block, Asked.of(asks), EDGES, QUARTER_US, Needs(False, False))
    assert (brief.is_done == found.is_done).all()
    compare(brief.figures, expected.figures, found.is_done, ("total_numerator", "denominator", "known_us"))
    plain = packed.day_figures(block, Asked.of(asks), EDGES, QUARTER_US, Needs(False, True))
    extremes = {"max_value", "max_slot", "min_value", "min_slot"}
    compare(plain.figures, expected.figures, found.is_done, sorted(set(Figures._fields) - extremes))
    assert np.isnan(plain.figures.max_value[plain.is_done]).all()


def run_at(times: Sequence[int], value: float = 1.5) -> SampleRun:
    return SampleRun(
        1, np.array(times, np.int64), np.full(len(times), value), np.zeros(len(times), np.uint16)
    )


@pytest.mark.parametrize(
    ("run", "step_us", "exponent", "ask", "is_done"),
    [
        pytest.param(
            run_at([0, QUARTER_US]), QUARTER_US, 1, Ask(KINDS[0], QUARTER_US, 1.0), True, id="everyday"
        ),
        pytest.param(
            run_at([0, DAY_US]), 2 * QUARTER_US, 1, Ask(KINDS[0], QUARTER_US, 1.0), True, id="half of it"
        ),
        pytest.param(
            run_at([60, QUARTER_US + 60]), QUARTER_US, 1, Ask(KINDS[0], QUARTER_US, 1.0), False, id="beside"
        ),
        pytest.param(
            run_at([0, MINUTE_US]), MINUTE_US, 1, Ask(KINDS[0], QUARTER_US, 1.0), False, id="between"
        ),
        pytest.param(run_at([0]), QUARTER_US, 1, Ask(KINDS[0], MINUTE_US, 1.0), False, id="another interval"),
        pytest.param(
            run_at([0]), QUARTER_US, 1, Ask(PointKind.REGISTER, QUARTER_US, 1.0), False, id="a register"
        ),
        pytest.param(
            run_at([0]), QUARTER_US, 1, Ask(KINDS[0], QUARTER_US, -1.0), False, id="a negative factor"
        ),
        pytest.param(
            run_at([0], 2e8), QUARTER_US, 1, Ask(KINDS[0], QUARTER_US, 2.0**31 - 1), False, id="a large mean"
        ),
        pytest.param(run_at([]), QUARTER_US, 1, Ask(KINDS[0], QUARTER_US, 1.0), True, id="nothing"),
    ],
)
def test_what_is_done(run: SampleRun, step_us: int, exponent: int, ask: Ask, is_done: bool) -> None:
    block = packed_kit.block_of([1], [packed_kit.piece_of([run], step_us, [exponent])])
    made = packed.day_figures(block, Asked.of([ask]), EDGES, QUARTER_US, ALL)
    assert made.is_done[0, 0] == is_done
    if is_done:
        expected = fleet.day_figures(block_of([run]), Asked.of([ask]), EDGES)
        compare(made.figures, expected.figures, made.is_done)


def test_what_is_not_packed_and_slots_of_several_samples_are_left() -> None:
    block = packed_kit.block_of([1], [packed_kit.piece_of([run_at([0])], QUARTER_US, [1])])
    asked = Asked.of([Ask(KINDS[0], QUARTER_US, 1.0)])
    hours = [edges[::4] for edges in EDGES]
    assert not packed.day_figures(block, asked, hours, QUARTER_US, ALL).is_done.any()
    left = block._replace(is_packed=np.zeros(1, np.uint8))
    assert not packed.day_figures(left, asked, EDGES, QUARTER_US, ALL).is_done.any()
