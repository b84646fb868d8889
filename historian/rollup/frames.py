"""Day figures in memory: a bounded cache of blocks as columns, kept current, written through the table's log.

Every figure that changes goes into the log on disk first, then into its cell. A block with changed cells is
written to disk when it must make room or when the log is long; until then the log has them.
"""

import mmap
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy.steady_kernels import Figures
from historian.rollup import day_table, figure_kernels
from historian.rollup.change_log import Changes
from historian.rollup.day_key import KeyColumn
from historian.rollup.day_table import BlockName, DayTable
from historian.rollup.figure_columns import TYPES, FigureColumns
from historian.rollup.figure_kernels import CELL_COUNT, DAY_BITS, POINT_BITS, Cells, Place

LOG_FIGURES_MAX: Final = 262_144  # then the changed blocks are written, and the log begins anew

_COLUMNS: Final = tuple(name for name in TYPES if name not in ("point_id", "day"))
CELL_BYTES: Final = 1 + sum(TYPES[name].itemsize for name in _COLUMNS)
FRAME_BYTES: Final = CELL_BYTES * CELL_COUNT
FRAMES_MIN: Final = 32  # a year of one point has 13 windows


def make_cells(frame_count: int) -> Cells:
    """Cells of which nothing is known. Memory is taken as they are filled."""
    shape = (frame_count, CELL_COUNT)
    return Cells(_untouched(shape, np.uint8), *(_untouched(shape, TYPES[name]) for name in _COLUMNS))


