"""What a stream unpacks to is known before it is unpacked."""

import contextlib
import io
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from api import arrow_bound
from api.arrow_bound import StreamBroken, unpacked_bytes

ZEROS = pa.array(np.zeros(100_000))


def stream(*columns: Any, batch_count: int = 1, **options: Any) -> bytes:
    batch = pa.record_batch(list(columns), names=[f"c{i}" for i in range(len(columns))])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for _ in range(batch_count):
            writer.write_batch(batch)
    return sink.getvalue()


def test_what_is_not_compressed_is_as_large_as_it_is() -> None:
    assert unpacked_bytes(stream(ZEROS)) == pytest.approx(800_000, abs=1000)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_what_is_compressed_tells_its_size(codec: str) -> None:
    packed = stream(ZEROS, batch_count=3, compression=codec)
    assert len(packed) < 30_000
    assert unpacked_bytes(packed) == pytest.approx(2_400_000, abs=1000)


def test_a_compressed_dictionary_counts_too() -> None:
    names = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array(["x" * 1_000_000]))
    packed = stream(names, compression="zstd")
    assert len(packed) < 10_000
    assert unpacked_bytes(packed) > 1_000_000


def test_the_end_mark_may_be_missing() -> None:
    assert unpacked_bytes(stream(ZEROS)[:-8]) == unpacked_bytes(stream(ZEROS))


def test_there_may_not_be_many_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_bound, "MESSAGES_MAX", 3)
    unpacked_bytes(stream(ZEROS, batch_count=2))
    with pytest.raises(StreamBroken, match="more than 3"):
        unpacked_bytes(stream(ZEROS, batch_count=3))


@pytest.mark.parametrize(
    "text",
    [
        b"\0" * 8,
        b"\xff" * 8,
        struct.pack("<Ii", 0xFFFFFFFF, 1 << 30),
        stream(ZEROS)[:-100],
        b"hello, world",
    ],
    ids=["zeros", "ones", "long header", "cut", "text"],
)
def test_what_is_damaged_is_told(text: bytes) -> None:
    with pytest.raises(StreamBroken):
        unpacked_bytes(text)


def test_any_byte_may_be_wrong() -> None:
    whole = stream(pa.array(["a", "b"]).dictionary_encode(), compression="zstd")
    for place in range(len(whole)):
        for wrong in (0, 0x7F, 0xFF):
            damaged = bytearray(whole)
            damaged[place] = wrong
            with contextlib.suppress(StreamBroken):
                unpacked_bytes(bytes(damaged))
