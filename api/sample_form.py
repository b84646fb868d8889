"""How samples are written in one reply: unit, times, quality, and as columns or as rows."""

import asyncio
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
from aiohttp import web
from msgspec import Raw

from api import formats, json_columns, problem
from api.formats import Column, Format, Table
from api.params import Params, params_of
from api.problem import Problem
from api.time_form import TimeForm
from historian.errors import UnitError
from historian.model import quality as q
from historian.model import unit
from historian.model.point import Point, TimeLabel
from historian.model.sample import QualityColumn, TimeColumn, ValueColumn
from historian.model.timerange import TimeRange

if TYPE_CHECKING:
    from api.selection import Named


class SampleColumns(NamedTuple):
    """What is to be written: times, values in the point's unit (NaN is a gap), quality."""

    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn


class SampleForm(NamedTuple):
    """What the query asked for; an empty unit means the point's own."""

    times: TimeForm
    unit: str
    is_quality_full: bool

    @classmethod
    def of(cls, params: Params) -> "SampleForm":
        """From ``tz=``, ``time=``, ``unit=`` and ``quality=``. Raises Problem."""
        is_full = params.choice("quality", ("word", "full"), "word") == "full"
        return cls(TimeForm.of(params), params.text("unit") or "", is_full)

    @classmethod
    def own(cls) -> "SampleForm":
        """Where nothing is asked for."""
        return cls(TimeForm(False, None), "", False)

    def unit_of(self, own: str) -> str:
        """The unit of the answer for values that are held in `own`. Raises Problem 422 across dimensions."""
        if not self.unit:
            return own
        try:
            unit.conversion_factor(own, self.unit)
            return unit.get_unit(self.unit).symbol
        except UnitError as error:
            text = str(error)
            raise Problem.of_parameter(
                "unit", text, f"单位不可换算：{text}", problem.UNIT_MISMATCH
            ) from error

    def convert(self, value: ValueColumn, own: str) -> ValueColumn:
        """Values held in `own`, in the unit of the answer."""
        return unit.convert(value, own, self.unit) if self.unit else value

    def number(self, value: float | None, own: str) -> float | None:
        """One value, likewise; None and NaN are null."""
        if value is None or math.isnan(value):
            return None
        return unit.convert(value, own, self.unit) if self.unit else value

    def encode_quality(self, quality: QualityColumn) -> Raw:
        """A column of words, or of objects where asked for."""
        if self.is_quality_full:
            return json_columns.encode_full_quality(quality)
        return json_columns.encode_validity(quality)

    def quality(self, bits: int) -> str | dict[str, Any]:
        """One quality as a word, or as an object where asked for."""
        return json_columns.describe_quality(bits) if self.is_quality_full else q.validity_name(bits)


async def reply_samples(
    request: web.Request,
    named: "Named",
    span: TimeRange,
    columns: SampleColumns,
    *,
    interval: str = "",
    next_cursor: str = "",
) -> web.StreamResponse:
    """Samples of one point in the form that the request asks for."""
    form = form_of(request)
    unit_symbol = form.unit_of(named.point.unit)
    converted = columns._replace(value=form.convert(columns.value, named.point.unit))
    choice = formats.choose_format(request)
    if choice is Format.ARROW:
        body = await _encode_arrow(named.point, unit_symbol, converted)
        return formats.reply_arrow(body, next_cursor=next_cursor or None)
    if choice is not Format.JSON:
        table = table_of(named.point, unit_symbol, converted, form)
        return await formats.reply_table(request, table, choice, next_cursor=next_cursor or None)
    about = {
        "point": named.point.name,
        "unit": unit_symbol,
        "label": stored_label(named.point),
        "start": form.times.time(span.start_us),
        "end": form.times.time(span.end_us),
    }
    extra = {"interval": interval, "renamed_to": named.renamed_to, "next": next_cursor}
    if len(columns.time_us) < formats.THREAD_CELLS_MIN:
        body = encode_samples(about, converted, form, extra)
    else:
        body = await asyncio.to_thread(encode_samples, about, converted, form, extra)
    return web.Response(body=body, content_type="application/json")


def encode_samples(
    about: Mapping[str, object], columns: SampleColumns, form: SampleForm, extra: Mapping[str, str]
) -> bytes:
    """What `schemas.SamplesReply` describes, `about` before the columns and of `extra` what is not empty behind them."""
    samples = json_columns.encode_samples(columns.time_us, columns.value, form.times.is_epoch_ms)
    if samples is None:
        values = bytes(json_columns.encode_values(columns.value))
        samples = bytes(form.times.encode(columns.time_us)) + b',"values":' + values
    parts = [
        msgspec.json.encode(about)[:-1],
        b',"times":',
        samples,
        b',"quality":',
        form.encode_quality(columns.quality),
        b',"origin":',
        json_columns.encode_origin(columns.quality),
    ]
    if form.times.zone is not None:
        parts += [b',"times_local":', json_columns.encode_times(columns.time_us, form.times.zone)]
        extra = {"time_zone": form.times.zone_name, **extra}
    parts += [
        b',"%s":%s' % (name.encode(), msgspec.json.encode(text)) for name, text in extra.items() if text
    ]
    return b"".join((*parts, b"}"))


def form_of(request: web.Request) -> SampleForm:
    """What the query of a request asks for. Raises Problem."""
    return params_of(request).once(_FORM_OF)


def stored_label(point: Point) -> TimeLabel:
    """What the times of a reply mark: the start of each period, or an instant."""
    return TimeLabel.PERIOD_START if point.has_period else TimeLabel.INSTANT


def table_of(point: Point, unit_symbol: str, columns: SampleColumns, form: SampleForm) -> Table:
    """One row a sample."""
    quality = columns.quality
    cells: list[Column] = [
        *form.times.columns("time", columns.time_us),
        formats.constant("point", point.name),
        formats.values("value", columns.value),
        formats.constant("unit", unit_symbol),
        formats.words("quality", quality & q.VALIDITY_MASK, q.VALIDITY_NAMES),
        formats.words("origin", (quality & q.ORIGIN_MASK) >> q.ORIGIN_SHIFT, json_columns.ORIGIN_WORDS),
    ]
    if form.is_quality_full:
        cells.append(
            Column("quality_bits", lambda first, last: quality[first:last].tolist()),
        )
    return Table(tuple(cells), len(columns.time_us))


async def _encode_arrow(point: Point, unit_symbol: str, columns: SampleColumns) -> bytes:
    """The columns that ingest takes, so that an answer can be sent on as it is; the unit is told with the schema."""
    from api import arrow_frame  # loads pyarrow, which not everybody needs

    about = {"unit": unit_symbol, "label": stored_label(point).value}
    body = arrow_frame.encode_samples(point.name, about, *columns)
    if body is not None:
        return body
    cells = (
        formats.words("point", np.zeros(len(columns.time_us), np.int64), [point.name]),
        formats.times("time", columns.time_us),
        formats.values("value", columns.value),
        formats.numbers("quality", columns.quality),
    )
    return await formats.encode_arrow(Table(cells, len(columns.time_us), about))


_FORM_OF: Final = SampleForm.of
