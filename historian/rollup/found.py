"""What a question finds: right figures of some points, and where they are."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.rollup.day_figure import DayFigure
from historian.rollup.figure_kernels import Cells, Place

Figures = dict[int, DayFigure]  # by day


class Found(NamedTuple):
    """Right figures of some points, for `work` in a worker thread: `rows` are their places in the question.

    `figures_of` gives the figures of one of them, by its place in `rows`, as objects.
    """

    rows: npt.NDArray[np.int64]
    place: Place
    cells: Cells
    figures_of: Callable[[int], Figures]


Work = Callable[[Found], None]
