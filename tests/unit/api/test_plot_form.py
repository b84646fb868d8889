"""A plot in its JSON form: columns of one length, times and units as asked."""

import msgspec
import numpy as np
from multidict import MultiDict

from api import plot_form
from api.params import Params
from api.sample_form import SampleForm
from historian.model import quality as q
from historian.query.plot import PlotColumns

TWO = np.array([0, 900_000_000], np.int64)
VALUES = np.array([1000.0, 2000.0])
PLOT = PlotColumns(
    column_index=np.array([3, 7]), first_time_us=TWO, first=VALUES, last_time_us=TWO, last=VALUES, min_time_us=TWO,
    min=VALUES, max_time_us=TWO, max=VALUES, quality=np.array([0, q.SUSPECT], np.uint16),
    sample_count=np.array([5, 6]), gap_start_us=TWO[:1], gap_end_us=TWO[1:], doubt_start_us=TWO[1:],
    doubt_end_us=TWO[1:] + 1, doubt_quality=np.array([q.SUSPECT], np.uint16),
)  # fmt: skip


def plain(struct: msgspec.Struct) -> dict[str, list[object]]:
    found: dict[str, list[object]] = msgspec.json.decode(msgspec.json.encode(struct))
    return found


def test_pixel_columns_have_all_their_figures() -> None:
    form = SampleForm.of(Params(MultiDict(unit="MW", time="epoch_ms")))
    pixels = plain(plot_form.pixels_of(PLOT, form, "kW"))
    assert {len(column) for column in pixels.values()} == {2}
    assert pixels["index"] == [3, 7]
    assert pixels["max"] == [1.0, 2.0]
    assert pixels["max_time"] == [0, 900_000]
    assert pixels["quality"] == ["good", "suspect"]
    assert pixels["count"] == [5, 6]


def test_gaps_and_doubts_stand_apart() -> None:
    form = SampleForm.of(Params(MultiDict()))
    assert plain(plot_form.gaps_of(PLOT, form)) == {
        "start": ["1970-01-01T00:00:00Z"],
        "end": ["1970-01-01T00:15:00Z"],
    }
    assert plain(plot_form.doubts_of(PLOT, form))["quality"] == ["suspect"]
