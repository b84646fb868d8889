"""Which registers are asked for together: few requests, none longer than the protocol or the device allows."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from drivers.mapping import Scaling
from drivers.modbus_settings import Order, RegisterArea, RegisterType


class RegisterValue(NamedTuple):
    """One value of a device: where its registers lie and how they become the point's unit.

    `address` is the one on the wire, counted from 0. `point_index` is the caller's number for it.
    """

    point_index: int
    unit_id: int
    area: RegisterArea
    address: int
    type: RegisterType
    word_order: Order
    byte_order: Order
    scaling: Scaling

    @property
    def end_address(self) -> int:
        """One past the last register."""
        return self.address + self.type.register_count


class ReadRequest(NamedTuple):
    """A run of registers to read at once, and the values that lie in it."""

    unit_id: int
    area: RegisterArea
    start_address: int
    register_count: int
    values: tuple[RegisterValue, ...]

    def __str__(self) -> str:
        last_address = self.start_address + self.register_count - 1
        return f"{self.area.value} {self.start_address}-{last_address} of unit {self.unit_id}"


def plan_requests(
    values: Iterable[RegisterValue], registers_max: int, register_gap_max: int
) -> list[ReadRequest]:
    """Merge values into requests of at most `registers_max` registers.

    Values of one unit and area are merged while at most `register_gap_max` unused registers lie
    between them. Every value is in exactly one request.
    """
    requests: list[ReadRequest] = []
    group: list[RegisterValue] = []
    for value in sorted(values, key=_position):
        if group and not _fits(group, value, registers_max, register_gap_max):
            requests.append(_request_of(group))
            group = []
        group.append(value)
    if group:
        requests.append(_request_of(group))
    return requests


def split_request(request: ReadRequest, registers_max: int) -> list[ReadRequest]:
    """Smaller requests for a device that refuses the whole: without unused registers, else one a value.

    Answers the request itself where it cannot be made smaller.
    """
    parts = plan_requests(request.values, registers_max, 0)
    if len(parts) == 1:
        parts = [_request_of([value]) for value in request.values]
    return parts


def _position(value: RegisterValue) -> tuple[int, str, int, int]:
    return (value.unit_id, value.area.value, value.address, value.end_address)


def _fits(group: Sequence[RegisterValue], value: RegisterValue, registers_max: int, gap_max: int) -> bool:
    first = group[0]
    end_address = max(member.end_address for member in group)
    return (
        (first.unit_id, first.area) == (value.unit_id, value.area)
        and value.address - end_address <= gap_max
        and max(end_address, value.end_address) - first.address <= registers_max
    )


def _request_of(group: Sequence[RegisterValue]) -> ReadRequest:
    first = group[0]
    end_address = max(value.end_address for value in group)
    return ReadRequest(first.unit_id, first.area, first.address, end_address - first.address, tuple(group))
