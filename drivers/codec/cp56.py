"""Binary time of IEC 60870-5-101 §7.2.6.18-20: CP56Time2a (7 octets) and CP24Time2a (3 octets).

```
octet 1-2  milliseconds 0..59999, low octet first
octet 3    IV  GEN  minute 0..59
octet 4    SU   –   hour 0..23          ┐
octet 5    weekday(3)  day 1..31        │ CP56Time2a only
octet 6    month 1..12                  │
octet 7    year 0..99 of this century   ┘
```
The stamp is the device's local time: no zone travels with it.
"""

import datetime
from typing import Final, NamedTuple

from historian.errors import ProtocolError

CP56_SIZE_BYTES: Final = 7
CP24_SIZE_BYTES: Final = 3
MILLISECONDS_MAX: Final = 59_999
CENTURY: Final = 2000  # two digits on the wire; devices of this protocol are younger

_MS_US: Final = 1_000
_MINUTE_US: Final = 60_000_000
_HOUR_US: Final = 60 * _MINUTE_US
_DAY_US: Final = 24 * _HOUR_US
_EPOCH_DAY: Final = datetime.date(1970, 1, 1).toordinal()


class Cp56(NamedTuple):
    """A decoded CP56Time2a.

    `local_us` is the device's civil time counted as if it were UTC. `is_summer` is the SU bit,
    `is_substituted` the bit GEN: a station on the way put its own time.
    """

    local_us: int
    is_invalid: bool
    is_summer: bool
    is_substituted: bool


class Cp24(NamedTuple):
    """A decoded CP24Time2a: microseconds since the start of an hour that the stamp does not name."""

    in_hour_us: int
    is_invalid: bool
    is_substituted: bool


def decode_cp56(octets: bytes) -> Cp56:
    """Seven octets to a stamp; an impossible date or time comes out with `is_invalid`."""
    if len(octets) != CP56_SIZE_BYTES:
        raise ProtocolError(f"CP56Time2a has {CP56_SIZE_BYTES} octets, not {len(octets)}")
    in_hour = decode_cp24(octets[:CP24_SIZE_BYTES])
    hour = octets[3] & 0x1F
    is_summer = bool(octets[3] & 0x80)
    try:
        day = datetime.date(CENTURY + (octets[6] & 0x7F), octets[5] & 0x0F, octets[4] & 0x1F)
    except ValueError:
        return Cp56(0, True, is_summer, in_hour.is_substituted)
    local_us = (day.toordinal() - _EPOCH_DAY) * _DAY_US + hour * _HOUR_US + in_hour.in_hour_us
    return Cp56(local_us, in_hour.is_invalid or hour > 23, is_summer, in_hour.is_substituted)


def decode_cp24(octets: bytes) -> Cp24:
    """Three octets to minutes and milliseconds in an hour."""
    if len(octets) != CP24_SIZE_BYTES:
        raise ProtocolError(f"CP24Time2a has {CP24_SIZE_BYTES} octets, not {len(octets)}")
    milliseconds = octets[0] | octets[1] << 8
    minute = octets[2] & 0x3F
    is_impossible = milliseconds > MILLISECONDS_MAX or minute > 59
    return Cp24(
        minute * _MINUTE_US + milliseconds * _MS_US,
        is_impossible or bool(octets[2] & 0x80),
        bool(octets[2] & 0x40),
    )
