"""The kernel's bits are those of the rules' names; property tests compare it with the rules' own words."""

import numpy as np
import pytest

from historian.energy import validation
from historian.energy import validation_kernels as kernels
from historian.energy.validation import Limits, Subject
from historian.model import quality
from historian.model.point import DAY_US, PointKind
from historian.model.rules import NAMES, MissingRule, ProlongedEstimationRule, Rules
from historian.model.sample import SampleRun, block_of


def test_each_rule_of_a_kernel_has_the_bit_of_its_name() -> None:
    for name in NAMES[: NAMES.index("duplicate")]:
        assert getattr(kernels, name.upper()) == validation.bit_of(name)


def test_columns_are_written_where_they_are_read_from() -> None:
    """Columns given are filled in place, for all runs; `near` is needed for the longest only."""
    subject = Subject(
        Rules(missing=MissingRule(), prolonged_estimation=ProlongedEstimationRule(1.0)),
        PointKind.RATIO,
        DAY_US,
    )
    times = np.array([0, 1, 2, 5], np.int64) * DAY_US
    run = SampleRun(1, times, np.ones(4), np.array([quality.ESTIMATED] * 3 + [quality.DELETED], np.uint16))
    block, limits = block_of([run, run]), Limits.of([subject, subject])
    breach, marked = np.full(8, 9, np.uint16), np.full(8, 9, np.uint16)
    run_breach = np.full(2, 9, np.uint16)
    kernels.check_runs(
        block.offset, block.time_us, block.value, block.quality, limits.row, limits.real, limits.whole,
        limits.sentinel, 0, 4 * DAY_US, np.empty(4, np.int64), breach, marked, run_breach,
    )  # fmt: skip
    assert not breach.any()
    assert marked.tolist() == block.quality.tolist()
    assert run_breach.tolist() == [kernels.MISSING | kernels.PROLONGED_ESTIMATION] * 2


@pytest.mark.parametrize(
    ("qualities", "is_told"),
    [
        pytest.param([quality.ESTIMATED] * 3, False, id="as long as allowed"),
        pytest.param([quality.ESTIMATED] * 4, True, id="longer"),
        pytest.param([quality.ESTIMATED] * 2 + [0] + [quality.ESTIMATED], False, id="a measured one between"),
        pytest.param(
            [quality.ESTIMATED] * 2 + [quality.BAD, quality.ESTIMATED], True, id="a bad one between"
        ),
    ],
)
def test_estimates_are_told_beyond_their_days(qualities: list[int], is_told: bool) -> None:
    subject = Subject(Rules(prolonged_estimation=ProlongedEstimationRule(2.0)), PointKind.RATIO, DAY_US)
    count = len(qualities)
    run = SampleRun(1, np.arange(count) * DAY_US, np.ones(count), np.array(qualities, np.uint16))
    assert validation.check(run, subject).run_breach.tolist() == [kernels.PROLONGED_ESTIMATION * is_told]
