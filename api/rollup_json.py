"""Rollups as JSON objects, written by a kernel out of columns of JSON text."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from api import json_columns, row_kernels
from api.rollup_table import Field, Rollups

I64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

CHUNK_ROWS: Final = 16_384


class RowWriter:
    """Writes the rows of one answer; texts of few values, which come again and again, are made once."""

    def __init__(self, rollups: Rollups) -> None:
        self._rollups = rollups
        keys = _keys_of(rollups.fields)
        self._keys, self._key_at = _column_of(keys), np.cumsum([0, *map(len, keys)])
        self._can_skip = np.array([field.can_skip for field in rollups.fields], np.uint8)
        texts = [self._kept_of(field) for field in rollups.fields]
        self._is_kept = np.array([count > 0 for _, count in texts], np.uint8)
        self._kept = _column_of([text for text, _ in texts])
        self._spans: list[tuple[I64, I64]] = []  # of the values of each field in `kept`
        start = 0
        for text, count in texts:
            begin, end = np.empty(count, np.int64), np.empty(count, np.int64)
            row_kernels.split(self._kept[: start + len(text)], start, begin, end)
            self._spans.append((begin, end))
            start += len(text)

    def rows(self, first: int, last: int) -> bytes:
        """Rows ``[first, last)`` as JSON objects with a comma after each."""
        fields = self._rollups.fields
        shape = len(fields), last - first
        begin, end = np.empty(shape, np.int64), np.empty(shape, np.int64)
        absent = np.zeros(shape, np.uint8)
        texts = [
            b"" if kept else self._text_of(field, first, last)
            for field, kept in zip(fields, self._is_kept, strict=True)
        ]
        text, start = _column_of(texts), 0
        for c, (field, (kept_begin, kept_end)) in enumerate(zip(fields, self._spans, strict=True)):
            if self._is_kept[c]:
                place = _place_of(field, first, last)
                begin[c], end[c] = kept_begin[place], kept_end[place]
            else:
                row_kernels.split(text[: start + len(texts[c])], start, begin[c], end[c])
                start += len(texts[c])
            if field.absent is not None:
                absent[c] = field.absent[first:last]
        out = np.empty(int((end - begin).sum()) + shape[1] * (len(self._keys) + 1 + 4 * shape[0]), np.uint8)
        size = row_kernels.weave(
            self._keys, self._key_at, self._kept, text, self._is_kept, begin, end, absent, self._can_skip, out
        )
        return out[:size].tobytes()

    def _kept_of(self, field: Field) -> tuple[bytes, int]:
        """The texts of all values, comma-separated, and how many they are; none where they are too many."""
        if field.kind == "word":
            return msgspec.json.encode(list(field.vocabulary))[1:-1], len(field.vocabulary)
        if 0 < field.recurs_after < len(field.values):
            return self._text_of(field, 0, field.recurs_after), field.recurs_after
        return b"", 0

    def _text_of(self, field: Field, first: int, last: int) -> bytes:
        """The values as JSON, comma-separated."""
        part, times = field.values[first:last], self._rollups.form.times
        if field.kind == "number":
            text = json_columns.encode_values(part)
        elif field.kind == "whole":
            text = msgspec.Raw(msgspec.json.encode(part.tolist()))
        else:
            text = json_columns.encode_times(part, times.zone) if field.is_local else times.encode(part)
        return bytes(text)[1:-1]


def _place_of(field: Field, first: int, last: int) -> npt.NDArray[Any]:
    """Which of the kept values each row has."""
    return field.values[first:last] if field.kind == "word" else np.arange(first, last) % field.recurs_after


def _column_of(parts: Sequence[bytes]) -> Bytes:
    return np.frombuffer(b"".join(parts), np.uint8).copy()


def _keys_of(fields: Sequence[Field]) -> list[bytes]:
    """What stands before each value, and after the last."""
    keys: list[bytes] = []
    outer = ""
    for number, field in enumerate(fields):
        key = (
            ("" if number else "{")
            + ("}" if outer and outer != field.outer else "")
            + ("," if number else "")
        )
        if field.outer and field.outer != outer:
            key += f'"{field.outer}":{{'
        elif field.outer:
            key = ","
        outer = field.outer
        keys.append(f'{key}"{field.name}":'.encode())
    return [*keys, b"}}" if outer else b"}"]
