"""Registers to numbers: one gather and one calculation for all values of a request with the same type."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from drivers.modbus_request import ReadRequest, RegisterValue
from drivers.modbus_settings import Order, RegisterType

# Registers travel big endian, high octet first (Modbus application protocol v1.1b3 §4.2).
_NUMPY_TYPES: Final = {
    RegisterType.INT16: ">i2",
    RegisterType.UINT16: ">u2",
    RegisterType.INT32: ">i4",
    RegisterType.UINT32: ">u4",
    RegisterType.FLOAT32: ">f4",
}


class _Column(NamedTuple):
    """All values of one type in a request: where their octets lie, and their scaling."""

    numpy_type: str
    octet_index: npt.NDArray[np.intp]  # (value, octet), in big-endian order of the number
    value_index: npt.NDArray[np.intp]
    numerator: npt.NDArray[np.float64]
    addend: npt.NDArray[np.float64]
    denominator: npt.NDArray[np.float64]


class DecodeTable:
    """Decodes the answers to one request; made once, used at every poll."""

    def __init__(self, request: ReadRequest) -> None:
        self._octet_count = 2 * request.register_count
        self._value_count = len(request.values)
        self._columns = [
            _column_of(type_, members, request.start_address)
            for type_ in RegisterType
            if (members := [pair for pair in enumerate(request.values) if pair[1].type is type_])
        ]

    def decode(self, octets: bytes) -> npt.NDArray[np.float64]:
        """Values in the order of the request's, scaled; a float32 may come out as NaN or infinite.

        ``(raw × numerator + addend) / denominator`` with whole numbers below 2⁵³ (`Scaling`): only
        the division rounds, so the result is the float64 nearest to the decimal value. A float32
        with scale 1 is widened unchanged.
        """
        assert len(octets) == self._octet_count, "the link checks the length of an answer"
        raw_octets = np.frombuffer(octets, np.uint8)
        values = np.empty(self._value_count, np.float64)
        for column in self._columns:
            # A signalling NaN would warn here; the driver refuses it later, by name.
            with np.errstate(invalid="ignore", over="ignore"):
                raw = raw_octets[column.octet_index].view(column.numpy_type)[:, 0].astype(np.float64)
                scaled = (raw * column.numerator + column.addend) / column.denominator
            values[column.value_index] = scaled
        return values


def _column_of(
    type_: RegisterType, members: Sequence[tuple[int, RegisterValue]], start_address: int
) -> _Column:
    values = [value for _, value in members]
    return _Column(
        _NUMPY_TYPES[type_],
        np.array([_octet_positions(value, start_address) for value in values], np.intp),
        np.array([value_index for value_index, _ in members], np.intp),
        np.array([float(value.scaling.numerator) for value in values]),
        np.array([float(value.scaling.addend) for value in values]),
        np.array([float(value.scaling.denominator) for value in values]),
    )


def _octet_positions(value: RegisterValue, start_address: int) -> list[int]:
    """Where the number's octets lie in the answer, highest first: ABCD, CDAB, BADC or DCBA."""
    first = 2 * (value.address - start_address)
    words = [[first + 2 * index, first + 2 * index + 1] for index in range(value.type.register_count)]
    if value.byte_order is Order.LITTLE:
        words = [[low, high] for high, low in words]
    if value.word_order is Order.LITTLE:
        words.reverse()
    return [position for word in words for position in word]
