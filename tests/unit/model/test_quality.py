"""The quality bit set: names, what may enter a figure, the worst of many."""

import numpy as np
import pytest

from historian.model import quality


def column(*bits: int) -> quality.QualityColumn:
    return np.array(bits, np.uint16)


def test_zero_is_good_and_measured() -> None:
    assert (quality.validity_name(0), quality.origin_name(0), quality.flag_names(0)) == (
        "good",
        "measured",
        [],
    )


@pytest.mark.parametrize(
    ("bits", "validity", "origin", "flags"),
    [
        pytest.param(0x0005, "suspect", "estimated", [], id="suspect estimated"),
        pytest.param(0x000E, "bad", "manual", [], id="bad manual"),
        pytest.param(0x0303, "missing", "measured", ["invalid", "not_topical"], id="missing IV NT"),
        pytest.param(
            0xE000, "good", "measured", ["counter_adjusted", "counter_carry", "time_invalid"], id="CA CY TI"
        ),
        pytest.param(0x001C, "good", "unknown", [], id="an origin of a later version"),
    ],
)
def test_names_of_bits(bits: int, validity: str, origin: str, flags: list[str]) -> None:
    assert quality.validity_name(bits) == validity
    assert quality.origin_name(bits) == origin
    assert quality.flag_names(bits) == flags


def test_flags_share_no_bit_with_each_other_or_with_the_fields() -> None:
    taken = quality.VALIDITY_MASK | quality.ORIGIN_MASK
    for bit in quality.FLAG_NAMES:
        assert taken & bit == 0
        taken |= bit
    assert taken == 0xFFFF


def test_bad_missing_and_deleted_enter_no_figure() -> None:
    bits = column(quality.GOOD, quality.SUSPECT, quality.BAD, quality.MISSING, quality.DELETED)
    assert quality.is_usable(bits).tolist() == [True, True, False, False, False]


def test_worst_of_takes_worst_validity_least_trusted_origin_and_every_flag() -> None:
    bits = column(quality.SUSPECT | quality.LATE, quality.MANUAL, quality.ESTIMATED | quality.OVERFLOW)
    assert quality.worst_of(bits) == quality.SUSPECT | quality.MANUAL | quality.LATE | quality.OVERFLOW


def test_worst_of_nothing_is_missing() -> None:
    assert quality.worst_of(column()) == quality.MISSING
