"""Monitored data of IEC 60870-5-101 and -104: an ASDU's octets to numbers.

```
type  VSQ        COT      originator  CA        then objects
 1    SQ+N 1     T PN 6b  1           2 (low    SQ=0: N × (address 3, element, time)
                                      first)    SQ=1: address 3, then N × (element, time)
```
The sizes are those that 104 fixes (§7.1): cause 2 octets, common address 2, object address 3.
Only types that carry numbers a metering point can be are decoded to objects.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple

from drivers.codec import cp56
from historian.errors import ProtocolError

HEAD_SIZE_BYTES: Final = 6
OBJECT_ADDRESS_SIZE_BYTES: Final = 3
CAUSE_MASK: Final = 0x3F
NEGATIVE_BIT: Final = 0x40
TEST_BIT: Final = 0x80
SEQUENCE_BIT: Final = 0x80


class TypeId(IntEnum):
    """The type identifications this product reads (§7.2.1)."""

    M_SP_NA_1 = 1
    M_SP_TA_1 = 2
    M_DP_NA_1 = 3
    M_DP_TA_1 = 4
    M_ST_NA_1 = 5
    M_ST_TA_1 = 6
    M_ME_NA_1 = 9
    M_ME_TA_1 = 10
    M_ME_NB_1 = 11
    M_ME_TB_1 = 12
    M_ME_NC_1 = 13
    M_ME_TC_1 = 14
    M_IT_NA_1 = 15
    M_IT_TA_1 = 16
    M_ME_ND_1 = 21
    M_SP_TB_1 = 30
    M_DP_TB_1 = 31
    M_ST_TB_1 = 32
    M_ME_TD_1 = 34
    M_ME_TE_1 = 35
    M_ME_TF_1 = 36
    M_IT_TB_1 = 37
    M_EI_NA_1 = 70
    C_IC_NA_1 = 100
    C_CI_NA_1 = 101
    C_CS_NA_1 = 103


class Cause(IntEnum):
    """The causes of transmission this product acts on (§7.2.3)."""

    SPONTANEOUS = 3
    ACTIVATION = 6
    ACTIVATION_CONFIRMATION = 7
    ACTIVATION_TERMINATION = 10
    INTERROGATED_BY_STATION = 20
    INTERROGATED_COUNTER_GROUP_4 = 41
    UNKNOWN_TYPE = 44
    UNKNOWN_OBJECT_ADDRESS = 47


class InformationObject(NamedTuple):
    """One value as it came.

    `descriptor` is its quality octet (of a counter: the octet with sequence number, CY, CA, IV);
    `time_octets` is empty, a CP24Time2a or a CP56Time2a.
    """

    information_object_address: int
    value: float
    descriptor: int
    time_octets: bytes


class Asdu(NamedTuple):
    """A decoded ASDU. `objects` is empty for types that carry no measured or counted value."""

    type_id: int
    cause_of_transmission: int
    is_negative: bool
    is_test: bool
    originator_address: int
    common_address: int
    objects: tuple[InformationObject, ...]

    @property
    def is_interrogated(self) -> bool:
        """Whether the values answer an interrogation (causes 20 to 41) instead of telling a change."""
        return (
            Cause.INTERROGATED_BY_STATION <= self.cause_of_transmission <= Cause.INTERROGATED_COUNTER_GROUP_4
        )

    @property
    def is_integrated_totals(self) -> bool:
        """Whether the objects are counters."""
        return self.type_id in INTEGRATED_TOTALS


INTEGRATED_TOTALS: Final = frozenset({TypeId.M_IT_NA_1, TypeId.M_IT_TA_1, TypeId.M_IT_TB_1})


def decode_asdu(octets: bytes) -> Asdu:
    """One ASDU to values. Raises ProtocolError where lengths and counts do not fit."""
    if len(octets) < HEAD_SIZE_BYTES:
        raise ProtocolError(f"ASDU of {len(octets)} octets is shorter than its head")
    type_id, qualifier, cause = octets[0], octets[1], octets[2]
    return Asdu(
        type_id=type_id,
        cause_of_transmission=cause & CAUSE_MASK,
        is_negative=bool(cause & NEGATIVE_BIT),
        is_test=bool(cause & TEST_BIT),
        originator_address=octets[3],
        common_address=octets[4] | octets[5] << 8,
        objects=_decode_objects(octets, type_id, qualifier),
    )


def _decode_objects(octets: bytes, type_id: int, qualifier: int) -> tuple[InformationObject, ...]:
    layout = _LAYOUTS.get(type_id)
    if layout is None:
        return ()
    object_count = qualifier & ~SEQUENCE_BIT
    has_one_address = bool(qualifier & SEQUENCE_BIT)
    address_count = min(1, object_count) if has_one_address else object_count
    expected_size = HEAD_SIZE_BYTES + address_count * OBJECT_ADDRESS_SIZE_BYTES + object_count * layout.size
    if object_count == 0 or len(octets) != expected_size:
        raise ProtocolError(
            f"ASDU type {type_id} with {object_count} objects has {len(octets)} octets, not {expected_size}"
        )
    objects = []
    offset = HEAD_SIZE_BYTES
    address = 0
    for index in range(object_count):
        if has_one_address and index:
            address += 1
        else:
            address = octets[offset] | octets[offset + 1] << 8 | octets[offset + 2] << 16
            offset += OBJECT_ADDRESS_SIZE_BYTES
        value, descriptor = layout.decode_element(octets, offset)
        objects.append(
            InformationObject(
                address, value, descriptor, octets[offset + layout.element_size : offset + layout.size]
            )
        )
        offset += layout.size
    return tuple(objects)


def _single_point(octets: bytes, offset: int) -> tuple[float, int]:
    # SIQ §7.2.6.1: b0 the state, b4-7 BL SB NT IV
    return float(octets[offset] & 0x01), octets[offset] & 0xF0


def _double_point(octets: bytes, offset: int) -> tuple[float, int]:
    # DIQ §7.2.6.2: b0-1 the state (0 between, 1 off, 2 on, 3 faulty), b4-7 BL SB NT IV
    return float(octets[offset] & 0x03), octets[offset] & 0xF0


def _step_position(octets: bytes, offset: int) -> tuple[float, int]:
    # VTI §7.2.6.5: b0-6 signed, b7 transient; then QDS
    position = octets[offset] & 0x7F
    return float(position - 128 if position > 63 else position), octets[offset + 1]


def _normalized(octets: bytes, offset: int) -> tuple[float, int]:
    # NVA §7.2.6.6: a signed fraction, so 1/32768 (not 1/32767) is the unit; then QDS
    raw, descriptor = _SIGNED_16.unpack_from(octets, offset)
    return raw / NORMALIZED_ONE, descriptor


def _normalized_without_quality(octets: bytes, offset: int) -> tuple[float, int]:
    raw = int.from_bytes(octets[offset : offset + 2], "little", signed=True)
    return raw / NORMALIZED_ONE, 0


def _scaled(octets: bytes, offset: int) -> tuple[float, int]:
    # SVA §7.2.6.7, then QDS
    raw, descriptor = _SIGNED_16.unpack_from(octets, offset)
    return float(raw), descriptor


def _short_float(octets: bytes, offset: int) -> tuple[float, int]:
    # R32-IEEE STD 754 §7.2.6.8, then QDS
    value, descriptor = _FLOAT_32.unpack_from(octets, offset)
    return value, descriptor


def _counter_reading(octets: bytes, offset: int) -> tuple[float, int]:
    # BCR §7.2.6.9: signed 32 bit, then b0-4 sequence number, b5 CY, b6 CA, b7 IV
    reading, descriptor = _SIGNED_32.unpack_from(octets, offset)
    return float(reading), descriptor


class _Layout(NamedTuple):
    """How one object of a type lies behind its address: the element, then its time."""

    element_size: int
    time_size: int
    decode_element: Callable[[bytes, int], tuple[float, int]]

    @property
    def size(self) -> int:
        return self.element_size + self.time_size


NORMALIZED_ONE: Final = 32_768
_SIGNED_16: Final = struct.Struct("<hB")
_SIGNED_32: Final = struct.Struct("<iB")
_FLOAT_32: Final = struct.Struct("<fB")
_CP24: Final = cp56.CP24_SIZE_BYTES
_CP56: Final = cp56.CP56_SIZE_BYTES

_LAYOUTS: Final[dict[int, _Layout]] = {
    TypeId.M_SP_NA_1: _Layout(1, 0, _single_point),
    TypeId.M_SP_TA_1: _Layout(1, _CP24, _single_point),
    TypeId.M_SP_TB_1: _Layout(1, _CP56, _single_point),
    TypeId.M_DP_NA_1: _Layout(1, 0, _double_point),
    TypeId.M_DP_TA_1: _Layout(1, _CP24, _double_point),
    TypeId.M_DP_TB_1: _Layout(1, _CP56, _double_point),
    TypeId.M_ST_NA_1: _Layout(2, 0, _step_position),
    TypeId.M_ST_TA_1: _Layout(2, _CP24, _step_position),
    TypeId.M_ST_TB_1: _Layout(2, _CP56, _step_position),
    TypeId.M_ME_NA_1: _Layout(3, 0, _normalized),
    TypeId.M_ME_TA_1: _Layout(3, _CP24, _normalized),
    TypeId.M_ME_TD_1: _Layout(3, _CP56, _normalized),
    TypeId.M_ME_ND_1: _Layout(2, 0, _normalized_without_quality),
    TypeId.M_ME_NB_1: _Layout(3, 0, _scaled),
    TypeId.M_ME_TB_1: _Layout(3, _CP24, _scaled),
    TypeId.M_ME_TE_1: _Layout(3, _CP56, _scaled),
    TypeId.M_ME_NC_1: _Layout(5, 0, _short_float),
    TypeId.M_ME_TC_1: _Layout(5, _CP24, _short_float),
    TypeId.M_ME_TF_1: _Layout(5, _CP56, _short_float),
    TypeId.M_IT_NA_1: _Layout(5, 0, _counter_reading),
    TypeId.M_IT_TA_1: _Layout(5, _CP24, _counter_reading),
    TypeId.M_IT_TB_1: _Layout(5, _CP56, _counter_reading),
}
