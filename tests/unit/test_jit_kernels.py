"""Compiled code in the cache is never that of older sources, wherever the cache lies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

INNER = "from historian.jit_kernels import njit\n\n\n@njit(cache=True, nogil=True)\ndef inner() -> int:\n    return {}\n"
LIMIT = "LIMIT = {}\n"
OUTER = """
from historian.jit_kernels import njit

from drivers import inner_kernels
from drivers.limit import LIMIT


@njit(cache=True, nogil=True)
def outer() -> int:
    return inner_kernels.inner() + LIMIT
"""
ASK = """
import logging
logging.basicConfig(format="%(message)s")
from drivers import outer_kernels
value = outer_kernels.outer()
hits = sum(getattr(outer_kernels.outer, "stats").cache_hits.values())
folder = getattr(outer_kernels.outer, "stats").cache_path
print(value, hits, folder)
"""

if os.environ.get("NUMBA_DISABLE_JIT") == "1":
    pytest.skip("nothing is compiled, so nothing is cached", allow_module_level=True)


class Product:
    """An installed product of three files, whose kernels are asked by a process of its own each time."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.package = folder / "product" / "drivers"
        self.cache = folder / "cache"
        self._root = root
        self.package.mkdir(parents=True)
        (self.package / "__init__.py").touch()
        (self.package / "outer_kernels.py").write_text(OUTER)
        self.update(inner=1, limit=10)

    def update(self, *, inner: int, limit: int) -> None:
        """As an update does: same sizes, and the stamps of files say nothing."""
        for name, text in (("inner_kernels", INNER.format(inner)), ("limit", LIMIT.format(limit))):
            path = self.package / f"{name}.py"
            path.write_text(text)
            os.utime(path, (1_700_000_000, 1_700_000_000))

    def ask(self, **environment: str) -> tuple[int, int, Path, str]:
        """The kernel's answer, how often it came from the cache, its folder, and what was logged."""
        paths = os.pathsep.join((str(self.package.parent), str(self._root)))
        done = subprocess.run(
            [sys.executable, "-B", "-c", ASK],
            cwd=self.package.parent,
            env=os.environ | {"PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(self.cache)} | environment,
            capture_output=True, text=True, check=True, timeout=100,
        )  # fmt: skip
        value, hits, folder = done.stdout.split()
        return int(value), int(hits), Path(folder), done.stderr


@pytest.fixture
def product(tmp_path: Path, root: Path) -> Product:
    return Product(tmp_path, root)


def test_what_did_not_change_comes_from_the_cache(product: Product) -> None:
    assert product.ask()[:2] == (11, 0)
    assert product.ask()[:2] == (11, 1)


def test_a_kernel_of_another_file_that_changed_is_compiled_anew(product: Product) -> None:
    product.ask()
    product.update(inner=2, limit=10)
    assert product.ask()[:2] == (12, 0)


def test_a_constant_of_another_file_that_changed_is_compiled_anew(product: Product) -> None:
    product.ask()
    product.update(inner=1, limit=20)
    assert product.ask()[:2] == (21, 0)


def test_the_folder_that_is_named_comes_first(product: Product) -> None:
    assert product.ask()[2].is_relative_to(product.cache)


def test_else_it_lies_beside_the_source(product: Product) -> None:
    assert product.ask(NUMBA_CACHE_DIR="")[2] == product.package / "__pycache__"


def test_a_product_that_cannot_be_written_uses_the_home_of_its_user(product: Product, tmp_path: Path) -> None:
    (product.package / "__pycache__").touch()  # a file there: not even root can make the folder
    folder = product.ask(NUMBA_CACHE_DIR="", HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "own"))[2]
    assert folder.is_relative_to(tmp_path / "own")


def test_without_any_folder_it_runs_and_says_what_that_costs(product: Product, tmp_path: Path) -> None:
    (product.package / "__pycache__").touch()
    (tmp_path / "home").touch()
    environment = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home")}
    value, hits, folder, logged = product.ask(NUMBA_CACHE_DIR="", **environment)
    assert (value, hits) == (11, 0)
    assert "kernels_not_kept" in logged
    assert not folder.exists()
