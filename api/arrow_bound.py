"""What an Arrow stream would unpack to, told before anything is unpacked.

A compressed buffer of an Arrow message names its size unpacked, and the reader takes that much memory unasked. So
each message's header, a FlatBuffers table, is looked at first. Offsets here are those of the format: Message.fbs.
"""

import struct
from typing import Final, NamedTuple

from api.direct_body import Body

MESSAGES_MAX: Final = 10_000  # a stream of a million empty batches is an attack

_CONTINUATION: Final = 0xFFFFFFFF
_DICTIONARY_BATCH: Final = 2
_RECORD_BATCH: Final = 3
_BUFFER_SIZE: Final = 16  # struct Buffer: offset and length
# Fields of a table by their place in its vtable.
_MESSAGE_TYPE, _MESSAGE_HEADER, _MESSAGE_BODY_LENGTH = 1, 2, 3
_BATCH_BUFFERS, _BATCH_COMPRESSION = 2, 3
_DICTIONARY_DATA: Final = 1


class StreamBroken(ValueError):
    """The stream is no sequence of whole Arrow messages."""


class _Message(NamedTuple):
    header: memoryview
    body: memoryview


def unpacked_bytes(stream: Body) -> int:
    """How much memory the buffers of all messages take at most. Raises StreamBroken."""
    try:
        return sum(_unpacked_bytes(message) for message in _messages(memoryview(stream)))
    except (struct.error, IndexError) as error:
        raise StreamBroken(f"a message is damaged: {error}") from error


def _messages(stream: memoryview) -> list[_Message]:
    """Every message up to the end mark; the stream may also just end."""
    found: list[_Message] = []
    at = 0
    while at < len(stream):
        mark, size = struct.unpack_from("<Ii", stream, at)
        at += 8
        if mark != _CONTINUATION:
            raise StreamBroken("it does not begin with a message of Arrow's stream format")
        if size == 0:
            break
        header = stream[at : at + size]
        message = _root(header)
        length_at = _field(header, message, _MESSAGE_BODY_LENGTH)
        length = _whole(header, length_at, "<q") if length_at else 0
        at += size
        if size < 0 or len(header) < size or not 0 <= length <= len(stream) - at:
            raise StreamBroken("the last message is not whole")
        if len(found) == MESSAGES_MAX:
            raise StreamBroken(f"it has more than {MESSAGES_MAX} messages")
        found.append(_Message(header, stream[at : at + length]))
        at += length
    return found


def _unpacked_bytes(message: _Message) -> int:
    header, body = message
    root = _root(header)
    kind_at = _field(header, root, _MESSAGE_TYPE)
    kind = _whole(header, kind_at, "<B") if kind_at else 0
    if kind not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return 0
    batch = _table(header, _field(header, root, _MESSAGE_HEADER))
    if kind == _DICTIONARY_BATCH:
        batch = _table(header, _field(header, batch, _DICTIONARY_DATA))
    if not _field(header, batch, _BATCH_COMPRESSION):
        return len(body)
    vector = _table(header, _field(header, batch, _BATCH_BUFFERS))
    total = 0
    for index in range(_whole(header, vector, "<I")):
        offset, length = struct.unpack_from("<qq", header, vector + 4 + _BUFFER_SIZE * index)
        size = _whole(body, offset, "<q") if length else 0
        total += length if size < 0 else size  # -1: this one is not compressed
    return total


def _root(header: memoryview) -> int:
    return _whole(header, 0, "<I")


def _field(header: memoryview, table: int, place: int) -> int:
    """Where a field of a table stands, 0 where it is absent."""
    vtable = table - _whole(header, table, "<i")
    at = 4 + 2 * place
    if at + 2 > _whole(header, vtable, "<H"):
        return 0
    offset = _whole(header, vtable + at, "<H")
    return table + offset if offset else 0


def _table(header: memoryview, at: int) -> int:
    """Where the table or vector stands to which `at` refers."""
    if not at:
        raise StreamBroken("a message lacks its content")
    return at + _whole(header, at, "<I")


def _whole(text: memoryview, at: int, form: str) -> int:
    if at < 0:
        raise StreamBroken("a message refers to a place before itself")
    number: int = struct.unpack_from(form, text, at)[0]
    return number
