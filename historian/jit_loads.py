"""What a processor does in one step and Python has no word for, as functions for kernels alone."""

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

_Load = Callable[[npt.NDArray[np.uint8], int | np.uint64], np.uint64]
_Count = Callable[[np.uint64], np.uint64]


def _load_u64(_context: Any, column: Any, _place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        word = builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(column, types.intp), generate


def _zeros_below(_context: Any, _word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word, flag = ir.IntType(64), ir.IntType(1)
        count = builder.module.declare_intrinsic("llvm.cttz", [word], ir.FunctionType(word, [word, flag]))
        return builder.call(count, [arguments[0], flag(1)])

    return types.uint64(types.uint64), generate


# The eight bytes from a place of a column of bytes, the first of them lowest. Nothing checks that they exist.
load_u64: Final = cast(_Load, intrinsic(_load_u64))

# How many bits lie below the lowest that is set, of a word that is not 0.
zeros_below: Final = cast(_Count, intrinsic(_zeros_below))