def _untouched(shape: tuple[int, int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros straight from the system: NumPy's may be used memory, which has to be cleared and so is taken at once."""
    kind = np.dtype(dtype)
    memory = mmap.mmap(-1, shape[0] * shape[1] * kind.itemsize)
    return np.frombuffer(memory, kind).reshape(shape)


def figures_of(columns: FigureColumns) -> Figures:
    """The part of columns that a kernel makes."""
    return Figures(*(getattr(columns, name) for name in Figures._fields))


class Question(NamedTuple):
    """Some points by id and days ``[first_day, last_day)``."""

    point_id: npt.NDArray[np.int64]
    first_day: int
    last_day: int

    @property
    def windows(self) -> range:
        return range(self.first_day >> DAY_BITS, ((self.last_day - 1) >> DAY_BITS) + 1)


class Frames:
    """The cache. Used by one thread at a time; no frame given out outlives the next `place`."""

    def __init__(self, table: DayTable, bytes_max: int) -> None:
        self.table = table
        self.frames_max = max(FRAMES_MIN, bytes_max // FRAME_BYTES)
        self.cells = make_cells(self.frames_max)
        self._by_name: OrderedDict[BlockName, int] = OrderedDict()
        self._free = list(range(self.frames_max - 1, -1, -1))
        self._changed: set[BlockName] = set()
        self._wide: dict[BlockName, dict[int, tuple[int, int, int]]] = {}
        self._logged_count = 0

    def open(self) -> None:
        """Apply what the log holds."""
        for part in self.table.load_log():
            self._put(part)
            self._logged_count += part.row_count

    def place(self, question: Question) -> Place:
        """Where the cells of a question are; loads what is not in memory."""
        groups, group_of = _number(question.point_id >> POINT_BITS)
        names = [(group, window) for group in groups.tolist() for window in question.windows]
        frames = np.array(self._frames_of(names), np.int32).reshape(len(groups), len(question.windows))
        row = question.point_id & ((1 << POINT_BITS) - 1)
        return Place(frames, group_of, row, question.windows.start)

    @property
    def windows_max(self) -> int:
        """So many windows of days should a question have at most."""
        return self.frames_max // 2

    def parts(self, question: Question, cells_max: int) -> list[npt.NDArray[np.int64]]:
        """Places of points in the question, cut so that each part fits into memory and has few cells."""
        group = question.point_id >> POINT_BITS
        groups, group_of = _number(group)
        by_memory = max(1, self.frames_max // (2 * len(question.windows)))
        by_size = max(1, cells_max // (len(question.windows) * CELL_COUNT))
        size = min(by_memory, by_size)
        if len(groups) <= size:
            return [np.arange(len(group))]
        return [np.flatnonzero(group_of // size == part) for part in range(-(-len(groups) // size))]

    def store(
        self, figures: FigureColumns, replaced: FigureColumns, cleaned: KeyColumn, told: Changes | None = None
    ) -> None:
        """Keep figures on disk, then in memory; see `DayTable.store`."""
        self.table.store(figures, replaced, cleaned, told)
        self._put(figures)
        self._logged_count += figures.row_count
        if self._logged_count > LOG_FIGURES_MAX:
            self.write_changed()

    def write_changed(self) -> None:
        """Write every changed block and empty the log."""
        names = sorted(self._changed)
        self.table.write_blocks([(name, self._figures_in(name)) for name in names], is_all=True)
        self._changed.clear()
        self._logged_count = 0

    def take(self, question: Question) -> FigureColumns:
        """All figures kept of a question, in order of point as asked, then day."""
        place = self.place(question)
        days = np.arange(question.first_day, question.last_day, dtype=np.int64)
        frame = place.frames[place.group[:, np.newaxis], (days >> DAY_BITS) - place.first_window]
        cell = (place.row[:, np.newaxis] << DAY_BITS) | (days & figure_kernels.DAY_MASK)
        point, day = np.nonzero(self.cells.state[frame, cell] == figure_kernels.FIGURE)
        return self._read(frame[point, day], cell[point, day], question.point_id[point], days[day])

    def take_at(
        self,
        frame: npt.NDArray[np.int32],
        cell: npt.NDArray[np.int64],
        point_id: npt.NDArray[np.int64],
        day: npt.NDArray[np.int64],
    ) -> FigureColumns:
        """The figures of cells that hold one."""
        return self._read(frame, cell, point_id, day)

    def span_kept(self, point_id: int) -> range:
        """Days between which all figures of the point lie."""
        group = point_id >> POINT_BITS
        windows = [window for name, window in self._by_name if name == group] + self.table.windows_of(group)
        return range(min(windows) << DAY_BITS, (max(windows) + 1) << DAY_BITS) if windows else range(0)

    def days_kept(self, point_id: int, first_day: int, last_day: int) -> list[int]:
        """Days of ``[first_day, last_day)`` that have figures. Of the others, something may be known now."""
        found: list[int] = []
        step = (self.frames_max // 2) << DAY_BITS
        for first in range(first_day, last_day, step):
            last = min(first + step, last_day)
            place = self.place(Question(np.array([point_id], np.int64), first, last))
            days = np.arange(first, last)
            frame = place.frames[0, (days >> DAY_BITS) - place.first_window]
            cell = (place.row[0] << DAY_BITS) | (days & figure_kernels.DAY_MASK)
            state = self.cells.state[frame, cell]
            is_nothing = state == figure_kernels.NOTHING
            self.cells.state[frame[is_nothing], cell[is_nothing]] = figure_kernels.UNKNOWN
            found += days[state == figure_kernels.FIGURE].tolist()
        return found

    def wide_sums(self, point_id: int, day: int) -> tuple[int, int, int]:
        """The sums of a figure that exceed 64 bits."""
        cell = ((point_id & ((1 << POINT_BITS) - 1)) << DAY_BITS) | (day & figure_kernels.DAY_MASK)
        return self._wide[point_id >> POINT_BITS, day >> DAY_BITS][cell]

    def forget_nothing(self) -> None:
        """Days of which nothing was known are looked at anew."""
        state = self.cells.state
        for frame in self._by_name.values():
            state[frame][state[frame] == figure_kernels.NOTHING] = figure_kernels.UNKNOWN

    def _put(self, figures: FigureColumns) -> None:
        """Into memory; the blocks they belong to are loaded first."""
        for name, part in day_table.split(figures):
            [frame] = self._frames_of([name])
            self._fill(name, frame, part)
            self._changed.add(name)

    def _fill(self, name: BlockName, frame: int, part: FigureColumns) -> None:
        cell = day_table.cell_of(part.point_id, part.day)
        figure_kernels.put_rows(
            np.full(part.row_count, frame, np.int32), cell, part.definition, figures_of(part), part.revision,
            part.computed_at_us, self.cells,
        )  # fmt: skip
        if part.wide:
            wide = self._wide.setdefault(name, {})
            for row, sums in part.wide.items():
                wide[int(cell[row])] = sums

    def _frames_of(self, names: Sequence[BlockName]) -> list[int]:
        """The frame of each block; those named are not given away for each other's sake."""
        wanted = set(names)
        found: list[int] = []
        for name in names:
            frame = self._by_name.get(name)
            if frame is None:
                frame = self._free.pop() if self._free else self._make_room(wanted)
                self._by_name[name] = frame
                self.cells.state[frame] = figure_kernels.UNKNOWN
                kept = self.table.load_block(name)
                if kept is not None:
                    self._fill(name, frame, kept)
            else:
                self._by_name.move_to_end(name)
            found.append(frame)
        return found

    def _make_room(self, wanted: set[BlockName]) -> int:
        """The frame of the block that was not asked for the longest."""
        oldest = next((name for name in self._by_name if name not in wanted), None)
        if oldest is None:
            return self._grow()
        if oldest in self._changed:
            # The log keeps its rows: they are applied again at the next start, to no harm.
            self.table.write_blocks([(oldest, self._figures_in(oldest))], is_all=False)
            self._changed.discard(oldest)
        self._wide.pop(oldest, None)
        return self._by_name.pop(oldest)

    def _grow(self) -> int:
        """Another frame beyond the bound: one question needs more than there are."""
        count = len(self.cells.state)
        more = make_cells(count)
        columns: list[list[npt.NDArray[Any]]] = [list(self.cells), list(more)]
        self.cells = Cells._make(np.concatenate(pair) for pair in zip(*columns, strict=True))
        self._free = list(range(2 * count - 1, count, -1))
        return count

    def _figures_in(self, name: BlockName) -> FigureColumns:
        frame = self._by_name[name]
        cell = np.flatnonzero(self.cells.state[frame] == figure_kernels.FIGURE)
        point_id = (name[0] << POINT_BITS) | (cell >> DAY_BITS)
        day = (name[1] << DAY_BITS) | (cell & figure_kernels.DAY_MASK)
        return self._read(np.full(len(cell), frame, np.int32), cell, point_id, day)

    def _read(
        self,
        frame: npt.NDArray[np.int32],
        cell: npt.NDArray[np.int64],
        point_id: npt.NDArray[np.int64],
        day: npt.NDArray[np.int64],
    ) -> FigureColumns:
        columns = [getattr(self.cells, name)[frame, cell] for name in _COLUMNS]
        taken = FigureColumns._make([point_id.astype(np.uint32), day.astype(np.int32), *columns, {}])
        for row in np.flatnonzero(taken.denominator == 0).tolist():
            taken.wide[row] = self.wide_sums(int(point_id[row]), int(day[row]))
        return taken


def _number(groups: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """`np.unique` with inverse, without sorting: few small numbers occur often."""
    distinct = np.flatnonzero(np.bincount(groups))
    place = np.empty(int(distinct[-1]) + 1, np.int64)
    place[distinct] = np.arange(len(distinct))
    return distinct, place[groups]
