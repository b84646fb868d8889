"""Laws of the 60870-5-104 codec: what is encoded comes back, however the ASDU is arranged."""

import datetime
import struct
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.codec.apci import APDU_LENGTH_MAX, ControlFunction, asdu_of, control_function
from drivers.codec.asdu import TypeId, decode_asdu
from drivers.codec.cp56 import decode_cp24, decode_cp56
from historian.model.timestamp import EPOCH

octets = st.integers(0, 255)
addresses = st.integers(0, 2**24 - 1)
common_addresses = st.integers(0, 2**16 - 1)
stamps = st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2099, 12, 31, 23, 59, 59))


class Sent(NamedTuple):
    """One object to encode: its element's octets, its time's, and the value they mean."""

    element: bytes
    time: bytes
    value: float
    descriptor: int


def cp56(stamp: datetime.datetime, minute_flags: int, hour_flags: int) -> bytes:
    milliseconds = stamp.second * 1000 + stamp.microsecond // 1000
    return struct.pack(
        "<HBBBBB",
        milliseconds,
        stamp.minute | minute_flags,
        stamp.hour | hour_flags,
        stamp.day | stamp.isoweekday() << 5,
        stamp.month,
        stamp.year - 2000,
    )


times = st.builds(cp56, stamps, st.sampled_from([0, 0x40, 0x80]), st.sampled_from([0, 0x80]))
floats = st.builds(
    lambda value, descriptor, time: Sent(struct.pack("<fB", value, descriptor), time, value, descriptor),
    st.floats(width=32, allow_nan=False),
    octets,
    times,
)
counters = st.builds(
    lambda value, descriptor, time: Sent(struct.pack("<iB", value, descriptor), time, value, descriptor),
    st.integers(-(2**31), 2**31 - 1),
    octets,
    times,
)
scaled = st.builds(
    lambda value, descriptor, time: Sent(struct.pack("<hB", value, descriptor), time, value, descriptor),
    st.integers(-(2**15), 2**15 - 1),
    octets,
    times,
)


def encode(
    type_id: int, common_address: int, address: int, objects: Sequence[Sent], *, one_address: bool
) -> bytes:
    head = struct.pack("<BBBBH", type_id, len(objects) | (0x80 if one_address else 0), 3, 0, common_address)
    body = b""
    for index, entry in enumerate(objects):
        if index == 0 or not one_address:
            body += (address + index).to_bytes(3, "little")
        body += entry.element + entry.time
    return head + body


@pytest.mark.parametrize(
    ("type_id", "objects"),
    [
        pytest.param(TypeId.M_ME_TF_1, floats, id="short float"),
        pytest.param(TypeId.M_IT_TB_1, counters, id="integrated totals"),
        pytest.param(TypeId.M_ME_TE_1, scaled, id="scaled"),
    ],
)
@given(
    data=st.data(),
    common_address=common_addresses,
    address=st.integers(0, 2**24 - 20),
    one_address=st.booleans(),
)
def test_objects_come_back_in_order(
    type_id: TypeId,
    objects: st.SearchStrategy[Sent],
    data: st.DataObject,
    common_address: int,
    address: int,
    one_address: bool,
) -> None:
    sent = data.draw(st.lists(objects, min_size=1, max_size=15))
    asdu = decode_asdu(encode(type_id, common_address, address, sent, one_address=one_address))
    assert asdu.common_address == common_address
    assert [tuple(entry) for entry in asdu.objects] == [
        (address + index, entry.value, entry.descriptor, entry.time) for index, entry in enumerate(sent)
    ]


@given(
    stamp=stamps, minute_flags=st.sampled_from([0, 0x40, 0x80, 0xC0]), hour_flags=st.sampled_from([0, 0x80])
)
def test_stamp_comes_back_to_the_millisecond(
    stamp: datetime.datetime, minute_flags: int, hour_flags: int
) -> None:
    found = decode_cp56(cp56(stamp, minute_flags, hour_flags))
    expected = stamp.replace(tzinfo=datetime.UTC, microsecond=stamp.microsecond // 1000 * 1000)
    assert EPOCH + datetime.timedelta(microseconds=found.local_us) == expected
    assert found.is_invalid == bool(minute_flags & 0x80)
    assert found.is_substituted == bool(minute_flags & 0x40)
    assert found.is_summer == bool(hour_flags)


@given(stamp=stamps)
def test_short_stamp_is_the_first_three_octets_of_the_long_one(stamp: datetime.datetime) -> None:
    long = cp56(stamp, 0, 0)
    assert decode_cp24(long[:3]).in_hour_us == decode_cp56(long).local_us % 3_600_000_000


@given(asdu=st.binary(min_size=1, max_size=APDU_LENGTH_MAX - 4), sent=st.integers(0, 2**15 - 1))
def test_asdu_comes_back_out_of_its_frame(asdu: bytes, sent: int) -> None:
    frame = struct.pack("<BBHH", 0x68, len(asdu) + 4, sent << 1, 0) + asdu
    assert control_function(frame) is ControlFunction.INFORMATION
    assert asdu_of(frame) == asdu
