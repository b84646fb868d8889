"""Any octets are a value or a ProtocolError, and never much work."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from drivers.codec.apci import control_function
from drivers.codec.asdu import TypeId, decode_asdu
from drivers.codec.cp56 import decode_cp24, decode_cp56
from drivers.iec104_intake import AsduIntake, IntakePoint
from drivers.iec104_value import DeviceTime, SummerTimeBit
from drivers.mapping import Scaling
from historian.clock import ManualClock
from historian.errors import ProtocolError
from historian.model.timestamp import load_zone

ASDU_SIZE_MAX = 249
HEAD = st.builds(
    lambda type_id, qualifier, cause: bytes([type_id, qualifier, cause, 0, 1, 0]),
    st.sampled_from(sorted(TypeId)),
    st.integers(0, 255),
    st.integers(0, 255),
)
ASDUS = st.one_of(
    st.binary(max_size=ASDU_SIZE_MAX),
    st.builds(bytes.__add__, HEAD, st.binary(max_size=ASDU_SIZE_MAX - 6)),
)


@given(frame=st.binary(max_size=260))
def test_any_frame_is_of_a_kind_or_a_protocol_error(frame: bytes) -> None:
    with suppress(ProtocolError):
        control_function(frame)


@given(asdu=ASDUS)
def test_any_asdu_is_read_or_a_protocol_error(asdu: bytes) -> None:
    with suppress(ProtocolError):
        assert len(decode_asdu(asdu).objects) <= 127


@given(octets=st.binary(max_size=9))
def test_any_stamp_is_read_or_a_protocol_error(octets: bytes) -> None:
    for decode in (decode_cp56, decode_cp24):
        with suppress(ProtocolError):
            decode(octets)


@given(asdus=st.lists(ASDUS, max_size=20), zone=st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin"]))
def test_intake_takes_anything_and_stays_within_its_bound(asdus: list[bytes], zone: str) -> None:
    time = DeviceTime(load_zone(zone), SummerTimeBit.ADDED_HOUR, 300_000_000, 2_592_000_000_000)
    points = {
        (1, address): IntakePoint(address + 1, Scaling(1, 0, 10), 0, 60_000_000) for address in range(256)
    }
    intake = AsduIntake(points, time, ManualClock(1_795_000_000_000_000), 50, lambda: None)
    for asdu in asdus:
        intake.receive(asdu)
    taken = intake.take()
    assert taken.counts["asdus_received"] == len(asdus)
    assert taken.batch is None or taken.batch.sample_count <= 50
