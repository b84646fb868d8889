"""Value kinds: names, types and divisors belong together and never change."""

import numpy as np
import pytest

from historian.store import segment_layout


def test_kinds_name_type_and_divisor() -> None:
    described = {
        kind: (
            segment_layout.values_name(kind),
            segment_layout.values_dtype(kind),
            segment_layout.scale_divisor(kind),
        )
        for kind in (0, 3, 9, 16, 18, 255)
    }
    assert described == {
        0: ("i32_e0", np.int32, 1),
        3: ("i32_e3", np.int32, 1000),
        9: ("i32_e9", np.int32, 10**9),
        16: ("i64_e0", np.int64, 1),
        18: ("i64_e2", np.int64, 100),
        255: ("f64", np.float64, 1),
    }


def test_every_divisor_is_exact_as_a_float() -> None:
    for exponent in range(10):
        divisor = segment_layout.scale_divisor(exponent)
        assert int(float(divisor)) == divisor


def test_a_kind_is_known_by_its_name() -> None:
    for kind in (*range(10), *range(16, 26), 255):
        assert segment_layout.values_kind(segment_layout.values_name(kind)) == kind
    with pytest.raises(ValueError, match="i16_e0"):
        segment_layout.values_kind("i16_e0")
