"""Warming compiles the kernels of the ingest path."""

from historian.ingest import validate_kernels, warm


def test_warming_compiles_each_kernel_once() -> None:
    warm.warm_kernels()
    warm.warm_kernels()
    assert validate_kernels.validate.signatures
    assert validate_kernels.resolve.signatures
