"""The hash table of names against a dictionary."""

import numpy as np

from historian.catalogue import name_kernels as kernels
from historian.catalogue.text_column import TextColumn, pack


def test_names_are_found_even_in_a_half_full_table() -> None:
    names = [f"{'x' * (i % 17)}{i}" for i in range(1, 2049)]
    column = TextColumn()
    column.append(np.arange(1, 2049, dtype=np.uint32), pack(names))
    slots = np.zeros(4096, np.uint32)
    kernels.insert_names(slots, *column.block, 1, 2049)
    known = {name: i for i, name in enumerate(names, 1)}
    asked = [*names[::3], "nobody", "x", *(f"x{name}" for name in names[:500])]
    found = np.ones(len(asked), np.uint32)
    kernels.find_names(slots, *column.block, *pack(asked), found)
    assert found.tolist() == [known.get(name, 0) for name in asked]


def test_gathered_texts_end_in_a_line_end_each() -> None:
    column = TextColumn()
    column.append(np.array([1, 2], np.uint32), pack(["ab", "c"]))
    out = np.empty(6, np.uint8)
    kernels.gather_texts(*column.block, np.array([2, 0, 1], np.uint32), out)
    assert out.tobytes() == b"c\n\nab\n"
