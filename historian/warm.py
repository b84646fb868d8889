"""Compiles or loads every kernel before the first request needs it."""

import gc

import numpy as np

from historian.catalogue import warm as catalogue_warm
from historian.energy import fleet, load_curve
from historian.energy.fleet import Ask
from historian.ingest import warm as ingest_warm
from historian.model.point import PointKind
from historian.model.sample import SampleRun
from historian.query import kernels as query_kernels
from historian.store import warm as store_warm


def warm_kernels() -> None:
    """Seconds at the very first start, a fraction of a second once the compiled code is on disk."""
    catalogue_warm.warm_kernels()
    store_warm.warm_kernels()
    ingest_warm.warm_kernels()
    query_kernels.warm()
    _warm_energy()
    # The compiler's 150,000 objects live as long as the process. Left to the collector, each full round
    # over them holds every thread for a tenth of a second, the loop included.
    gc.collect()
    gc.freeze()


def _warm_energy() -> None:
    """One toy load curve of each kind of point."""
    time = np.array([0, 60, 120], np.int64)
    run = SampleRun(1, time, np.array([1.0, 2.0, 3.5]), np.zeros(3, np.uint16))
    edges = np.array([0, 60, 120, 180], np.int64)
    for kind in PointKind:
        load_curve.build(run, kind, 60, edges)
    ask = Ask(PointKind.MEAN_POWER, 60, 1.0)
    fleet.build([run], [ask], edges)
    fleet.day_sums([run], [ask], [edges])
