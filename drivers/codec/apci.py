"""The frame head of IEC 60870-5-104 (§5): ``68 L c1 c2 c3 c4``, then an ASDU in I frames."""

from enum import IntEnum
from typing import Final

from historian.errors import ProtocolError

START: Final = 0x68
HEAD_SIZE_BYTES: Final = 6
APDU_LENGTH_MIN: Final = 4  # §5: the length octet counts what follows it, at least the control field
APDU_LENGTH_MAX: Final = 253


class ControlFunction(IntEnum):
    """The first control octet of a U frame (§5.3), and one word each for I and S frames.

    The two words lie outside the octet's range of U frames, whose lowest two bits are 11.
    """

    INFORMATION = 0x00
    SUPERVISORY = 0x01
    STARTDT_ACTIVATION = 0x07
    STARTDT_CONFIRMATION = 0x0B
    STOPDT_ACTIVATION = 0x13
    STOPDT_CONFIRMATION = 0x23
    TESTFR_ACTIVATION = 0x43
    TESTFR_CONFIRMATION = 0x83


_CONTROL_FUNCTIONS: Final = {int(function): function for function in ControlFunction}


def control_function(apdu: bytes) -> ControlFunction:
    """What kind of frame one whole APDU is. Raises ProtocolError for one that is none."""
    if len(apdu) < HEAD_SIZE_BYTES or apdu[0] != START or apdu[1] != len(apdu) - 2:
        raise ProtocolError(f"no APDU: {apdu[:8].hex(' ')} … of {len(apdu)} octets")
    first = apdu[2]
    if first & 0b01 == 0:
        return ControlFunction.INFORMATION
    if first & 0b11 == 0b01:
        return ControlFunction.SUPERVISORY
    function = _CONTROL_FUNCTIONS.get(first)
    if function is None:
        raise ProtocolError(f"U frame with unknown control octet {first:#04x}")
    return function


def asdu_of(apdu: bytes) -> bytes:
    """The ASDU an I frame carries."""
    return apdu[HEAD_SIZE_BYTES:]
