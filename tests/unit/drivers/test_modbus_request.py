import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.mapping import Scaling
from drivers.modbus_request import ReadRequest, RegisterValue, plan_requests, split_request
from drivers.modbus_settings import Order, RegisterArea, RegisterType

HOLDING = RegisterArea.HOLDING_REGISTER
INPUT = RegisterArea.INPUT_REGISTER


def value(
    address: int,
    type_: RegisterType = RegisterType.UINT16,
    *,
    unit_id: int = 1,
    area: RegisterArea = HOLDING,
) -> RegisterValue:
    return RegisterValue(address, unit_id, area, address, type_, Order.BIG, Order.BIG, Scaling(1, 0, 1))


def extents(requests: list[ReadRequest]) -> list[tuple[int, int]]:
    return [(request.start_address, request.register_count) for request in requests]


@pytest.mark.parametrize(
    ("addresses", "gap_max", "expected"),
    [
        pytest.param([], 8, [], id="nothing to read"),
        pytest.param([7], 8, [(7, 1)], id="one register"),
        pytest.param([12, 10, 11], 0, [(10, 3)], id="neighbours in any order"),
        pytest.param([10, 12], 0, [(10, 1), (12, 1)], id="a gap and none allowed"),
        pytest.param([10, 19], 8, [(10, 10)], id="a gap just small enough"),
        pytest.param([10, 20], 8, [(10, 1), (20, 1)], id="a gap just too wide"),
        pytest.param([0, 124], 125, [(0, 125)], id="125 registers are one request"),
        pytest.param([0, 125], 125, [(0, 1), (125, 1)], id="126 registers are two"),
        pytest.param([65_535], 8, [(65_535, 1)], id="the last register"),
    ],
)
def test_registers_are_merged(addresses: list[int], gap_max: int, expected: list[tuple[int, int]]) -> None:
    assert extents(plan_requests([value(address) for address in addresses], 125, gap_max)) == expected


def test_a_number_of_two_registers_is_never_cut() -> None:
    values = [value(address, RegisterType.FLOAT32) for address in range(0, 126, 2)]
    assert extents(plan_requests(values, 125, 0)) == [(0, 124), (124, 2)]


def test_units_and_areas_are_asked_apart() -> None:
    requests = plan_requests([value(0), value(1, unit_id=2), value(2, area=INPUT)], 125, 8)
    assert {(request.unit_id, request.area) for request in requests} == {
        (1, HOLDING),
        (2, HOLDING),
        (1, INPUT),
    }


def test_two_points_may_read_the_same_registers() -> None:
    values = [value(10, RegisterType.UINT32), value(10), value(11)]
    assert extents(plan_requests(values, 125, 0)) == [(10, 2)]


def test_a_request_tells_what_it_reads() -> None:
    (request,) = plan_requests([value(100), value(104)], 125, 8)
    assert str(request) == "holding_register 100-104 of unit 1"


@given(
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(list(RegisterType)), st.integers(0, 1))),
    st.integers(2, 125),
    st.integers(0, 125),
)
def test_every_value_is_in_exactly_one_request_and_lies_within_it(
    places: list[tuple[int, RegisterType, int]], registers_max: int, gap_max: int
) -> None:
    values = [value(address, type_, unit_id=unit_id) for address, type_, unit_id in places]
    requests = plan_requests(values, registers_max, gap_max)
    assert sorted(map(repr, values)) == sorted(repr(member) for each in requests for member in each.values)
    for request in requests:
        assert 1 <= request.register_count <= registers_max
        for member in request.values:
            assert member.unit_id == request.unit_id
            assert request.start_address <= member.address
            assert member.end_address <= request.start_address + request.register_count


def test_a_refused_request_is_first_split_at_its_gaps() -> None:
    (request,) = plan_requests([value(10), value(11), value(15)], 125, 8)
    assert extents(split_request(request, 125)) == [(10, 2), (15, 1)]


def test_a_refused_request_without_gaps_is_split_into_its_values() -> None:
    (request,) = plan_requests([value(10), value(11, RegisterType.INT32)], 125, 8)
    assert extents(split_request(request, 125)) == [(10, 1), (11, 2)]


def test_a_request_of_one_value_cannot_be_split() -> None:
    (request,) = plan_requests([value(10)], 125, 8)
    assert split_request(request, 125) == [request]
