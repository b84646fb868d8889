"""What is told of one point: as a JSON object, or as rows of a table. Made alike for one point and for many."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from aiohttp import web

from api import formats, plot_form, sample_form, schemas
from api.formats import Column, Format, Table
from api.sample_form import SampleColumns, SampleForm, stored_label
from api.selection import Named
from historian.model import quality as q
from historian.model.sample import SampleRun
from historian.model.timerange import TimeRange
from historian.query.plot import PlotColumns
from historian.query.summary import Summary


class PointAnswer(NamedTuple):
    """Both forms, made when asked for."""

    encode: Callable[[], bytes]
    table: Callable[[], Table]


class Page(NamedTuple):
    """Of samples: the range asked about, the interval of a grid, and the cursor of what follows."""

    span: TimeRange
    interval: str = ""
    next_cursor: str = ""


def of_samples(named: Named, columns: SampleColumns, form: SampleForm, page: Page) -> PointAnswer:
    """Recorded or interpolated samples. Raises Problem 422 for a unit of another dimension."""
    unit_symbol = form.unit_of(named.point.unit)
    converted = columns._replace(value=form.convert(columns.value, named.point.unit))

    def encode() -> bytes:
        about = {
            "point": named.point.name,
            "unit": unit_symbol,
            "label": stored_label(named.point),
            "start": form.times.time(page.span.start_us),
            "end": form.times.time(page.span.end_us),
        }
        extra = {"interval": page.interval, "renamed_to": named.renamed_to, "next": page.next_cursor}
        return sample_form.encode_samples(about, converted, form, extra)

    return PointAnswer(encode, lambda: sample_form.table_of(named.point, unit_symbol, converted, form))


def of_sample(named: Named, run: SampleRun, form: SampleForm, asked_us: int, mode: str) -> PointAnswer:
    """The one sample of a run, or none."""
    found = run.sample_count > 0
    bits = int(run.quality[0]) if found else q.MISSING
    found_us = int(run.time_us[0]) if found else None
    reply = schemas.SampleReply(
        point=named.point.name,
        unit=form.unit_of(named.point.unit),
        label=stored_label(named.point),
        asked=form.times.time(asked_us),
        mode=mode,
        time=form.times.time(found_us),
        value=form.number(float(run.value[0]), named.point.unit) if found else None,
        quality=form.quality(bits),
        origin=q.origin_name(bits),
        time_local=form.times.local(found_us),
        renamed_to=named.renamed_to,
    )
    return of_rows(reply, [reply], schemas.SampleReply)


def of_plot(named: Named, plot: PlotColumns, form: SampleForm, span: TimeRange, width: int) -> PointAnswer:
    """Pixel columns, gaps and doubtful stretches; as a table the pixel columns alone."""
    unit_symbol = form.unit_of(named.point.unit)

    def encode() -> bytes:
        return msgspec.json.encode(
            schemas.PlotReply(
                point=named.point.name,
                unit=unit_symbol,
                label=stored_label(named.point),
                start=form.times.time(span.start_us),
                end=form.times.time(span.end_us),
                width=width,
                pixels=plot_form.pixels_of(plot, form, named.point.unit),
                gaps=plot_form.gaps_of(plot, form),
                doubts=plot_form.doubts_of(plot, form),
                renamed_to=named.renamed_to,
            )
        )

    return PointAnswer(encode, lambda: plot_form.table_of(plot, form, named.point, unit_symbol))


def of_summary(named: Named, found: Sequence[Summary], form: SampleForm, basis: str) -> PointAnswer:
    """Figures, a row a slot."""
    unit_symbol = form.unit_of(named.point.unit)
    rows = [_summary_row(summary, named, form, unit_symbol) for summary in found]
    reply = schemas.SummaryReply(
        point=named.point.name,
        unit=unit_symbol,
        label=stored_label(named.point),
        basis=basis,
        rows=rows,
        renamed_to=named.renamed_to,
    )
    return of_rows(reply, rows, schemas.SummaryRow)


async def reply(request: web.Request, answer: PointAnswer) -> web.StreamResponse:
    """The answer about one point, in the form that the request asks for."""
    choice = formats.choose_format(request)
    if choice is not Format.JSON:
        return await formats.reply_table(request, answer.table(), choice)
    return web.Response(body=answer.encode(), content_type="application/json")


def joined(tables: Sequence[Table]) -> Table:
    """Tables of the same columns, one behind the other."""
    ends = np.cumsum([0, *(table.row_count for table in tables)]).tolist()
    by_name = [{column.name: column for column in table.columns} for table in tables]
    names = dict.fromkeys(name for columns in by_name for name in columns)

    def column_of(name: str) -> Column:
        def cells(first: int, last: int) -> list[object]:
            found: list[object] = []
            for columns, start, end in zip(by_name, ends, ends[1:], strict=False):
                low, high = max(first, start) - start, min(last, end) - start
                if low < high:
                    column = columns.get(name)
                    found += [""] * (high - low) if column is None else column.cells(low, high)
            return found

        return Column(name, cells, _joined_typed([columns.get(name) for columns in by_name]))

    return Table(tuple(column_of(name) for name in names), ends[-1])


def _joined_typed(columns: Sequence[Column | None]) -> formats.Typed | None:
    """Numbers and times as they are; words are told by their cells."""
    typed = [None if column is None else column.typed for column in columns]
    times = [one for one in typed if isinstance(one, formats.Times) and one.is_known is None]
    if len(times) == len(typed):
        return formats.Times(np.concatenate([one.time_us for one in times]), times[0].zone)
    values = [one for one in typed if isinstance(one, formats.Values)]
    if len(values) == len(typed):
        return formats.Values(np.concatenate([one.value for one in values]))
    return None


def of_rows(
    whole: msgspec.Struct, rows: Sequence[msgspec.Struct], row_type: type[msgspec.Struct]
) -> PointAnswer:
    """A struct, and rows that are there already."""
    return PointAnswer(lambda: msgspec.json.encode(whole), lambda: formats.table_of(rows, row_type))


def _summary_row(summary: Summary, named: Named, form: SampleForm, unit: str) -> schemas.SummaryRow:
    own, times = named.point.unit, form.times
    return schemas.SummaryRow(
        point=named.point.name,
        start=times.time(summary.start_us),
        end=times.time(summary.end_us),
        unit=unit,
        total_unit=summary.total_unit,
        min=form.number(summary.min, own),
        min_time=times.time(summary.min_time_us),
        max=form.number(summary.max, own),
        max_time=times.time(summary.max_time_us),
        mean=form.number(summary.mean, own),
        total=summary.total,
        std=form.number(summary.std, own),
        count=summary.count,
        good_share=summary.good_share,
        start_local=times.local(summary.start_us),
        end_local=times.local(summary.end_us),
        min_time_local=times.local(summary.min_time_us),
        max_time_local=times.local(summary.max_time_us),
    )
