"""Any text is settings or a SettingsError; nothing else comes out, and the line exists."""

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from historian import toml_location
from historian.errors import SettingsError
from historian.settings import Settings
from historian.toml_file import parse_typed

WORDS = [
    *(
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\n",
        " ",
        "#",
        '"',
        "'",
        '"""',
        "'''",
        "\\",
        "\t",
        "\r\n",
    ),
    *(
        "server",
        "store",
        "listen",
        "ring_hours",
        "substations",
        "time_zone",
        "true",
        "1",
        "-1",
        "1e400",
        "nan",
    ),
    *("0x10", "9" * 30, "1979-05-27", "07:32:00", '"127.0.0.1:1"', "\u4e2d", "\x00", "\ud7ff", "_", "a", "-"),
]
toml_like = st.lists(st.sampled_from(WORDS), max_size=60).map("".join)


def check(text: str) -> None:
    line = line_of_error(text)
    assert 0 <= line <= text.count("\n") + 1


def line_of_error(text: str) -> int:
    try:
        parse_typed(text, "f.toml", Settings)
    except SettingsError as error:
        return int(str(error).removeprefix("f.toml:").split(":")[0])
    return 0


@given(toml_like | st.text(max_size=200))
def test_any_text_is_settings_or_an_error(text: str) -> None:
    check(text)


@given(st.data())
def test_damaged_real_file_is_settings_or_an_error(data: st.DataObject) -> None:
    text = (Path(__file__).parents[2] / "config" / "historian.toml").read_text("utf-8")
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 30))
    check(text[:start] + data.draw(toml_like) + text[start + length :])


@given(toml_like | st.text(max_size=200))
def test_every_key_of_a_valid_document_is_located(text: str) -> None:
    lines = toml_location.locate(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
    try:
        document = tomllib.loads(text)
    except ValueError:
        return
    assert set(paths_of(document, ())) <= set(lines)


def paths_of(value: object, base: toml_location.TomlPath) -> list[toml_location.TomlPath]:
    children: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    found = []
    for key, child in children:
        found += [(*base, key), *paths_of(child, (*base, key))]
    return found
