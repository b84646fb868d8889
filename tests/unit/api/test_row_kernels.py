"""Columns of JSON text are woven into objects; digests tell columns apart."""

import json

import numpy as np

from api import row_kernels


def weave(keys: list[bytes], columns: list[bytes], absent: list[list[int]], can_skip: list[int]) -> bytes:
    out = np.empty(1000, np.uint8)
    size = row_kernels.weave(
        np.frombuffer(b"".join(keys), np.uint8).copy(), np.cumsum([0, *map(len, keys)]),
        np.frombuffer(b"".join(columns), np.uint8).copy(), np.cumsum([0, *map(len, columns)]),
        np.array(absent, np.uint8), np.array(can_skip, np.uint8), len(absent[0]), out,
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


def test_a_digest_changes_with_every_word_and_their_order() -> None:
    words = np.arange(100, dtype=np.uint64)
    known = row_kernels.digest(words)
    for place in range(100):
        changed = words.copy()
        changed[place] += np.uint64(1)
        assert row_kernels.digest(changed)[0] != known[0]
        assert row_kernels.digest(changed)[1] != known[1]
    assert row_kernels.digest(words[::-1].copy()) != known
