"""Warming reaches the kernels of every layer."""

from historian import warm
from historian.energy import load_curve_kernels
from historian.ingest import validate_kernels
from historian.query import kernels as query_kernels
from historian.store import ring_kernels


def test_each_layers_kernels_are_compiled_after_warming() -> None:
    warm.warm_kernels()
    for kernel in (
        ring_kernels.insert,
        validate_kernels.validate,
        query_kernels.summarise,
        load_curve_kernels.integrate_power,
        load_curve_kernels.spread_amounts,
    ):
        assert kernel.signatures, kernel
