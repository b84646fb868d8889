"""How much of a period the samples account for: the evidence beside each figure."""

import msgspec
import numpy as np

from historian.energy import sample_period
from historian.model import quality
from historian.model.sample import SampleRun


class Coverage(msgspec.Struct, frozen=True, gc=False):
    """Counts of samples of a period. `measured` + `estimated` + `manual` are those that may enter a figure.

    `expected`: as many as the point's interval promises for the whole period, also while it runs. `received`:
    stamped in the period, whatever their quality. `good`: of validity good. `measured` includes values derived
    by the source; `manual` includes values substituted by hand.
    """

    expected: int = 0
    received: int = 0
    good: int = 0
    measured: int = 0
    estimated: int = 0
    manual: int = 0


def count(run: SampleRun, start_us: int, end_us: int, interval_us: int) -> Coverage:
    """Coverage of ``[start_us, end_us)`` by a run's samples; those marked as deleted do not count."""
    column = sample_period.without_deleted(run.between(start_us, end_us)).quality
    usable = column[quality.is_usable(column)]
    origin = usable & quality.ORIGIN_MASK
    estimated = int(np.count_nonzero(origin == quality.ESTIMATED))
    manual = int(np.count_nonzero((origin == quality.MANUAL) | (origin == quality.SUBSTITUTED)))
    return Coverage(
        expected=expected_count(start_us, end_us, interval_us),
        received=len(column),
        good=int(np.count_nonzero((column & quality.VALIDITY_MASK) == quality.GOOD)),
        measured=len(usable) - estimated - manual,
        estimated=estimated,
        manual=manual,
    )


def expected_count(start_us: int, end_us: int, interval_us: int) -> int:
    """Samples a period holds if one comes each interval: 96, or 1 a day on days of 23 and 25 hours alike."""
    return (2 * (end_us - start_us) + interval_us) // (2 * interval_us)


def add(parts: list[Coverage], expected: int) -> Coverage:
    """Coverage of a longer period from that of its parts; `expected` is the longer period's own."""
    return Coverage(
        expected=expected,
        received=sum(part.received for part in parts),
        good=sum(part.good for part in parts),
        measured=sum(part.measured for part in parts),
        estimated=sum(part.estimated for part in parts),
        manual=sum(part.manual for part in parts),
    )
