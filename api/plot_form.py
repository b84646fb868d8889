"""A plot between the query engine's arrays and its JSON form."""

import msgspec

from api import formats, json_columns, schemas
from api.formats import Column, Table
from api.sample_form import SampleForm
from historian.model import quality as q
from historian.model.point import Point
from historian.query.plot import PlotColumns


def pixels_of(plot: PlotColumns, form: SampleForm, own_unit: str) -> schemas.PlotPixels:
    """The pixel columns that have a sample."""
    times = form.times
    return schemas.PlotPixels(
        index=msgspec.Raw(msgspec.json.encode(plot.column_index.tolist())),
        first_time=times.encode(plot.first_time_us),
        first=json_columns.encode_values(form.convert(plot.first, own_unit)),
        last_time=times.encode(plot.last_time_us),
        last=json_columns.encode_values(form.convert(plot.last, own_unit)),
        min_time=times.encode(plot.min_time_us),
        min=json_columns.encode_values(form.convert(plot.min, own_unit)),
        max_time=times.encode(plot.max_time_us),
        max=json_columns.encode_values(form.convert(plot.max, own_unit)),
        quality=form.encode_quality(plot.quality),
        count=msgspec.Raw(msgspec.json.encode(plot.sample_count.tolist())),
    )


def gaps_of(plot: PlotColumns, form: SampleForm) -> schemas.PlotGaps:
    """Where nothing may be drawn."""
    return schemas.PlotGaps(
        start=form.times.encode(plot.gap_start_us), end=form.times.encode(plot.gap_end_us)
    )


def doubts_of(plot: PlotColumns, form: SampleForm) -> schemas.PlotDoubts:
    """Stretches that are not all good."""
    return schemas.PlotDoubts(
        start=form.times.encode(plot.doubt_start_us),
        end=form.times.encode(plot.doubt_end_us),
        quality=form.encode_quality(plot.doubt_quality),
    )


def table_of(plot: PlotColumns, form: SampleForm, point: Point, unit: str) -> Table:
    """One row a pixel column, for those who draw points and not strokes."""
    columns: list[Column] = [
        formats.constant("point", point.name),
        formats.constant("unit", unit),
        formats.numbers("pixel", plot.column_index),
    ]
    for name in ("first", "last", "min", "max"):
        columns += form.times.columns(f"{name}_time", getattr(plot, f"{name}_time_us"))
        columns.append(formats.values(name, form.convert(getattr(plot, name), point.unit)))
    quality = formats.words("quality", plot.quality & q.VALIDITY_MASK, q.VALIDITY_NAMES)
    return Table((*columns, quality, formats.numbers("count", plot.sample_count)), len(plot.column_index))
