"""Texts by point id in one block of bytes."""

import numpy as np

from historian.catalogue.text_column import TextColumn, pack, unpack


def ids(*values: int) -> np.ndarray:
    return np.array(values, np.uint32)


def test_texts_come_back_by_id() -> None:
    column = TextColumn()
    column.append(ids(1, 3), pack(["一号", "b"]))
    column.append(ids(4), pack(["c"]))
    assert [column.get(i) for i in range(6)] == ["", "一号", "", "b", "c", ""]
    assert column.get_many(ids(4, 2, 1)) == ["c", "", "一号"]
    assert column.get_many(ids()) == []
    assert column.length == 5


def test_another_text_leaves_a_block_given_out_as_it_was() -> None:
    column = TextColumn()
    column.append(ids(1, 2), pack(["a", "b"]))
    before = column.block
    column.replace(1, "longer than before")
    column.replace(9, "first")
    assert [column.get(i) for i in (1, 2, 9)] == ["longer than before", "b", "first"]
    assert bytes(before.text[before.start[1] : before.end[1]]) == b"a"


def test_a_column_grows() -> None:
    column = TextColumn()
    for first in range(1, 5000, 100):
        numbers = np.arange(first, first + 100, dtype=np.uint32)
        column.append(numbers, pack([f"text {i}" for i in numbers]))
    assert column.get_many(ids(1, 2500, 5000)) == ["text 1", "text 2500", "text 5000"]


def test_packed_texts_split_again() -> None:
    for texts in ([], ["a"], [""], ["", ""], ["a", "", "变电站"]):
        assert pack(texts).split() == texts
        assert unpack("\n".join(texts).encode(), len(texts)).split() == texts


def test_a_text_with_a_line_end_is_nobody() -> None:
    assert pack(["a\nb"]).split() == pack([""]).split() == [""]
    assert pack(["x", "a\nb", "y"]).split() == ["x", "", "y"]
