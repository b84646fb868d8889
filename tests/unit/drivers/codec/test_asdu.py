import json
from pathlib import Path

import pytest

from drivers.codec.apci import ControlFunction, asdu_of, control_function
from drivers.codec.asdu import Asdu, InformationObject, TypeId, decode_asdu
from historian.errors import ProtocolError


def decoded(octets: str) -> Asdu:
    return decode_asdu(bytes.fromhex(octets))


# type VSQ COT OA CA, then address, element, time
GOLDEN = [
    pytest.param(
        "24 01 03 00 0a00  0c0000 85eb1d41 00 e337180884070d",
        [(12, 9.869999885559082, 0x00, "e337180884070d")],
        id="M_ME_TF_1 short float with time",
    ),
    pytest.param("0d 01 03 00 0a00  010000 c3f54840 00", [(1, 3.140000104904175, 0x00, "")], id="M_ME_NC_1"),
    pytest.param(
        "0d 82 03 00 9001  c71500 20b0c640 00 ac1cdabe 00",
        [(5575, 6.2089996337890625, 0x00, ""), (5576, -0.4259999990463257, 0x00, "")],
        id="M_ME_NC_1 in sequence",
    ),
    pytest.param(
        "23 01 03 00 0a00  0e0000 c801 00 6412180884070d",
        [(14, 456.0, 0x00, "6412180884070d")],
        id="M_ME_TE_1 scaled",
    ),
    pytest.param(
        "0b 03 14 00 0100  640000 ffff 00  650000 1700 90  660000 fc08 01",
        [(100, -1.0, 0x00, ""), (101, 23.0, 0x90, ""), (102, 2300.0, 0x01, "")],
        id="M_ME_NB_1 with qualities",
    ),
    pytest.param("09 01 03 00 0100  010000 0040 00", [(1, 0.5, 0x00, "")], id="M_ME_NA_1: 0x4000 is a half"),
    pytest.param("09 01 03 00 0100  010000 0080 80", [(1, -1.0, 0x80, "")], id="M_ME_NA_1: lowest, invalid"),
    pytest.param("15 01 14 00 0100  010000 ff7f", [(1, 32767 / 32768, 0x00, "")], id="M_ME_ND_1"),
    pytest.param(
        "22 01 03 00 0100  010000 00c0 40 c75d170884070d",
        [(1, -0.5, 0x40, "c75d170884070d")],
        id="M_ME_TD_1 with time",
    ),
    pytest.param(
        "0e 01 03 00 0100  010000 0000803f 00 c75d17", [(1, 1.0, 0x00, "c75d17")], id="M_ME_TC_1 short time"
    ),
    pytest.param(
        "0f 01 25 00 0100  d10700 15cd5b07 65",
        [(2001, 123456789.0, 0x65, "")],
        id="M_IT_NA_1: sequence 5, CY and CA",
    ),
    pytest.param(
        "25 01 25 00 0100  d10700 ffffffff 80 c75d170884070d",
        [(2001, -1.0, 0x80, "c75d170884070d")],
        id="M_IT_TB_1 negative, invalid",
    ),
    pytest.param(
        "1e 01 03 00 0a00  0d0000 01 c75d170884070d", [(13, 1.0, 0x00, "c75d170884070d")], id="M_SP_TB_1 on"
    ),
    pytest.param(
        "01 84 14 00 910d  1a2700 d0 80 01 c0",
        [(10010, 0.0, 0xD0, ""), (10011, 0.0, 0x80, ""), (10012, 1.0, 0x00, ""), (10013, 0.0, 0xC0, "")],
        id="M_SP_NA_1 in sequence",
    ),
    pytest.param("03 01 03 00 0100  010000 12", [(1, 2.0, 0x10, "")], id="M_DP_NA_1 on, blocked"),
    pytest.param(
        "20 01 03 00 0a00  0c0000 7f 00 648f170884070d",
        [(12, -1.0, 0x00, "648f170884070d")],
        id="M_ST_TB_1 step -1",
    ),
    pytest.param("05 01 03 00 0100  0c0000 bf 00", [(12, 63.0, 0x00, "")], id="M_ST_NA_1 step 63, transient"),
]


@pytest.mark.parametrize(("octets", "objects"), GOLDEN)
def test_objects_are_read(octets: str, objects: list[tuple[int, float, int, str]]) -> None:
    found = decoded(octets).objects
    assert [entry.information_object_address for entry in found] == [row[0] for row in objects]
    assert [entry.value for entry in found] == [row[1] for row in objects]
    assert [entry.descriptor for entry in found] == [row[2] for row in objects]
    assert [entry.time_octets.hex() for entry in found] == [row[3] for row in objects]


def test_head_is_read() -> None:
    assert decoded("64 01 07 05 9001 000000 14") == Asdu(
        TypeId.C_IC_NA_1,
        7,
        is_negative=False,
        is_test=False,
        originator_address=5,
        common_address=400,
        objects=(),
    )


def test_refusal_and_test_bits_do_not_disturb_the_cause() -> None:
    head = decoded("2e 01 c7 01 910d 983a00 82")
    assert (head.cause_of_transmission, head.is_negative, head.is_test) == (7, True, True)


@pytest.mark.parametrize(
    ("cause", "is_interrogated"),
    [
        (1, False),
        (3, False),
        (5, False),
        (19, False),
        (20, True),
        (36, True),
        (37, True),
        (41, True),
        (44, False),
    ],
)
def test_causes_20_to_41_answer_interrogations(cause: int, is_interrogated: bool) -> None:
    assert decoded(f"0d 01 {cause:02x} 00 0100 010000 00000000 00").is_interrogated is is_interrogated


def test_types_without_numbers_have_no_objects() -> None:
    assert decoded("46 01 04 00 0100 000000 00").objects == ()
    assert decoded("7d 01 0d 00 0100 0102030405060708").objects == ()


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param("0d 01 03 00 01", id="head cut"),
        pytest.param("0d 01 03 00 0100 010000 00000000", id="quality missing"),
        pytest.param("0d 01 03 00 0100 010000 00000000 00 00", id="one octet too many"),
        pytest.param("0d 02 03 00 0100 010000 00000000 00", id="second object missing"),
        pytest.param("0d 00 03 00 0100", id="no object"),
        pytest.param("0d 80 03 00 0100", id="no object in sequence"),
    ],
)
def test_asdu_that_does_not_fit_its_count_is_a_protocol_error(octets: str) -> None:
    with pytest.raises(ProtocolError):
        decoded(octets)


def test_every_frame_of_the_captures_is_read_as_an_independent_decoder_reads_it(shared: Path) -> None:
    checked_count = 0
    for path in sorted((shared / "data" / "iec104-captures").glob("*.decoded.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            octets = bytes.fromhex(row["hex"])
            function = control_function(octets)
            if row["fmt"] != "I":
                assert function is not ControlFunction.INFORMATION
                continue
            found, expected = decode_asdu(asdu_of(octets)), row["asdu"]
            assert found.type_id == expected["type"]
            assert found.cause_of_transmission == expected["cot"]
            assert found.common_address == expected["ca"]
            if found.objects:
                checked_count += len(found.objects)
                assert_same_objects(found.objects, expected["objs"])
    assert checked_count > 50


def assert_same_objects(found: tuple[InformationObject, ...], expected: list[dict[str, float]]) -> None:
    assert [entry.information_object_address for entry in found] == [row["ioa"] for row in expected]
    assert [entry.value for entry in found] == pytest.approx([float(row["v"]) for row in expected], rel=1e-5)
