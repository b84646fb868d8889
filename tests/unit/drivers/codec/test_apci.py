import pytest

from drivers.codec.apci import ControlFunction, asdu_of, control_function
from historian.errors import ProtocolError


@pytest.mark.parametrize(
    ("frame", "function"),
    [
        pytest.param("68 04 07 00 00 00", ControlFunction.STARTDT_ACTIVATION, id="STARTDT act"),
        pytest.param("68 04 0b 00 00 00", ControlFunction.STARTDT_CONFIRMATION, id="STARTDT con"),
        pytest.param("68 04 43 00 00 00", ControlFunction.TESTFR_ACTIVATION, id="TESTFR act"),
        pytest.param("68 04 83 00 00 00", ControlFunction.TESTFR_CONFIRMATION, id="TESTFR con"),
        pytest.param("68 04 01 00 1a 00", ControlFunction.SUPERVISORY, id="S, N(R)=13"),
        pytest.param(
            "68 0e 02 00 02 00 64 01 07 00 0a 00 00 00 00 14", ControlFunction.INFORMATION, id="I, N(S)=1"
        ),
    ],
)
def test_kind_of_frame_is_known(frame: str, function: ControlFunction) -> None:
    assert control_function(bytes.fromhex(frame)) is function


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("", id="nothing"),
        pytest.param("68 04 07 00 00", id="one octet missing"),
        pytest.param("68 05 07 00 00 00", id="length says more"),
        pytest.param("67 04 07 00 00 00", id="wrong start octet"),
        pytest.param("68 04 ff 00 00 00", id="unknown U function"),
    ],
)
def test_what_is_no_frame_is_a_protocol_error(frame: str) -> None:
    with pytest.raises(ProtocolError):
        control_function(bytes.fromhex(frame))


def test_asdu_follows_the_six_octets_of_the_head() -> None:
    frame = bytes.fromhex("68 0e 02 00 02 00 64 01 07 00 0a 00 00 00 00 14")
    assert asdu_of(frame).hex(" ") == "64 01 07 00 0a 00 00 00 00 14"
