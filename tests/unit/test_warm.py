"""Warming reaches the kernels of every layer."""

import gc

from historian import warm
from historian.energy import fleet_kernels, load_curve_kernels
from historian.ingest import validate_kernels
from historian.query import kernels as query_kernels
from historian.store import grid_kernels


def test_each_layers_kernels_are_compiled_after_warming() -> None:
    warm.warm_kernels()
    for kernel in (
        grid_kernels.insert,
        validate_kernels.validate,
        query_kernels.summarise,
        load_curve_kernels.integrate_power,
        load_curve_kernels.spread_amounts,
        fleet_kernels.scale_runs,
        fleet_kernels.make_figures,
        fleet_kernels.make_curves,
    ):
        assert kernel.signatures, kernel


def test_what_was_loaded_by_then_is_left_alone_by_the_collector() -> None:
    gc.unfreeze()
    warm._freeze_once.cache_clear()
    gc.disable()  # as a process starts
    try:
        warm.warm_kernels()
        assert gc.isenabled()
    finally:
        gc.enable()
    assert gc.get_freeze_count() > 50_000
    assert len(gc.get_objects()) < 10_000


def test_what_is_alive_at_a_later_warming_may_be_collected() -> None:
    warm.warm_kernels()
    gc.unfreeze()
    warm.warm_kernels()
    assert gc.get_freeze_count() == 0
