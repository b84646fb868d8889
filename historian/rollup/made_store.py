"""From figures just made to figures kept: which of them say something new, and which they replace."""

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.energy.steady_kernels import Figures
from historian.rollup import figure_columns, figure_kernels
from historian.rollup.change_log import Changes
from historian.rollup.day_key import KeyColumn
from historian.rollup.day_maker import MadeDays
from historian.rollup.definitions import Definitions
from historian.rollup.figure_columns import FigureColumns
from historian.rollup.figure_kernels import CHANGED, EMPTY, NOTHING, RENAMED, REPLACED, SAME, UNSURE, Place
from historian.rollup.frames import Frames, Question

I64 = npt.NDArray[np.int64]
Verdicts = npt.NDArray[np.uint8]


def store(
    frames: Frames,
    definitions: Definitions,
    made: MadeDays,
    definition: npt.NDArray[np.int32],
    keys: KeyColumn,
) -> int:
    """Store what differs from what is kept, and clear the marks of `keys`; how many changes that logs.

    For the thread of the frames.
    """
    reading = made.reading
    days = np.array(reading.days, np.int64)
    question = Question(reading.point_id, reading.days.start, reading.days.stop)
    place = frames.place(question)
    verdict = np.zeros((len(reading.point_id), len(days)), np.uint8)
    revision = np.zeros(verdict.shape, np.uint32)
    ends_us = calendar.day_starts_us(_dates_of(reading.days), reading.zone)[1:]
    figure_kernels.judge(
        made.figures, np.ones_like(verdict), place, days, ends_us, definition, frames.cells, verdict, revision
    )
    for row, day in np.argwhere(verdict == UNSURE).tolist():
        verdict[row, day] = _judge_one(frames, definitions, made, definition, (row, day))
    revision[verdict == RENAMED] -= 1  # it stays what it is
    is_changed = np.isin(verdict, (CHANGED, REPLACED))
    changed = take(made, definition, revision, is_changed | (verdict == RENAMED))
    replaced = _kept_at(frames, question, place, verdict == REPLACED)
    told = _told(take(made, definition, revision, is_changed & (ends_us <= made.computed_at_us)))
    frames.store(changed, replaced, keys, told)
    is_empty = (verdict == EMPTY).astype(np.uint8)
    if is_empty.any():
        cells = frames.cells
        figure_kernels.set_state(
            frames.place(question), days, is_empty, NOTHING, definition, cells.state, cells.definition
        )
    return told.row_count


def take(
    made: MadeDays,
    definition: npt.NDArray[np.int32],
    revision: npt.NDArray[np.uint32],
    chosen: npt.NDArray[np.bool_],
) -> FigureColumns:
    """The chosen (point, day) as rows."""
    row, day = np.nonzero(chosen)
    is_all = len(row) == chosen.size  # the everyday: no need to copy

    def rows_of(name: str) -> npt.NDArray[Any]:
        column: npt.NDArray[Any] = getattr(made.figures, name)
        return column.reshape(-1) if is_all else column[row, day]

    wide = {}
    if made.wide:
        pairs = zip(row.tolist(), day.tolist(), strict=True)
        wide = {place: made.wide[pair] for place, pair in enumerate(pairs) if pair in made.wide}
    return FigureColumns._make(
        [
            made.reading.point_id[row].astype(np.uint32),
            (made.reading.days.start + day).astype(np.int32),
            definition[row],
            *(rows_of(name).astype(figure_columns.TYPES[name], copy=False) for name in Figures._fields),
            revision[row, day],
            np.full(len(row), made.computed_at_us, np.int64),
            wide,
        ]
    )


def _told(figures: FigureColumns) -> Changes:
    """What others are told of changed figures."""
    return Changes(figures.point_id, figures.day, figures.revision, figures.is_complete)


def _judge_one(
    frames: Frames,
    definitions: Definitions,
    made: MadeDays,
    definition: npt.NDArray[np.int32],
    at: tuple[int, int],
) -> int:
    """The verdict where sums are wide, or where the kept figure is of another definition."""
    day = made.reading.days[at[1]]
    question = Question(made.reading.point_id[at[0] : at[0] + 1], day, day + 1)
    [before] = figure_columns.to_figures(frames.take(question), definitions)
    chosen = np.zeros((len(made.reading.point_id), len(made.reading.days)), np.bool_)
    chosen[at] = True
    now = take(made, definition, np.zeros(chosen.shape, np.uint32), chosen)
    if before.says_the_same(figure_columns.to_figures(now, definitions)[0]):
        is_named_so = int(definition[at[0]]) == definitions.code_of(before.definition)
        return SAME if is_named_so else RENAMED
    return REPLACED if before.computed_at_us >= before.end_us else CHANGED


def _kept_at(
    frames: Frames, question: Question, place: Place, chosen: npt.NDArray[np.bool_]
) -> FigureColumns:
    row, day = np.nonzero(chosen)
    ordinal = question.first_day + day
    frame = place.frames[place.group[row], (ordinal >> figure_kernels.DAY_BITS) - place.first_window]
    cell = (place.row[row] << figure_kernels.DAY_BITS) | (ordinal & figure_kernels.DAY_MASK)
    return frames.take_at(frame, cell, question.point_id[row], ordinal)


def _dates_of(days: range) -> DateRange:
    return DateRange(datetime.date.fromordinal(days.start), datetime.date.fromordinal(days.stop))
