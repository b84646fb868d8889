import tomllib

import pytest

from historian import toml_location
from historian.toml_location import TomlPath

DOCUMENT = '''\
# first line
title = "a # no comment"   # a comment

[server]
listen = "x"
"odd key".inner = """
two
lines = 3
"""
after = [
  1,  # one
  "]",
  {a = 1, b = [2, 3]},
  [
    4
  ],
]

[[driver]]
name = 'one'
[driver.options]
deep = true

[[driver]]
name = "two"
[[driver.point]]
unit = "V"
[[driver.point]]
unit = "A"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("server",), 4),
        (("server", "listen"), 5),
        (("server", "odd key", "inner"), 6),
        (("server", "after"), 10),
        (("server", "after", 0), 11),
        (("server", "after", 1), 12),
        (("server", "after", 2, "b", 1), 13),
        (("server", "after", 3, 0), 15),
        (("driver",), 19),
        (("driver", 0), 19),
        (("driver", 0, "name"), 20),
        (("driver", 0, "options", "deep"), 22),
        (("driver", 1), 24),
        (("driver", 1, "name"), 25),
        (("driver", 1, "point", 0, "unit"), 27),
        (("driver", 1, "point", 1, "unit"), 29),
    ],
)
def test_value_stands_on_its_line(path: TomlPath, line: int) -> None:
    tomllib.loads(DOCUMENT)
    assert toml_location.line_of(DOCUMENT, path) == line


def test_missing_key_is_reported_at_its_table() -> None:
    assert toml_location.line_of(DOCUMENT, ("driver", 1, "host")) == 24


def test_nothing_known_is_line_one() -> None:
    assert toml_location.line_of("", ("anything",)) == 1


@pytest.mark.parametrize("text", ["[", "[[", "a = [", "a = {", 'a = "', "a", "= 1", "a = [1 2", "[a", "\x00"])
def test_text_that_is_not_toml_ends_the_scan(text: str) -> None:
    assert toml_location.line_of(text, ("a",)) == 1
