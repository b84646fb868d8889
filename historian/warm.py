"""Compiles or loads every kernel before the first request needs it.

``python -m historian.warm PART`` compiles one part of them ahead, so that two processes can share the work.
"""

import functools
import gc
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from historian.catalogue import warm as catalogue_warm
from historian.ingest import warm as ingest_warm
from historian.query import kernels as query_kernels
from historian.rollup import warm as rollup_warm
from historian.store import warm as store_warm


def warm_kernels() -> None:
    """Seconds at the very first start, a fraction of a second once the compiled code is on disk."""
    for name in PARTS:
        warm_part(name)
    _freeze_once()


PARTS: Mapping[str, tuple[Callable[[], None], ...]] = MappingProxyType(
    {
        "store": (catalogue_warm.warm_kernels, store_warm.warm_kernels, ingest_warm.warm_kernels),
        "figures": (query_kernels.warm, rollup_warm.warm_kernels),
    }
)


def warm_part(name: str) -> None:
    """One part of all kernels, by its name in PARTS."""
    for warm in PARTS[name]:
        warm()


@functools.cache
def _freeze_once() -> None:
    """Once a process: what is alive at a later call is somebody's who may let go of it."""
    # The compiler's 150,000 objects live as long as the process. Left to the collector, each full round
    # over them holds every thread for a tenth of a second, the loop included.
    gc.collect()
    gc.freeze()
    gc.enable()  # off until here where a process starts: a third of the time of loading


if __name__ == "__main__":
    warm_part(sys.argv[1])
