"""The number that names the samples of a day."""

import numpy as np

from historian.energy import digest_kernels

DAYS = np.array([0, 100, 200], np.int64)
NOTHING = np.zeros(1, np.int64)


def digests(times: list[int], values: list[float], qualities: list[int], reach: int = 0) -> list[int]:
    out = np.zeros((1, 2), np.int64)
    order = np.argsort(times)
    time, value = np.array(times, np.int64)[order], np.array(values)[order]
    margin = np.array([reach], np.int64)
    digest_kernels.digest_days(
        np.array([0, len(times)], np.int64), time, value.view(np.int64), np.array(qualities, np.uint16)[order],
        np.ones(1, np.uint8), margin, margin, DAYS, out,
    )  # fmt: skip
    found: list[int] = out[0].tolist()
    return found


def test_every_sample_of_the_day_counts_and_no_other() -> None:
    before = digests([0, 50, 150], [1.0, 2.0, 3.0], [0, 0, 0])
    assert digests([50, 150, 0], [2.0, 3.0, 1.0], [0, 0, 0]) == before
    for changed in (
        digests([1, 50, 150], [1.0, 2.0, 3.0], [0, 0, 0]),
        digests([0, 50, 150], [1.0, 2.5, 3.0], [0, 0, 0]),
        digests([0, 50, 150], [1.0, 2.0, 3.0], [0, 1, 0]),
        digests([0, 150], [1.0, 3.0], [0, 0]),
    ):
        assert changed[0] != before[0]
        assert changed[1] == before[1]


def test_two_values_that_change_places_are_other_samples() -> None:
    assert digests([10, 20], [1.0, 2.0], [0, 0]) != digests([10, 20], [2.0, 1.0], [0, 0])


def test_samples_beside_the_day_count_as_far_as_they_reach() -> None:
    assert (
        digests([95, 150], [1.0, 2.0], [0, 0], reach=10)[1]
        != digests([95, 150], [9.0, 2.0], [0, 0], reach=10)[1]
    )
    assert (
        digests([85, 150], [1.0, 2.0], [0, 0], reach=10)[1]
        == digests([85, 150], [9.0, 2.0], [0, 0], reach=10)[1]
    )


def test_runs_that_are_not_wanted_have_none() -> None:
    out = np.zeros((1, 2), np.int64)
    digest_kernels.digest_days(
        np.array([0, 1], np.int64), NOTHING, NOTHING, np.zeros(1, np.uint16), np.zeros(1, np.uint8), NOTHING, NOTHING,
        DAYS, out,
    )  # fmt: skip
    assert not out.any()
