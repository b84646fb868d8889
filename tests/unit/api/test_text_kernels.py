"""Eight bytes at a time say the same as one byte at a time."""

import numpy as np
import pytest

from api import text_kernels as text


def padded(content: bytes) -> text.Bytes:
    return np.frombuffer(content + b" " * (2 * text.WORD_ROOM), np.uint8)


@pytest.mark.parametrize("at", range(9))
def test_a_word_is_loaded_from_any_place(at: int) -> None:
    content = b"0123456789abcdefg"
    assert int(text.load_word(padded(content), at)).to_bytes(8, "little") == content[at : at + 8]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 16, 17])
@pytest.mark.parametrize("changed", [0, 6, 7, 8, 15, 16, 17, 18])
def test_a_change_is_seen_within_the_size_only(size: int, changed: int) -> None:
    left = bytes(range(65, 90))
    right = left[:changed] + b"!" + left[changed + 1 :]
    assert text.is_same(padded(b"..." + left), 3, padded(right), 0, size) == (changed >= size)


@pytest.mark.parametrize("size", [8, 9, 15, 16, 17])
@pytest.mark.parametrize("changed", [0, 6, 7, 8, 15, 16, 17, 18])
def test_a_difference_of_long_texts_is_seen_within_the_size_only(size: int, changed: int) -> None:
    left = bytes(range(65, 90))
    right = left[:changed] + b"!" + left[changed + 1 :]
    places = np.uint64(3), padded(right), np.uint64(0), np.uint64(size)
    assert text.has_difference(padded(b"..." + left), *places) == (changed < size)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"1,", (1, 1, -1, 1, 44)),
        (b"1234567]", (1234567, 7, -1, 7, 93)),
        (b"123.456 ", (123456, 3, 3, 7, 32)),
        (b"0.5\n", (5, 1, 1, 3, 10)),
        (b".25 ", (25, 0, 2, 3, 32)),
        (b"7. ", (7, 1, 0, 2, 32)),
        (b"007x", (7, 3, -1, 3, 120)),
        (b"1.2.3", (12, 1, 1, 3, 46)),
        (b"12345678", (0, 0, -1, 0, 0)),
        (b"1.234567", (0, 0, -1, 0, 0)),
        (b". ", (0, 0, -1, 0, 0)),
        (b"-1 ", (0, 0, -1, 0, 0)),
        (b"\xb11 ", (0, 0, -1, 0, 0)),
    ],
)
def test_a_short_number_ends_within_its_word(content: bytes, expected: tuple[int, ...]) -> None:
    found = text.read_short_number(text.load_word(padded(content), 0))
    if expected[3] == 0:
        assert found[3] == 0
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"00000000", 0),
        (b"12345678", 12345678),
        (b"99999999", 99999999),
        (b"1234567/", -1),
        (b":2345678", -1),
    ],
)
def test_eight_digits_are_a_number(content: bytes, number: int) -> None:
    assert text.eight_digits(text.digit_values(text.load_word(padded(content), 0))) == number


def test_bytes_are_counted() -> None:
    assert text.count_byte(np.frombuffer(b"a,b,,c", np.uint8), ord(",")) == 3
