"""The one module that knows pymodbus: a Modbus TCP connection that can only read.

What pymodbus leaves open is settled here: a dropped connection ends a waiting request at once, every
wait has our own deadline, an answer must carry its request's transaction id, unit and function, and
octets that are no sound answer never reach its decoder (which would end in the event loop's log).
"""

import asyncio
import logging
import struct
from typing import Final

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from drivers.errors import AnswerMalformed, DeviceException, LinkLost, ResponseTimeout
from drivers.modbus_request import ReadRequest
from drivers.modbus_settings import RegisterArea
from historian.errors import HistorianError

# The only two functions this product can send: 03 and 04 (application protocol v1.1b3 §6.3, §6.4).
_REQUEST_TYPES: Final = {
    RegisterArea.HOLDING_REGISTER: ReadHoldingRegistersRequest,
    RegisterArea.INPUT_REGISTER: ReadInputRegistersRequest,
}
_FUNCTION_CODES: Final = frozenset(type_.function_code for type_ in _REQUEST_TYPES.values())
_EXCEPTION_BIT: Final = 0x80

# MBAP header, messaging guide v1.0b §3.1.3: transaction, protocol (0), length of what follows, unit.
_HEADER: Final = struct.Struct(">HHHB")
_LENGTH_OFFSET: Final = 6  # the length counts from the unit on
_LENGTH_MIN: Final = 3  # unit, function, one octet
_LENGTH_MAX: Final = 254  # ADU 260 octets at most

_EXCEPTION_NAMES: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target does not respond",
}


class ModbusLink:
    """One connection; one request at a time. Owned by its driver's task."""

    def __init__(self, host: str, port: int, connect_timeout_s: float, response_timeout_s: float) -> None:
        self._host = host
        self._port = port
        self._connect_timeout_s = connect_timeout_s
        self._response_timeout_s = response_timeout_s
        self._client: AsyncModbusTcpClient | None = None
        self._is_open = False
        self._failure: asyncio.Future[ModbusPDU] | None = None  # of the request that waits now
        # Its lines (one for each failed attempt and foreign answer) say what our states and counters say.
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

    async def open(self) -> None:
        """Connect. Raises LinkLost."""
        self.close()
        client = AsyncModbusTcpClient(
            self._host,
            port=self._port,
            reconnect_delay=0,  # the driver decides when to try again
            retries=0,
            timeout=self._connect_timeout_s + self._response_timeout_s,  # ours are shorter
            trace_packet=self._vet,
            trace_connect=self._connection_changed,
        )
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                is_open = await client.connect()
        except TimeoutError:
            is_open = False
        if not is_open:
            client.close()
            raise LinkLost("link_down", f"cannot connect to {self._host}:{self._port}")
        self._client = client
        self._is_open = True

    def close(self) -> None:
        """Close the connection, if any."""
        self._is_open = False
        if self._client is not None:
            self._client.close()
            self._client = None

    async def read(self, request: ReadRequest) -> bytes:
        """The registers' octets as they came, two a register.

        Raises ResponseTimeout, DeviceException, AnswerMalformed (the link stays open) or LinkLost.
        """
        if self._client is None or not self._is_open:
            raise LinkLost("link_down", "the device closed the connection")
        message = _REQUEST_TYPES[request.area](
            dev_id=request.unit_id, address=request.start_address, count=request.register_count
        )
        failure: asyncio.Future[ModbusPDU] = asyncio.get_running_loop().create_future()
        answer = asyncio.ensure_future(self._execute(self._client, message))
        self._failure = failure
        try:
            ended, _ = await asyncio.wait(
                (answer, failure), timeout=self._response_timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not ended:
                raise ResponseTimeout(f"no answer to {request} within {self._response_timeout_s:g} s")
            return _octets_of((answer if answer in ended else failure).result(), message, request)
        finally:
            self._failure = None
            answer.cancel()
            if not failure.cancel() and not failure.cancelled():
                failure.exception()  # looked at: it came together with the answer

    async def _execute(self, client: AsyncModbusTcpClient, message: ModbusPDU) -> ModbusPDU:
        try:
            answer: ModbusPDU = await client.execute(False, message)
        except ModbusException as error:
            raise LinkLost("link_down", str(error)) from error
        return answer

    def _connection_changed(self, is_connected: bool) -> None:
        if not is_connected:
            self._is_open = False
            self._fail(LinkLost("link_down", "the device closed the connection while a request waited"))

    def _vet(self, is_sending: bool, octets: bytes) -> bytes:
        """Called with all octets received since the request; gives on only what is sound so far."""
        if is_sending or is_sound(octets):
            return octets
        self._fail(AnswerMalformed("the device sent octets that are no Modbus answer to a read"))
        return b""

    def _fail(self, error: HistorianError) -> None:
        """End the waiting request, if any."""
        if self._failure is not None:
            self._failure.set_exception(error)
            self._failure = None


def is_sound(octets: bytes) -> bool:
    """Whether these octets are answers to reads, one after the other, the last perhaps incomplete."""
    while len(octets) >= _HEADER.size:
        _, protocol, length, _ = _HEADER.unpack_from(octets)
        if protocol != 0 or not _LENGTH_MIN <= length <= _LENGTH_MAX:
            return False
        answer = octets[_HEADER.size : _LENGTH_OFFSET + length]
        if len(answer) < length - 1:
            return not answer or answer[0] & ~_EXCEPTION_BIT in _FUNCTION_CODES
        if not _is_sound_answer(answer):
            return False
        octets = octets[_LENGTH_OFFSET + length :]
    return True


def _is_sound_answer(answer: bytes) -> bool:
    if answer[0] in _FUNCTION_CODES:
        return len(answer) == 2 + answer[1] and answer[1] % 2 == 0
    return answer[0] & ~_EXCEPTION_BIT in _FUNCTION_CODES and len(answer) == 2


def _octets_of(answer: ModbusPDU, message: ModbusPDU, request: ReadRequest) -> bytes:
    if answer.transaction_id != message.transaction_id:
        # pymodbus lets 0 pass; but then a late answer could be taken for the next request's.
        raise AnswerMalformed(f"the answer to {request} carries another transaction id")
    if answer.isError() and answer.function_code == message.function_code | _EXCEPTION_BIT:
        code = answer.exception_code
        name = _EXCEPTION_NAMES.get(code, "unknown exception")
        raise DeviceException(code, f"exception {code} ({name}) to {request}")
    if answer.function_code != message.function_code:
        raise AnswerMalformed(f"the answer to {request} carries function {answer.function_code}")
    if len(answer.registers) != request.register_count:
        raise AnswerMalformed(f"the answer to {request} has {len(answer.registers)} registers")
    return struct.pack(f">{request.register_count}H", *answer.registers)
