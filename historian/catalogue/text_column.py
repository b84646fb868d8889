"""One text for each point id, as bytes in one block: a million names are 30 MB, not 100."""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from historian.catalogue import name_kernels as kernels
from historian.model.sample import PointIdColumn

_CAPACITY_MIN: Final = 1024
_Scalar = TypeVar("_Scalar", bound=np.generic)


class TextBlock(NamedTuple):
    """Text of id i is ``text[start[i]:end[i]]`` in UTF-8; an empty one where the id has none."""

    text: npt.NDArray[np.uint8]
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]


class Texts(NamedTuple):
    """Texts one behind the other with a line end between, in UTF-8, and where each ends."""

    joined: npt.NDArray[np.uint8]
    end: npt.NDArray[np.int64]

    def split(self) -> list[str]:
        """One string for each."""
        return self.joined.tobytes().decode().split("\n") if len(self.end) else []


class TextColumn:
    """Texts without control characters by point id. A block given out stays true for the ids it knew."""

    def __init__(self) -> None:
        self._text_length = 0
        self._length = 1  # id 0 is nobody
        self.block = TextBlock(
            np.empty(_CAPACITY_MIN, np.uint8), np.zeros(_CAPACITY_MIN, np.int64), np.zeros(_CAPACITY_MIN, np.int64)
        )  # fmt: skip

    @property
    def length(self) -> int:
        """One more than the highest id."""
        return self._length

    def append(self, ids: PointIdColumn, texts: Texts) -> None:
        """Texts of new ids, rising; ids left out have none."""
        joined, ends = texts
        starts = ends - np.diff(ends, prepend=-1) + 1
        block = self._room(len(joined), int(ids[-1]) + 1)
        block.text[self._text_length : self._text_length + len(joined)] = joined
        block.start[ids] = self._text_length + starts
        block.end[ids] = self._text_length + ends
        self._text_length += len(joined)
        self._length = int(ids[-1]) + 1
        self.block = block

    def replace(self, point_id: int, text: str) -> None:
        """Another text for an id, or its first; a former one stays in the block, unused, until the next start."""
        encoded = np.frombuffer(text.encode(), np.uint8)
        block = self._room(len(encoded), max(self._length, point_id + 1))
        self._length = max(self._length, point_id + 1)
        start, end = block.start.copy(), block.end.copy()  # a reader must never see one without the other
        block.text[self._text_length : self._text_length + len(encoded)] = encoded
        start[point_id], end[point_id] = self._text_length, self._text_length + len(encoded)
        self._text_length += len(encoded)
        self.block = TextBlock(block.text, start, end)

    def get(self, point_id: int) -> str:
        """The text of one id; empty where it has none."""
        block = self.block
        if point_id >= len(block.start):
            return ""
        return bytes(block.text[block.start[point_id] : block.end[point_id]]).decode()

    def get_many(self, ids: PointIdColumn) -> list[str]:
        """The text of each id, in the order asked; every id must have been entered."""
        return self.joined(ids).split("\n")[:-1]

    def joined(self, ids: PointIdColumn) -> str:
        """The texts of these ids, each with a line end behind it."""
        block = self.block
        out = np.empty(int((block.end[ids] - block.start[ids]).sum()) + len(ids), np.uint8)
        kernels.gather_texts(*block, ids, out)
        return out.tobytes().decode()

    def _room(self, byte_count: int, length: int) -> TextBlock:
        text, start, end = self.block
        text = _grown(text, self._text_length, self._text_length + byte_count)
        return TextBlock(text, _grown(start, self._length, length), _grown(end, self._length, length))


def pack(texts: Sequence[str]) -> Texts:
    """Join texts; one with a line end, which nothing here may have, becomes empty."""
    joined = "\n".join(texts).encode("utf-8", "surrogatepass")
    packed = unpack(joined, len(texts))
    if len(packed.end) != len(texts):
        return pack([text if "\n" not in text else "" for text in texts])
    return packed


def unpack(joined: bytes, count: int) -> Texts:
    """Texts that are joined already; there are none where `count` is 0."""
    in_bytes = np.frombuffer(joined, np.uint8)
    if count == 0:
        return Texts(in_bytes, np.zeros(0, np.int64))
    if count == 1 and b"\n" not in joined:
        return Texts(in_bytes, np.array([len(joined)]))
    return Texts(in_bytes, np.append(np.flatnonzero(in_bytes == ord("\n")), len(joined)))


def _grown(column: npt.NDArray[_Scalar], used_length: int, length: int) -> npt.NDArray[_Scalar]:
    if length <= len(column):
        return column
    grown = np.zeros(max(length, 2 * len(column)), column.dtype)
    grown[:used_length] = column[:used_length]
    return grown
