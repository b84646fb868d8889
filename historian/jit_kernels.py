"""The compiler of all kernels, with a cache on disk that no update of the product can make lie.

A kernel that calls one of another file has that one's code inside. numba's own cache looks at one file only, and would
serve the old code after an update. Here the stamp of a kernel is a digest of its file and of every file of ours that
it imports, at any depth, and of the versions that the compiled code depends on.

Places, the first that can be written: the folder that ``NUMBA_CACHE_DIR`` names, ``__pycache__`` beside the source, the
user's cache folder, else a private folder that goes with the process.
"""

import ast
import atexit
import functools
import hashlib
import logging
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from numba.core import caching, config, types
from numba.extending import intrinsic

log = logging.getLogger("historian.kernels")  # of the standard library: energy is pure

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_VERSIONS: Final = " ".join((sys.version, np.__version__, numba.__version__, version("llvmlite")))
_LOCATORS: Final = "CACHE_LOCATOR_CLASSES"
_PLACES: Final = ("Chosen", "BesideSource", "OfUser", "OfProcess")
_DEFINITION: Final = re.compile(r"^(?=@|def |class |async def )", re.MULTILINE)
_NOT_KEPT: Final = "no folder for compiled kernels can be written: every start takes half a minute"
_REMEDY: Final = "name one in NUMBA_CACHE_DIR that only this user can write"
_OURS: Final = frozenset({"historian", "drivers", "api", "bench"})


def njit(
    *, cache: bool, nogil: bool, error_model: Literal["python", "numpy"] = "python"
) -> Callable[[Kernel], Kernel]:
    """Compile a kernel when it is first called, or load it from the cache; otherwise as ``numba.njit``."""

    def compile_later(kernel: Kernel) -> Kernel:
        before = getattr(config, _LOCATORS)
        setattr(config, _LOCATORS, ",".join(f"{__name__}.{place}" for place in _PLACES))
        try:
            compiled = numba.njit(cache=cache, nogil=nogil, error_model=error_model)(kernel)
        finally:
            setattr(config, _LOCATORS, before)  # others' kernels are none of our business
        return cast("Kernel", compiled)

    return compile_later


@functools.cache
def stamp_of(path: Path) -> str:
    """A digest of all that the compiled code of a module's kernels depends on, but the processor."""
    digest = hashlib.sha256(_VERSIONS.encode())
    for each in sorted(_files_under(path)):
        digest.update(hashlib.sha256(each.read_bytes()).digest())
    return digest.hexdigest()


def _files_under(path: Path) -> set[Path]:
    """The file and every file of ours that it imports, at any depth."""
    found: set[Path] = set()
    left = [path.resolve()]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += _imported_files(one)
    return found


@functools.cache
def _imported_files(path: Path) -> tuple[Path, ...]:
    places = (_file_of(name) for name in _imported_names(path))
    return tuple(place for place in places if place is not None)


def _imported_names(path: Path) -> Iterator[str]:
    """Every name that may be that of a module, out of what stands before the first definition: it is quicker."""
    head = _DEFINITION.split(path.read_text(), maxsplit=1)[0]
    for node in ast.walk(ast.parse(head)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _file_of(name: str) -> Path | None:
    """The file of a module of ours. It is imported already: a file's imports come before its kernels."""
    if name.partition(".")[0] not in _OURS:
        return None
    source = getattr(sys.modules.get(name), "__file__", None)
    return Path(source).resolve() if source is not None else None


class _Stamped:
    """A place whose stamp is ours."""

    _py_file: str

    def get_source_stamp(self) -> str:
        return stamp_of(Path(self._py_file))


class Chosen(_Stamped, caching.UserProvidedCacheLocator):
    """The folder that NUMBA_CACHE_DIR names."""


class BesideSource(_Stamped, caching.InTreeCacheLocator):
    """``__pycache__``."""


class OfUser(_Stamped, caching.UserWideCacheLocator):
    """Under the home folder."""


class OfProcess(_Stamped, caching.InTreeCacheLocator):
    """A private folder for now: a service without a home still starts, compiling each time."""

    def get_cache_path(self) -> str:
        return str(_private_folder() / Path(self._py_file).parent.name / stamp_of(Path(self._py_file)))


@functools.cache
def _private_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="historian-kernels-")
    log.warning("kernels.kernels_not_kept", extra={"fields": {"meaning": _NOT_KEPT, "remedy": _REMEDY}})
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _pointer_to(kind: Any) -> Any:
    """What makes a pointer out of an address, inside kernels."""

    @intrinsic
    def pointer(_context: Any, _address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), generate  # type: ignore[no-untyped-call]

    return pointer


_U16_POINTER: Final = _pointer_to(types.uint16)
_U32_POINTER: Final = _pointer_to(types.uint32)
_F64_POINTER: Final = _pointer_to(types.float64)


@njit(cache=True, nogil=True)
def u16_at(address: int, count: int) -> npt.NDArray[np.uint16]:
    """The column at an address; only for kernels, and only while its owner lives."""
    return numba.carray(_U16_POINTER(address), (count,))  # type: ignore[attr-defined]


@njit(cache=True, nogil=True)
def u32_at(address: int, count: int) -> npt.NDArray[np.uint32]:
    """As `u16_at`."""
    return numba.carray(_U32_POINTER(address), (count,))  # type: ignore[attr-defined]


@njit(cache=True, nogil=True)
def f64_at(address: int, count: int) -> npt.NDArray[np.float64]:
    """As `u16_at`."""
    return numba.carray(_F64_POINTER(address), (count,))  # type: ignore[attr-defined]
