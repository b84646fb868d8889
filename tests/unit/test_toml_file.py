from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from historian import toml_file
from historian.errors import SettingsError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Wheel(msgspec.Struct, frozen=True, tag_field="shape", tag="wheel"):
    radius_m: Annotated[float, Meta(gt=0.0, lt=10.0)]


class Box(msgspec.Struct, frozen=True, tag_field="shape", tag="box"):
    side_m: float = 1.0


class Part(msgspec.Struct, frozen=True):
    name: Annotated[str, Meta(pattern="^[a-z]+$")]
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    colour: Colour = Colour.RED
    label: str | None = None

    def __post_init__(self) -> None:
        if self.name == "forbidden":
            raise ValueError("name: that word is not allowed")


class Machine(msgspec.Struct, frozen=True):
    parts: tuple[Part, ...] = ()
    forms: tuple[Wheel | Box, ...] = ()
    by_name: dict[str, Part] = {}
    is_on: bool = False


def parse(text: str) -> Machine:
    return toml_file.parse_typed(text, "f.toml", Machine)


def test_good_file_becomes_the_struct() -> None:
    machine = parse(
        'is_on = true\n[[parts]]\nname = "a"\ncolour = "blue"\n[[forms]]\nshape = "wheel"\nradius_m = 2'
    )
    assert machine.parts == (Part("a", colour=Colour.BLUE),)
    assert machine.forms == (Wheel(2.0),)
    assert machine.is_on


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("is_on = 1", "1: is_on is 1; allowed: true or false"),
        (
            "\nis_an = true",
            "2: is_an is not known (did you mean is_on?); allowed: parts, forms, by_name, is_on",
        ),
        ("[[parts]]\ncount = 2", "1: parts[0].name is missing; allowed: text of the form ^[a-z]+$"),
        ('[[parts]]\nname = "A"', '2: parts[0].name is "A"; allowed: text of the form ^[a-z]+$'),
        ('[[parts]]\nname = "a"\ncount = 10', "3: parts[0].count is 10; allowed: a whole number from 1 to 9"),
        (
            '[[parts]]\nname = "a"\ncount = "2"',
            '3: parts[0].count is "2"; allowed: a whole number from 1 to 9',
        ),
        (
            '[[parts]]\nname = "a"\ncolour = "pink"',
            '3: parts[0].colour is "pink"; allowed: one of "red", "blue"',
        ),
        ('[[parts]]\nname = "a"\nlabel = 3', "3: parts[0].label is 3; allowed: text"),
        ('[[parts]]\nname = "forbidden"', "2: parts[0].name: that word is not allowed"),
        ("parts = 3", "1: parts is 3; allowed: a list of: a table"),
        ('[[forms]]\nshape = "cone"', '2: forms[0].shape is "cone"; allowed: one of "wheel", "box"'),
        ("[[forms]]\nside_m = 1", '1: forms[0].shape is missing; allowed: one of "wheel", "box"'),
        (
            '[[forms]]\nshape = "wheel"\nradius_m = 10.0',
            "3: forms[0].radius_m is 10.0; allowed: a number above 0.0 and below 10.0",
        ),
        (
            '[[forms]]\nshape = "wheel"\nradius_m = nan',
            "3: forms[0].radius_m is nan; allowed: a finite number",
        ),
        (
            '[[forms]]\nshape = "box"\nradius_m = 1',
            "3: forms[0].radius_m is not known; allowed: shape, side_m",
        ),
        (
            '[by_name.x]\nname = "a"\n[by_name.y]\nname = "b"\ncount = 0',
            "5: by_name.y.count is 0; allowed: a whole number from 1 to 9",
        ),
        (
            "[by_name.x]\nnam = 1",
            "2: by_name.x.nam is not known (did you mean name?); allowed: name, count, colour, label",
        ),
        ("is_on = tru", "1: not valid TOML: Invalid value"),
        ("a = 1\na = 2", "2: not valid TOML: Cannot overwrite a value"),
        ("x = 1979-13-01", "1: not valid TOML: Expected newline or end of document after a statement"),
    ],
)
def test_error_says_line_fault_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(text)
    assert str(caught.value) == f"f.toml:{message}"


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    with pytest.raises(SettingsError, match="nested too deeply"):
        parse("parts = " + "[" * 5000 + "]" * 5000)


def test_number_of_thousands_of_digits_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"f\.toml:2"):
        parse("is_on = true\nparts = " + "9" * 5000)


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    path.write_bytes(b"\xef\xbb\xbfis_on = true\r\n")
    assert toml_file.load_typed(path, Machine).is_on


def test_bytes_that_are_not_utf_8_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    path.write_bytes("is_on = true\n# \u4e2d\u6587".encode("gbk"))
    with pytest.raises(SettingsError, match=r"f\.toml:2: not UTF-8"):
        toml_file.load_typed(path, Machine)


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_file_that_cannot_be_read_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        toml_file.load_typed(tmp_path / name, Machine)


def test_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    with path.open("wb") as file:
        file.truncate(toml_file.FILE_BYTES_MAX + 1)
    with pytest.raises(SettingsError, match="allowed: 16777216"):
        toml_file.load_typed(path, Machine)
