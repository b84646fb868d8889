"""After warming, ordinary work compiles nothing."""

import re
from pathlib import Path

import numpy as np
import pytest

from historian.model.sample import make_batch
from historian.store import (
    columns_kernels,
    event_kernels,
    grid_kernels,
    ring_kernels,
    scan_kernels,
    segment_kernels,
    unsealed_kernels,
    warm,
)
from historian.store.ring import TIME_HIGHEST, TIME_LOWEST, Ring
from tests.support.store_kit import QUARTER_US

MODULES = (
    columns_kernels,
    event_kernels,
    grid_kernels,
    ring_kernels,
    scan_kernels,
    segment_kernels,
    unsealed_kernels,
)


@pytest.fixture(scope="module", autouse=True)
def warmed() -> None:
    warm.warm_kernels()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rsplit(".", 1)[-1])
def test_every_kernel_that_others_call_is_compiled(module: object) -> None:
    """Kernels called by kernels only are part of their callers."""
    name = module.__name__.rsplit(".", 1)[-1]
    called = set()
    for path in Path(warm.__file__).parent.glob("*.py"):
        if not path.name.endswith("_kernels.py"):
            called |= set(re.findall(rf"\b{name}\.([a-z]\w*)\(", path.read_text()))
    cold = [kernel for kernel in sorted(called) if not getattr(module, kernel).signatures]
    assert called
    assert not cold, f"{name}: {cold}"


def test_ordinary_work_compiles_nothing() -> None:
    kernels = [k for module in MODULES for k in vars(module).values() if hasattr(k, "signatures")]
    compiled = [len(kernel.signatures) for kernel in kernels]
    ring = Ring(1)
    ring.make_rooms(np.array([0, QUARTER_US], np.int64))
    batch = make_batch(1, [1, 2], [1.0, 2.0])
    ring.look_up(batch.point_id, batch.time_us)
    ring.insert(batch)
    ring.read_block(np.array([1], np.uint32), TIME_LOWEST, TIME_HIGHEST)
    ring.newest(np.array([1], np.uint32))
    assert [len(kernel.signatures) for kernel in kernels] == compiled
