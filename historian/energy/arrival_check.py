"""Checks that need to know when each version of a sample arrived: duplicates and clocks."""

import datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import validation
from historian.energy.validation import U16
from historian.model import quality
from historian.model.point import SECOND_US
from historian.model.rules import ClockRule, Mark, Rules
from historian.model.sample import Versions

Mask = npt.NDArray[np.bool_]

_EPOCH: Final = datetime.date(1970, 1, 1)


class CheckedVersions(NamedTuple):
    """Quality with marks and the rules broken (as `validation.Checked`), row by row of the versions."""

    quality: U16
    breach: U16


def check(versions: Versions, rules: Rules) -> CheckedVersions:
    """Marks of versions that are sorted as `Versions` says; deleted ones and those of no use are left alone."""
    marked, breach = versions.quality.copy(), np.zeros(versions.row_count, np.uint16)
    usable = quality.is_usable(versions.quality)
    if rules.duplicate:
        _mark(marked, breach, _conflicts(versions) & usable, "duplicate", rules.duplicate.mark)
    if rules.clock:
        _mark(marked, breach, _is_wrong_clock(versions, rules.clock) & usable, "clock", rules.clock.mark)
    return CheckedVersions(marked, breach)


def _conflicts(versions: Versions) -> Mask:
    """The newest version of a stamp, where its source measured another value for it before.

    A correction by hand, an estimate, or another source's word is no duplicate.
    """
    count = versions.row_count
    is_conflict = np.zeros(count, np.bool_)
    if count == 0:
        return is_conflict
    starts = (np.diff(versions.point_id) != 0) | (np.diff(versions.time_us) != 0)
    group = np.concatenate([[0], np.cumsum(starts)])
    newest = np.append(starts, True)
    newest_of = np.flatnonzero(newest)[group]
    is_measured = (versions.quality & (quality.ORIGIN_MASK | quality.DELETED)) == 0
    differs = is_measured & is_measured[newest_of] & (versions.value != versions.value[newest_of])
    differs &= versions.origin == versions.origin[newest_of]
    is_conflict[newest_of[differs]] = True
    return is_conflict


def _is_wrong_clock(versions: Versions, rule: ClockRule) -> Mask:
    """Stamps that the source's clock cannot have meant."""
    ahead_us = versions.time_us - versions.arrival_time_us
    first_us = (datetime.date(rule.year_min, 1, 1) - _EPOCH).days * 86_400 * SECOND_US
    is_wrong: Mask = (ahead_us > round(rule.ahead_s * SECOND_US)) | (versions.time_us < first_us)
    if rule.behind_s is not None:
        is_wrong |= -ahead_us > round(rule.behind_s * SECOND_US)
    return is_wrong


def _mark(marked: U16, breach: U16, is_broken: Mask, name: str, mark: Mark) -> None:
    breach[is_broken] |= np.uint16(validation.bit_of(name))
    validity = np.uint16(quality.BAD if mark == "bad" else quality.SUSPECT)
    # Only versions of use are marked: what they were is no worse than suspect.
    marked[is_broken] = (marked[is_broken] & ~np.uint16(quality.VALIDITY_MASK)) | validity
