"""Columns of JSON text are woven into objects; digests tell columns apart."""

import json

import numpy as np

from api import row_kernels


def weave(
    keys: list[bytes], columns: list[bytes], absent: list[list[int]], can_skip: list[int], kept: int = -1
) -> bytes:
    """Columns of comma-separated texts; the values of column `kept` come from a text that is kept."""
    row_count = len(absent[0])
    begin, end = np.empty((2, len(columns), row_count), np.int64)
    joined = np.frombuffer(b"".join(columns), np.uint8).copy()
    start = 0
    for c, column in enumerate(columns):
        row_kernels.split(joined[: start + len(column)], start, begin[c], end[c])
        start += len(column)
    nothing = np.full(len(joined), ord("!"), np.uint8)
    is_kept = np.array([c == kept for c in range(len(columns))], np.uint8)
    out = np.empty(1000, np.uint8)
    size = row_kernels.weave(
        np.frombuffer(b"".join(keys), np.uint8).copy(), np.cumsum([0, *map(len, keys)]),
        joined if kept >= 0 else nothing, nothing if len(columns) == 1 else joined, is_kept, begin, end,
        np.array(absent, np.uint8), np.array(can_skip, np.uint8), out,
    )  # fmt: skip
    return out[:size].tobytes()


def test_rows_are_objects_with_a_comma_after_each() -> None:
    text = weave([b'{"a":', b',"b":', b"}"], [b'"x,y","\\"}"', b"1,null"], [[0, 0], [0, 0]], [0, 0])
    assert text.endswith(b",")
    assert json.loads(b"[" + text[:-1] + b"]") == [{"a": "x,y", "b": 1}, {"a": '"}', "b": None}]


def test_what_is_absent_is_null_or_left_out() -> None:
    text = weave(
        [b'{"a":', b',"b":', b',"c":', b"}"], [b"1,2", b"3,4", b"5,6"], [[0, 0], [1, 0], [0, 1]], [0, 0, 1]
    )
    assert json.loads(b"[" + text[:-1] + b"]") == [{"a": 1, "b": None, "c": 5}, {"a": 2, "b": 4}]


def test_values_may_come_from_a_text_that_is_kept() -> None:
    text = weave([b'{"a":', b"}"], [b'"x",2'], [[0, 0]], [0], kept=0)
    assert json.loads(b"[" + text[:-1] + b"]") == [{"a": "x"}, {"a": 2}]


def test_texts_are_split_at_commas_that_are_not_theirs() -> None:
    text = np.frombuffer(b'1,"a,b","\\",",null', np.uint8).copy()
    begin, end = np.empty((2, 3), np.int64)
    row_kernels.split(text, 2, begin, end)
    assert [text[a:b].tobytes() for a, b in zip(begin, end, strict=True)] == [b'"a,b"', b'"\\","', b"null"]


def test_a_digest_changes_with_every_word_and_their_order() -> None:
    words = np.arange(100, dtype=np.uint64)
    known = row_kernels.digest(words)
    for place in range(100):
        changed = words.copy()
        changed[place] += np.uint64(1)
        assert row_kernels.digest(changed)[0] != known[0]
        assert row_kernels.digest(changed)[1] != known[1]
    assert row_kernels.digest(words[::-1].copy()) != known
