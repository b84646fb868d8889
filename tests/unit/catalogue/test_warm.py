"""Warming runs every kernel of the catalogue."""

from historian.catalogue import name_kernels, warm


def test_every_kernel_is_compiled_afterwards() -> None:
    warm.warm_kernels()
    for kernel in (name_kernels.insert_names, name_kernels.find_names, name_kernels.gather_texts):
        assert getattr(kernel, "signatures", ["plain Python"])
