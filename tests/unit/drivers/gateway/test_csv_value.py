import numpy as np
import pytest

from drivers.gateway.csv_value import read_values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(
            ("0", 0.0),
            ("-1.5", -1.5),
            ("+2", 2.0),
            (".5", 0.5),
            ("7.", 7.0),
            ("1e3", 1000.0),
            ("1.5E-2", 0.015),
        ),
        *((" 3.17 ", 3.17), ("5.827000141143799", 5.827000141143799), ("1" * 100, float("1" * 100))),
    ],
)
def test_number_is_read(text: str, number: float) -> None:
    for texts in ([text], [text, "no number"]):  # at once, and one by one
        values = read_values(texts)
        assert values.value[0] == number
        assert values.is_number[0]


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "1_0",
        "１２",
        "nan",
        "inf",
        "-Infinity",
        "1e999",
        "0x10",
        "1,5",
        "1 2",
        "--1",
        "1e",
        ".",
        "-",
        "1;2",
    ],
)
def test_what_is_no_number_is_told(text: str) -> None:
    values = read_values(["1", text, "2"])
    assert values.is_number.tolist() == [True, False, True]
    assert not values.is_missing.any()
    assert np.isnan(values.value[1])


def test_missing_marks_are_missing_not_wrong() -> None:
    values = read_values(["1", "", " ? ", "NA", "x"], missing=("", "?", "NA"))
    assert values.is_missing.tolist() == [False, True, True, True, False]
    assert values.is_number.tolist() == [True, False, False, False, False]


def test_empty_text_is_wrong_where_it_is_no_missing_mark() -> None:
    assert read_values(["1", ""], missing=()).is_number.tolist() == [True, False]


def test_sentinels_are_missing() -> None:
    values = read_values(["-99", "-99.0", "6553.5", "39.1"], sentinels=(-99.0, 6553.5))
    assert values.is_missing.tolist() == [True, True, True, False]
    assert values.value[3] == 39.1


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,5", 1.5), ("-0,25", -0.25), ("7", 7.0), ("1.5", None), ("1.234,5", None), ("1,2,3", None)],
)
def test_decimal_comma(text: str, number: float | None) -> None:
    for texts in ([text], [text, "x"]):
        values = read_values(texts, decimal_mark=",")
        assert (values.value[0] if values.is_number[0] else None) == number


def test_no_texts_give_no_values() -> None:
    assert len(read_values([]).value) == 0
