"""Packed figures: small where rows are alike, refused where damaged or newer."""

import pytest

from historian.errors import CatalogueError, FormatTooNew
from historian.rollup import figure_columns, figure_pack
from historian.rollup.definitions import Definitions
from tests.unit.rollup.test_day_table import FIRST, make_figure


def test_columns_in_which_all_rows_are_alike_cost_nothing() -> None:
    figures = [make_figure(number, total_numerator=7, total_denominator=2, ranked_numerator=None,
                           ranked_denominator=None, ranked_us=None) for number in range(1, 1001)]  # fmt: skip
    packed = figure_pack.pack(figure_columns.of_figures(figures, Definitions()))
    assert len(packed) < 3000  # 1,000 ids
    assert figure_pack.unpack(packed, "here").day.tolist() == [FIRST] * 1000


@pytest.mark.parametrize("at", [0, 10, -1])
def test_a_flipped_byte_is_found(at: int) -> None:
    packed = bytearray(figure_pack.pack(figure_columns.of_figures([make_figure()], Definitions())))
    packed[at] ^= 0xFF
    with pytest.raises(CatalogueError, match=r"figures\.db"):
        figure_pack.unpack(bytes(packed), "figures.db")


def test_figures_of_a_newer_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_pack, "VERSION", 2)
    packed = figure_pack.pack(figure_columns.of_figures([make_figure()], Definitions()))
    monkeypatch.setattr(figure_pack, "VERSION", 1)
    with pytest.raises(FormatTooNew):
        figure_pack.unpack(packed, "here")
