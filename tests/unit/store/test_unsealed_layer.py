"""What is sorted, what is joined, and what is left alone."""

import numpy as np

from historian.model.sample import make_batch
from historian.store import columns
from historian.store.columns import Piece, Rows, Span
from historian.store.unsealed_layer import JOINED_SAMPLES, SMALL_SAMPLES, Layer

EVERYTHING = Span(-(1 << 62), 1 << 62, 0, 1 << 32)


def piece(point_id: int, times: range, sequence: int = 1) -> Piece:
    return Piece(make_batch(point_id, times, np.zeros(len(times))), np.array([sequence]))


def layer_of(*pieces: Piece) -> Layer:
    layer = Layer()
    for one in pieces:
        layer.add(one)
    return layer


def kinds(layer: Layer) -> list[str]:
    return [
        f"{type(part).__name__} {part[0].sample_count if isinstance(part, Piece) else part.row_count}"
        for part in layer.parts
    ]


def test_a_question_sorts_only_what_it_concerns() -> None:
    layer = layer_of(piece(1, range(300)), piece(1, range(1000, 1400)), piece(7, range(500)))
    assert len(layer.sorted_parts(Span(1100, 1200, 0, 9))) == 1
    assert kinds(layer) == ["Piece 300", "Rows 400", "Piece 500"]
    assert len(layer.sorted_parts(Span(0, 9999, 5, 9))) == 1
    assert kinds(layer) == ["Piece 300", "Rows 900"]


def test_a_question_that_concerns_nothing_sorts_nothing() -> None:
    layer = layer_of(piece(1, range(300)))
    for wanted in (Span(300, 400, 0, 9), Span(0, 400, 2, 9)):
        assert layer.sorted_parts(wanted) == []
    assert kinds(layer) == ["Piece 300"]


def test_neighbours_are_sorted_together() -> None:
    layer = layer_of(*(piece(point_id, range(300)) for point_id in (3, 2, 1)))
    [rows] = layer.sorted_parts(EVERYTHING)
    assert rows.point_id[[0, -1]].tolist() == [1, 3]


def test_sorted_parts_of_similar_size_are_merged() -> None:
    layer = layer_of(piece(1, range(1000)))
    for number in range(8):
        layer.add(piece(1, range(300), number))
        layer.sorted_parts(EVERYTHING)
    assert kinds(layer) == ["Rows 2500", "Rows 600", "Rows 300"]


def test_merging_keeps_the_order_of_arrival() -> None:
    layer = layer_of(piece(1, range(300)))
    layer.sorted_parts(EVERYTHING)
    layer.add(Piece(make_batch(1, range(300), np.ones(300)), np.array([1])))
    [rows] = layer.sorted_parts(EVERYTHING)
    assert columns.keep_versions(rows).value.tolist() == [1.0] * 300


def test_small_pieces_are_joined() -> None:
    layer = layer_of(*(piece(1, range(n, n + 1), n) for n in range(100)))
    assert kinds(layer) == ["Piece 100"]
    assert layer.sample_count == 100
    layer.add(piece(1, range(100, 101), 100))
    assert kinds(layer) == ["Piece 101"]
    [rows] = layer.sorted_parts(EVERYTHING)
    assert rows.sequence.tolist() == list(range(101))


def test_what_was_joined_up_to_a_size_is_left_alone() -> None:
    layer = layer_of(piece(1, range(JOINED_SAMPLES)), piece(1, range(1)), piece(1, range(SMALL_SAMPLES)))
    assert kinds(layer) == [f"Piece {JOINED_SAMPLES}", "Piece 1", f"Piece {SMALL_SAMPLES}"]


def test_the_span_covers_parts_of_all_kinds() -> None:
    layer = layer_of(piece(3, range(300)), piece(2, range(-5, -4)))
    assert layer.span == Span(-5, 299, 2, 3)
    layer.sorted_parts(EVERYTHING)
    layer.add(piece(9, range(1000, 2000)))
    assert layer.span == Span(-5, 1999, 2, 9)
    assert Layer().span is None


def test_a_later_layer_comes_after() -> None:
    layer, later = layer_of(piece(1, range(300))), layer_of(piece(1, range(1), 2))
    layer.extend(later)
    assert layer.sample_count == 301
    [rows] = layer.sorted_parts(EVERYTHING)
    assert isinstance(rows, Rows)
    assert rows.sequence[:2].tolist() == [1, 2]


def test_a_part_that_takes_the_place_of_merged_ones_is_looked_at() -> None:
    layer = layer_of(piece(1, range(300)), piece(1, range(1000, 1300)))
    layer.sorted_parts(EVERYTHING)
    layer.add(piece(1, range(5000, 5300)))
    assert layer.span == Span(0, 5299, 1, 1)


def test_a_part_that_grew_by_small_pieces_is_looked_at() -> None:
    layer = layer_of(piece(1, range(10)))
    assert layer.span == Span(0, 9, 1, 1)
    layer.add(piece(1, range(50, 60)))
    assert layer.span == Span(0, 59, 1, 1)
