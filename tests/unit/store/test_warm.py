"""After warming, ordinary work compiles nothing."""

import numpy as np

from historian.model.sample import make_batch
from historian.store import late_kernels, ring_kernels, segment_kernels, warm
from historian.store.ring import Ring
from tests.support.store_kit import QUARTER_US


def test_warming_compiles_every_kernel_for_the_types_of_earnest_work() -> None:
    warm.warm_kernels()
    kernels = [
        kernel
        for module in (ring_kernels, late_kernels, segment_kernels)
        for kernel in vars(module).values()
        if hasattr(kernel, "signatures") and kernel.py_func.__module__ == module.__name__
    ]
    compiled = [len(kernel.signatures) for kernel in kernels]
    assert ring_kernels.insert.signatures
    assert late_kernels.merge.signatures
    assert segment_kernels.describe_runs.signatures
    ring = Ring(1)
    ring.make_rooms(np.array([0, QUARTER_US], np.int64))
    ring.insert(make_batch(1, [1, 2], [1.0, 2.0]), 1, 0)
    assert [len(kernel.signatures) for kernel in kernels] == compiled
