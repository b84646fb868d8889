"""Everyday bodies are read into columns; every other body is left to the general reader."""

import pytest

from api import json_series

ONE = '{"point":"a","times":[1514765700000],"values":[1.5]}'


def test_series_lie_behind_one_another() -> None:
    text = '{"series": [{"point": "a", "times": [1000, 2000], "values": [1, -2.5]}, {"point": "站", "times": [], "values": []}]}'
    columns = json_series.read_columns(text.encode())
    assert columns is not None
    assert (columns.names, columns.counts.tolist()) == (["a", "站"], [2, 0])
    assert (columns.time_us.tolist(), columns.value.tolist()) == ([1_000_000, 2_000_000], [1.0, -2.5])


def test_times_may_be_texts_and_keys_in_any_order() -> None:
    text = '{"series":[{"values":[1],"times":["2018-01-01T08:15:00+08:00"],"point":"a"}]}'
    columns = json_series.read_columns(text.encode())
    assert columns is not None
    assert columns.time_us.tolist() == [1_514_765_700_000_000]


def test_no_series_are_no_samples() -> None:
    columns = json_series.read_columns(b' {"series" : [ ] } ')
    assert columns is not None
    assert (columns.names, len(columns.value)) == ([], 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"series":[',
        '{"series":[' + ONE,
        '{"series":[' + ONE + "]",
        '{"series":[' + ONE + ",]}",
        '{"series":[' + ONE + "]}x",
        '{"series":[' + ONE + '],"on_conflict":"keep"}',
        '{"series":[{"point":"a","times":[1],"values":[1],"unit":"kW"}]}',
        '{"series":[{"point":"a","times":[1],"values":[1],"values":[1]}]}',
        '{"series":[{"point":"a","times":[1]}]}',
        '{"series":[{"point":"a","times":[1],"values":[]}]}',
        '{"series":[{"point":"a","times":[1,],"values":[1,]}]}',
        '{"series":[{"point":"a","times":[1],"values":[null]}]}',
        '{"series":[{"point":"a","times":[1],"values":[01]}]}',
        '{"series":[{"point":"a","times":[1],"values":[1.]}]}',
        '{"series":[{"point":"a","times":[1],"values":[.5]}]}',
        '{"series":[{"point":"a","times":[1],"values":[1e400]}]}',
        '{"series":[{"point":"a","times":[-1],"values":[1]}]}',
        '{"series":[{"point":"a","times":[1.5],"values":[1]}]}',
        '{"series":[{"point":"a","times":[0123456789012],"values":[1]}]}',
        '{"series":[{"point":"a","times":[253402300800000],"values":[1]}]}',
        '{"series":[{"point":"a","times":["2018-01-01T00:15:00"],"values":[1]}]}',
        '{"series":[{"point":1,"times":[1],"values":[1]}]}',
        '{"series":[{"point":"\\u0061","times":[1],"values":[1]}]}',
        '{"series":[{"point":"a\n","times":[1],"values":[1]}]}',
    ],
)
@pytest.mark.parametrize("blanks", [0, 40])
def test_any_other_body_is_left_to_the_general_reader(text: str, blanks: int) -> None:
    assert json_series.read_columns(text.encode() + b" " * blanks) is None


def test_a_name_that_is_no_utf8_is_left_to_the_general_reader() -> None:
    assert json_series.read_columns(ONE.encode().replace(b"a", b"\xff").join([b'{"series":[', b"]}"])) is None
