"""What a segment's index says of a point, as the fields of a packed piece."""

import numpy as np

from historian.model import packed
from historian.store import packed_kernels
from historian.store import segment_read_kernels as reading
from historian.store.segment_read_kernels import Found, Held

MISSING = np.array([99, 4, 5, 8, 9, 12], np.uint32)


def held() -> Held:
    """One run: slots 0 to 12 but 4, 5, 8, 9, 12, from time 100 on by steps of 10."""
    fields = np.zeros((reading.FIELD_COUNT, 1), np.int64)
    for field, value in (
        (reading.COUNT, 8), (reading.FIRST_US, 100), (reading.LAST_US, 210), (reading.STEP_US, 10),
        (reading.MISSING, 5), (reading.TIME_AT, 1), (reading.KIND, 2), (reading.VALUE_AT, 1000),
        (reading.QUALITY_AT, -1), (reading.QUALITY, 1),
    ):  # fmt: skip
        fields[field, 0] = value
    nothing = np.empty(0, np.int64)
    return Held(
        fields, np.array([1], np.uint32), np.empty(0, np.int32), nothing, np.empty(0), MISSING, nothing,
        np.empty(0, np.uint16), nothing, nothing, np.empty(0, np.uint8),
    )  # fmt: skip


def describe(first: int, size: int, slot: int, before: tuple[int, int] = (10**6, -1)) -> list[int] | None:
    """Count, place, first time, number, and stretch of the missing ones."""
    found = Found(*(np.array([number], np.int64) for number in (0, first, size, slot)))
    fields, is_packed = np.full((packed.FIELD_COUNT, 1), -5, np.int64), np.ones(1, np.uint8)
    span = [np.array([time], np.int64) for time in before]
    packed_kernels.describe(held(), found, fields, *span, is_packed)
    told = (
        packed.SIZE, packed.AT, packed.FIRST_US, packed.SLOT, packed.MISSING_AT, packed.MISSING_END,
    )  # fmt: skip
    return [int(fields[field, 0]) for field in told] if is_packed[0] else None


def test_missing_numbers_are_those_between_the_first_and_the_last_sample() -> None:
    assert describe(0, 8, 0) == [8, 1000, 100, 0, 1, 5]
    assert describe(0, 4, 0) == [4, 1000, 100, 0, 1, 1]
    assert describe(0, 5, 0) == [5, 1000, 100, 0, 1, 3]
    assert describe(4, 2, 4) == [2, 1004, 160, 6, 3, 3]  # the search stopped at a number that is missing
    assert describe(6, 2, 9) == [2, 1006, 200, 10, 5, 5]


def test_pieces_that_overlap_are_not_packed() -> None:
    assert describe(0, 4, 0, (140, 200)) is not None
    assert describe(0, 4, 0, (130, 200)) is None
    assert describe(0, 4, 0, (0, 99)) is not None
    assert describe(0, 4, 0, (0, 100)) is None
