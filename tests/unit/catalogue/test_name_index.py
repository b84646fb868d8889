"""Names to ids."""

import numpy as np

from historian.catalogue import name_kernels
from historian.catalogue.name_index import NameIndex
from historian.catalogue.text_column import pack


def index_of(*names: str) -> NameIndex:
    index = NameIndex()
    index.append(np.arange(1, len(names) + 1, dtype=np.uint32), pack(names))
    return index


def test_names_are_found_one_by_one_and_together() -> None:
    index = index_of("a", "变电站.P", "a longer name than eight bytes")
    names = [
        "变电站.P",
        "nobody",
        "a",
        "",
        "a longer name than eight bytes",
        "a longer name than eight byteS",
        "a\nb",
    ]
    assert index.find_many(names).tolist() == [2, 0, 1, 0, 3, 0, 0]
    assert [index.find(name) for name in names] == [2, 0, 1, 0, 3, 0, 0]
    assert index.find("\ud800") == 0
    assert index.find_many([]).tolist() == []


def test_a_name_asked_for_before_it_was_there_is_found_later() -> None:
    index = index_of("a")
    assert index.find("b") == 0
    index.append(np.array([2], np.uint32), pack(["b"]))
    assert index.find("b") == 2


def test_a_renamed_id_has_only_its_new_name() -> None:
    index = index_of("a", "b")
    assert index.find("a") == 1
    index.replace(1, "c")
    assert [index.find(name) for name in "abc"] == [0, 2, 1]
    index.replace(1, "a")
    assert [index.find(name) for name in "abc"] == [1, 2, 0]


def test_many_names_and_many_renames_stay_apart() -> None:
    index = NameIndex()
    expected: dict[str, int] = {}
    for first in range(1, 9000, 300):
        ids = np.arange(first, first + 300, dtype=np.uint32)
        names = [f"n{i}" for i in ids.tolist()]
        index.append(ids, pack(names))
        expected |= dict(zip(names, ids.tolist(), strict=True))
        index.replace(first, f"renamed {first}")
        del expected[f"n{first}"]
        expected[f"renamed {first}"] = first
    assert index.find_many(list(expected)).tolist() == list(expected.values())
    assert not index.find_many([f"n{first}" for first in range(1, 9000, 300)]).any()


def test_a_reader_with_an_older_block_never_looks_beyond_it() -> None:
    index = index_of("a")
    slots, block = index._table
    later = block._replace(start=block.start[:2], end=block.end[:2])
    slots[:] = 7  # ids that came after the block was taken
    slots[0] = 0
    found = np.ones(1, np.uint32)
    name_kernels.find_names(slots, *later, *pack(["zzz"]), found)
    assert found[0] == 0


def test_a_reader_with_shorter_texts_never_looks_beyond_them() -> None:
    index = index_of("a")
    slots, block = index._table
    found = np.ones(1, np.uint32)
    name_kernels.find_names(slots, *block._replace(text=block.text[:0]), *pack(["a"]), found)
    assert found[0] == 0
