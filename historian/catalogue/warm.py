"""Runs the kernels of the catalogue once on toy data."""

import numpy as np

from historian.catalogue.name_index import NameIndex
from historian.catalogue.text_column import pack


def warm_kernels() -> None:
    """Touch entering, finding and gathering names."""
    index = NameIndex()
    ids = np.array([1, 2], np.uint32)
    index.append(ids, pack(["a", "b"]))
    index.find_many(["b"])
    index.names.get_many(ids)
