import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.mapping import Scaling
from drivers.modbus_request import RegisterValue, plan_requests
from drivers.modbus_settings import Order, RegisterArea, RegisterType
from drivers.modbus_value import DecodeTable

BIG, LITTLE = Order.BIG, Order.LITTLE
AS_IT_IS = Scaling(1, 0, 1)


def decode_one(
    octets: str,
    type_: RegisterType,
    word_order: Order = BIG,
    byte_order: Order = BIG,
    scaling: Scaling = AS_IT_IS,
) -> float:
    value = RegisterValue(0, 1, RegisterArea.HOLDING_REGISTER, 5, type_, word_order, byte_order, scaling)
    (request,) = plan_requests([value], 125, 0)
    return float(DecodeTable(request).decode(bytes.fromhex(octets))[0])


@pytest.mark.parametrize(
    ("octets", "type_", "word_order", "byte_order", "expected"),
    [
        pytest.param("0900", RegisterType.UINT16, BIG, BIG, 2304.0, id="uint16"),
        pytest.param("0009", RegisterType.UINT16, BIG, LITTLE, 2304.0, id="uint16, octets swapped"),
        pytest.param("0009", RegisterType.UINT16, LITTLE, LITTLE, 2304.0, id="uint16 has no word order"),
        pytest.param("ffff", RegisterType.UINT16, BIG, BIG, 65_535.0, id="uint16 largest"),
        pytest.param("fffe", RegisterType.INT16, BIG, BIG, -2.0, id="int16 negative"),
        pytest.param("8000", RegisterType.INT16, BIG, BIG, -32_768.0, id="int16 smallest"),
        pytest.param("00010002", RegisterType.UINT32, BIG, BIG, 65_538.0, id="uint32 ABCD"),
        pytest.param("00020001", RegisterType.UINT32, LITTLE, BIG, 65_538.0, id="uint32 CDAB"),
        pytest.param("01000200", RegisterType.UINT32, BIG, LITTLE, 65_538.0, id="uint32 BADC"),
        pytest.param("02000100", RegisterType.UINT32, LITTLE, LITTLE, 65_538.0, id="uint32 DCBA"),
        pytest.param("ffffffff", RegisterType.UINT32, BIG, BIG, 4_294_967_295.0, id="uint32 largest"),
        pytest.param("fffffffd", RegisterType.INT32, BIG, BIG, -3.0, id="int32 negative"),
        pytest.param("80000000", RegisterType.INT32, BIG, BIG, -2_147_483_648.0, id="int32 smallest"),
        pytest.param("42f6e979", RegisterType.FLOAT32, BIG, BIG, 123.45600128173828, id="float32 ABCD"),
        pytest.param("e97942f6", RegisterType.FLOAT32, LITTLE, BIG, 123.45600128173828, id="float32 CDAB"),
        pytest.param("f64279e9", RegisterType.FLOAT32, BIG, LITTLE, 123.45600128173828, id="float32 BADC"),
        pytest.param("79e9f642", RegisterType.FLOAT32, LITTLE, LITTLE, 123.45600128173828, id="float32 DCBA"),
    ],
)
def test_registers_make_a_number(
    octets: str, type_: RegisterType, word_order: Order, byte_order: Order, expected: float
) -> None:
    assert decode_one(octets, type_, word_order, byte_order) == expected


def test_2304_with_scale_a_tenth_is_230_point_4() -> None:
    assert decode_one("0900", RegisterType.UINT16, scaling=Scaling(1, 0, 10)) == 230.4


def test_largest_numbers_scale_to_the_nearest_float() -> None:
    scaling = Scaling(1, 7, 1000)
    expected = float(Fraction(4_294_967_295 + 7, 1000))
    assert decode_one("ffffffff", RegisterType.UINT32, scaling=scaling) == expected


@pytest.mark.parametrize(
    "octets", ["7fc00000", "7f800001", "ffc00000"], ids=["quiet", "signalling", "negative"]
)
def test_a_nan_is_given_on_for_the_driver_to_refuse(octets: str) -> None:
    assert math.isnan(decode_one(octets, RegisterType.FLOAT32, scaling=Scaling(1, 1, 10)))


def test_an_infinite_float_stays_infinite() -> None:
    assert decode_one("ff800000", RegisterType.FLOAT32) == -math.inf


def test_values_of_all_types_come_in_the_order_of_the_request() -> None:
    types = [RegisterType.FLOAT32, RegisterType.UINT16, RegisterType.INT32, RegisterType.INT16]
    addresses = [0, 2, 3, 7]  # two unused registers before the last
    values = [
        RegisterValue(index, 1, RegisterArea.INPUT_REGISTER, address, type_, BIG, BIG, Scaling(1, 0, 1))
        for index, (type_, address) in enumerate(zip(types, addresses, strict=True))
    ]
    (request,) = plan_requests(values, 125, 8)
    octets = struct.pack(">fHihhh", 1.5, 2, -3, 99, 99, -4)
    assert DecodeTable(request).decode(octets).tolist() == [1.5, 2.0, -3.0, -4.0]


@given(st.integers(0, 2**16 - 1), st.integers(1, 10_000), st.integers(1, 10_000))
def test_decoding_scales_like_fractions_do(raw: int, numerator: int, denominator: int) -> None:
    scaling = Scaling(numerator, 0, denominator)
    decoded = decode_one(f"{raw:04x}", RegisterType.UINT16, scaling=scaling)
    assert decoded == float(Fraction(raw * numerator, denominator))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float32_is_widened_unchanged(number: float) -> None:
    assert decode_one(struct.pack(">f", number).hex(), RegisterType.FLOAT32) == np.float64(number)
