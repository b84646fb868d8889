"""Tables of several points, one behind the other."""

import numpy as np

from api import formats, point_answer
from api.formats import Table


def table(name: str, *values: float, **more: object) -> Table:
    own = [formats.constant(key, value) for key, value in more.items()]
    columns = (formats.constant("point", name), formats.values("value", np.array(values)), *own)
    return Table(columns, len(values))


def rows(joined: Table, first: int, last: int) -> list[tuple[object, ...]]:
    return list(zip(*(column.cells(first, last) for column in joined.columns), strict=True))


def test_any_part_of_the_rows_is_found() -> None:
    joined = point_answer.joined([table("a", 1.0, 2.0), table("b"), table("c", 3.0, 4.0, 5.0)])
    everything = [("a", 1.0), ("a", 2.0), ("c", 3.0), ("c", 4.0), ("c", 5.0)]
    for first in range(6):
        for last in range(first, 6):
            assert rows(joined, first, last) == everything[first:last]
    typed = joined.columns[1].typed
    assert isinstance(typed, formats.Values)
    assert typed.value.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_column_that_one_lacks_is_empty_there() -> None:
    joined = point_answer.joined([table("a", 1.0), table("b", 2.0, renamed_to="b")])
    assert rows(joined, 0, 2) == [("a", 1.0, ""), ("b", 2.0, "b")]


def test_no_table_gives_no_row() -> None:
    assert point_answer.joined([]).row_count == 0
