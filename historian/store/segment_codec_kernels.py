"""Kernels between a chunk's numbers and its byte planes: differences, zigzag, HDF5's shuffle, in one pass."""

from typing import Any

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

Numbers = npt.NDArray[Any]  # unsigned, of one width
Planes = npt.NDArray[np.uint8]  # (bytes a number, numbers of the chunk)


@njit(cache=True, nogil=True)
def to_planes_8(numbers: Numbers, planes: Planes) -> None:
    """One-byte numbers as zigzag differences."""
    before = np.uint8(0)
    for i in range(len(numbers)):
        d = np.int8(np.uint8(numbers[i] - before))
        before = numbers[i]
        planes[0, i] = np.uint8((d << 1) ^ (d >> 7))


@njit(cache=True, nogil=True)
def to_planes_16(numbers: Numbers, planes: Planes) -> None:
    """Two-byte numbers as zigzag differences, a plane for each byte."""
    before = np.uint16(0)
    for i in range(len(numbers)):
        d = np.int16(np.uint16(numbers[i] - before))
        before = numbers[i]
        z = np.uint16((d << 1) ^ (d >> 15))
        planes[0, i] = np.uint8(z)
        planes[1, i] = np.uint8(z >> np.uint16(8))


@njit(cache=True, nogil=True)
def to_planes_32(numbers: Numbers, planes: Planes) -> None:
    """Four-byte numbers as zigzag differences, a plane for each byte."""
    before = np.uint32(0)
    for i in range(len(numbers)):
        d = np.int32(np.uint32(numbers[i] - before))
        before = numbers[i]
        z = np.uint32((d << 1) ^ (d >> 31))
        planes[0, i] = np.uint8(z)
        planes[1, i] = np.uint8(z >> np.uint32(8))
        planes[2, i] = np.uint8(z >> np.uint32(16))
        planes[3, i] = np.uint8(z >> np.uint32(24))


@njit(cache=True, nogil=True)
def to_planes_64(numbers: Numbers, planes: Planes) -> None:
    """Eight-byte numbers as zigzag differences, a plane for each byte."""
    before = np.uint64(0)
    for i in range(len(numbers)):
        d = np.int64(numbers[i] - before)
        before = numbers[i]
        z = np.uint64((d << 1) ^ (d >> 63))
        for plane in range(8):
            planes[plane, i] = np.uint8(z >> np.uint64(8 * plane))


@njit(cache=True, nogil=True)
def from_planes_8(planes: Planes, numbers: Numbers) -> None:
    """The inverse of `to_planes_8`, from zero."""
    total = np.uint8(0)
    for i in range(len(numbers)):
        z = planes[0, i]
        total = np.uint8(total + ((z >> 1) ^ np.uint8(-np.int64(z & 1))))
        numbers[i] = total


@njit(cache=True, nogil=True)
def from_planes_16(planes: Planes, numbers: Numbers) -> None:
    """The inverse of `to_planes_16`."""
    total = np.uint16(0)
    for i in range(len(numbers)):
        z = np.uint16(planes[0, i]) | (np.uint16(planes[1, i]) << np.uint16(8))
        total = np.uint16(total + ((z >> 1) ^ np.uint16(-np.int64(z & 1))))
        numbers[i] = total


@njit(cache=True, nogil=True)
def from_planes_32(planes: Planes, numbers: Numbers) -> None:
    """The inverse of `to_planes_32`."""
    for i in range(len(numbers)):  # apart from the sums, so that the compiler can use wide registers
        z = np.uint32(planes[0, i]) | (np.uint32(planes[1, i]) << np.uint32(8))
        z |= (np.uint32(planes[2, i]) << np.uint32(16)) | (np.uint32(planes[3, i]) << np.uint32(24))
        numbers[i] = (z >> np.uint32(1)) ^ np.uint32(np.uint32(0) - (z & np.uint32(1)))
    for i in range(1, len(numbers)):
        numbers[i] += numbers[i - 1]


@njit(cache=True, nogil=True)
def from_planes_64(planes: Planes, numbers: Numbers) -> None:
    """The inverse of `to_planes_64`."""
    for i in range(len(numbers)):
        z = np.uint64(0)
        for plane in range(8):
            z |= np.uint64(planes[plane, i]) << np.uint64(8 * plane)
        numbers[i] = (z >> np.uint64(1)) ^ (np.uint64(0) - (z & np.uint64(1)))
    for i in range(1, len(numbers)):
        numbers[i] += numbers[i - 1]


@njit(cache=True, nogil=True)
def split_planes(numbers: Numbers, planes: Planes) -> None:
    """Eight-byte numbers as they are, a plane for each byte: HDF5's shuffle."""
    for i in range(len(numbers)):
        for plane in range(8):
            planes[plane, i] = np.uint8(numbers[i] >> np.uint64(8 * plane))


@njit(cache=True, nogil=True)
def join_planes(planes: Planes, numbers: Numbers) -> None:
    """The inverse of `split_planes`."""
    for i in range(len(numbers)):
        z = np.uint64(0)
        for plane in range(8):
            z |= np.uint64(planes[plane, i]) << np.uint64(8 * plane)
        numbers[i] = z
