import ast
import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import modbus_link
from drivers.errors import AnswerMalformed, DeviceException, LinkLost, ResponseTimeout
from drivers.modbus_link import ModbusLink, is_sound
from drivers.modbus_request import ReadRequest
from drivers.modbus_settings import RegisterArea

HOLDING = RegisterArea.HOLDING_REGISTER
TWO_REGISTERS = ReadRequest(1, HOLDING, 100, 2, ())

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


EVERY_LOOP = True


def answering(*answers: str) -> Handler:
    """A device that answers each request with the next of these; ``tttt`` stands for its transaction id."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            request = await reader.readexactly(12)
            writer.write(bytes.fromhex(answer.replace("tttt", request[:2].hex())))
        await reader.read()

    return handle


@asynccontextmanager
async def linked(handler: Handler, response_timeout_s: float = 2.0) -> AsyncIterator[ModbusLink]:
    handled: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handled.append(cast("asyncio.Task[None]", asyncio.current_task()))
        try:
            await handler(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = ModbusLink("127.0.0.1", port, 2.0, response_timeout_s)
    await link.open()
    try:
        yield link
    finally:
        link.close()
        server.close()
        await server.wait_closed()
        await asyncio.gather(*handled, return_exceptions=True)


async def test_registers_come_as_octets() -> None:
    # tttt 0000 length=7 unit=1 function=03 count=4 float32 123.456
    async with linked(answering("tttt 0000 0007 01 03 04 42f6e979")) as link:
        assert await link.read(TWO_REGISTERS) == bytes.fromhex("42f6e979")


async def test_a_request_on_the_wire_is_what_the_protocol_says() -> None:
    seen: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readexactly(12))

    async with linked(note) as link:
        with pytest.raises(LinkLost):
            await link.read(ReadRequest(17, RegisterArea.INPUT_REGISTER, 0x0102, 125, ()))
    # transaction protocol=0 length=6 unit=17 function=04 address=0x0102 count=125
    assert seen[0][2:] == bytes.fromhex("0000 0006 11 04 0102 007d")


async def test_an_answer_may_arrive_in_pieces() -> None:
    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(12)
        for octet in request[:2] + bytes.fromhex("0000 0007 01 03 04 42f6e979"):
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with linked(dribble) as link:
        assert await link.read(TWO_REGISTERS) == bytes.fromhex("42f6e979")


@pytest.mark.parametrize(
    ("code", "name"),
    [(2, "illegal data address"), (11, "gateway target"), (99, "unknown exception")],
    ids=str,
)
async def test_an_exception_answer_carries_its_code(code: int, name: str) -> None:
    async with linked(answering(f"tttt 0000 0003 01 83 {code:02x}")) as link:
        with pytest.raises(DeviceException, match=name) as caught:
            await link.read(TWO_REGISTERS)
    assert caught.value.code == code


async def test_after_an_exception_the_link_goes_on() -> None:
    async with linked(answering("tttt 0000 0003 01 83 02", "tttt 0000 0007 01 03 04 00010002")) as link:
        with pytest.raises(DeviceException):
            await link.read(TWO_REGISTERS)
        assert await link.read(TWO_REGISTERS) == bytes.fromhex("00010002")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="nothing"),
        pytest.param("tttt 0000 0007 01 03 04 42f6", id="half an answer"),
        pytest.param("7777 0000 0007 01 03 04 42f6e979", id="foreign transaction id"),
        pytest.param("tttt 0000 0007 02 03 04 42f6e979", id="foreign unit"),
        pytest.param("16" * 2000, id="more noise than any answer is long"),
    ],
)
async def test_without_its_own_answer_a_request_times_out(answer: str) -> None:
    async with linked(answering(answer), response_timeout_s=0.1) as link:
        with pytest.raises(ResponseTimeout, match="no answer to holding_register 100-101 of unit 1"):
            await link.read(TWO_REGISTERS)


async def test_after_a_foreign_answer_the_own_one_is_still_taken() -> None:
    both = "7777 0000 0007 01 03 04 ffffffff" + "tttt 0000 0007 01 03 04 00010002"
    async with linked(answering(both)) as link:
        assert await link.read(TWO_REGISTERS) == bytes.fromhex("00010002")


async def test_a_late_answer_is_not_taken_for_the_next_request() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(12)
        second = await reader.readexactly(12)
        writer.write(first[:2] + bytes.fromhex("0000 0007 01 03 04 ffffffff"))
        writer.write(second[:2] + bytes.fromhex("0000 0007 01 03 04 00010002"))
        await reader.read()

    async with linked(late, response_timeout_s=0.2) as link:
        with pytest.raises(ResponseTimeout):
            await link.read(TWO_REGISTERS)
        assert await link.read(TWO_REGISTERS) == bytes.fromhex("00010002")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("0000 0000 0007 01 03 04 42f6e979", id="transaction id 0"),
        pytest.param("tttt 0000 0005 01 03 02 0001", id="too few registers"),
        pytest.param("tttt 0000 0009 01 03 06 000100020003", id="too many registers"),
        pytest.param("tttt 0000 0007 01 04 04 00010002", id="another function"),
        pytest.param("tttt 0000 0003 01 84 02", id="exception to another function"),
        pytest.param("tttt 0000 0006 01 03 04 000102", id="count beyond the length"),
        pytest.param("tttt 0000 0007 01 03 02 00010002", id="count below the length"),
        pytest.param("tttt 0000 0006 01 03 03 000102", id="odd count"),
        pytest.param("tttt 0001 0007 01 03 04 00010002", id="another protocol"),
        pytest.param("tttt 0000 ffff 01 03 04 00010002", id="impossible length"),
        pytest.param("tttt 0000 0006 01 06 0064 0001", id="answer to a write"),
        pytest.param("16" * 200, id="noise"),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused(answer: str, caplog: pytest.LogCaptureFixture) -> None:
    async with linked(answering(answer)) as link:
        with pytest.raises(AnswerMalformed):
            await link.read(TWO_REGISTERS)
    assert not caplog.records, "neither the library nor the loop has anything to say about it"


async def test_after_a_malformed_answer_the_link_goes_on() -> None:
    async with linked(answering("16" * 9, "tttt 0000 0007 01 03 04 00010002")) as link:
        with pytest.raises(AnswerMalformed):
            await link.read(TWO_REGISTERS)
        assert await link.read(TWO_REGISTERS) == bytes.fromhex("00010002")


async def test_a_connection_closed_by_the_device_ends_the_request_at_once() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(12)

    async with linked(hang_up, response_timeout_s=60.0) as link:
        async with asyncio.timeout(5.0):
            with pytest.raises(LinkLost) as caught:
                await link.read(TWO_REGISTERS)
        assert caught.value.cause == "link_down"
        with pytest.raises(LinkLost):
            await link.read(TWO_REGISTERS)


async def test_a_closed_link_can_be_opened_again() -> None:
    connection_count = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connection_count
        connection_count += 1
        await answering("tttt 0000 0007 01 03 04 00010002")(reader, writer)

    async with linked(count) as link:
        await link.read(TWO_REGISTERS)
        link.close()
        link.close()
        with pytest.raises(LinkLost):
            await link.read(TWO_REGISTERS)
        await link.open()
        assert await link.read(TWO_REGISTERS) == bytes.fromhex("00010002")
    assert connection_count == 2


async def test_nobody_listening_is_a_lost_link(caplog: pytest.LogCaptureFixture) -> None:
    server = await asyncio.start_server(answering(), "127.0.0.1", 0)  # type: ignore[arg-type]
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with caplog.at_level(logging.INFO), pytest.raises(LinkLost, match=f"cannot connect to 127.0.0.1:{port}"):
        await ModbusLink("127.0.0.1", port, 2.0, 1.0).open()
    assert not caplog.records


async def test_a_cancelled_read_leaves_no_task_behind() -> None:
    async with linked(answering("")) as link:
        read = asyncio.create_task(link.read(TWO_REGISTERS))
        await asyncio.sleep(0)
        before = asyncio.all_tasks()
        read.cancel()
        with pytest.raises(asyncio.CancelledError):
            await read
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) < len(before)


@given(st.binary(max_size=600))
def test_soundness_of_any_octets_is_decided(octets: bytes) -> None:
    assert is_sound(octets) in (True, False)


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=125), st.integers(0, 65_535), st.data())
def test_every_beginning_of_an_answer_is_sound_so_far(
    registers: list[int], transaction_id: int, data: st.DataObject
) -> None:
    payload = b"".join(register.to_bytes(2, "big") for register in registers)
    pdu = bytes([3, len(payload)]) + payload
    frame = transaction_id.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + b"\1" + pdu
    cut = data.draw(st.integers(0, len(frame)))
    assert is_sound(frame[:cut])
    assert is_sound(frame + frame[:cut])


def test_only_the_two_read_functions_can_be_sent() -> None:
    tree = ast.parse(inspect.getsource(modbus_link))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert not [name for name in used | imported if "write" in name.lower() or "mask" in name.lower()]
    requests = {name for name in imported if name.endswith("Request") and name != "ReadRequest"}
    assert requests == {"ReadHoldingRegistersRequest", "ReadInputRegistersRequest"}
    assert {3, 4} == modbus_link._FUNCTION_CODES
