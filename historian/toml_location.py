"""Where in a TOML text a value stands, so that an error can name the line.

The standard library's parser gives values without positions. This scanner walks the same text
once more and notes the line of each key and each array element; it expects text which that parser
has accepted, and on any other text stops early instead of failing.
"""

import bisect
import re
import tomllib
from collections.abc import Sequence
from typing import Final

TomlPath = tuple[str | int, ...]

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED_KEY: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"[^,\]}#\n]+")


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The 1-based line of the value at `path`, such as ``("point", 2, "unit")``.

    Where that does not exist (a missing key), the line of its nearest existing parent; 1 at last.
    """
    lines = locate(text)
    wanted = tuple(path)
    while wanted and wanted not in lines:
        wanted = wanted[:-1]
    return lines.get(wanted, 1)


def locate(text: str) -> dict[TomlPath, int]:
    """Every path of the document with the 1-based line on which it stands first."""
    scanner = _Scanner(text)
    scanner.scan_document()
    return scanner.lines


class _Scanner:
    """One pass over one text; `lines` is the result."""

    def __init__(self, text: str) -> None:
        self.lines: dict[TomlPath, int] = {}
        self._text = text
        self._position = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._table_counts: dict[TomlPath, int] = {}  # how many [[name]] were seen

    def scan_document(self) -> None:
        table: TomlPath = ()
        while True:
            self._skip(_BLANK)
            if self._peek() == "[":
                header = self._scan_header()
                if header is None:
                    return
                table = header
            elif self._scan_pair(table) is False:
                return

    def _scan_header(self) -> TomlPath | None:
        """``[a.b]`` or ``[[a.b]]``; None where the text is not a header."""
        is_array = self._text.startswith("[[", self._position)
        first_position = self._position
        self._position += 2 if is_array else 1
        parts = self._scan_key()
        if not parts:
            return None
        path: TomlPath = ()
        for index, part in enumerate(parts):
            path = (*path, part)
            if is_array and index == len(parts) - 1:
                self._table_counts[path] = self._table_counts.get(path, 0) + 1
            self._note(path, first_position)
            if path in self._table_counts:
                path = (*path, self._table_counts[path] - 1)
                self._note(path, first_position)
        self._skip(_SPACE)
        self._position += 2 if is_array else 1
        return path

    def _scan_pair(self, table: TomlPath) -> bool:
        """``a.b = value``; False where the text is none."""
        key_position = self._position
        parts = self._scan_key()
        if not parts or self._peek() != "=":
            return False
        self._position += 1
        path = table
        for part in parts:
            path = (*path, part)
            self._note(path, key_position)
        self._scan_value(path)
        return True

    def _scan_key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            part = self._scan_key_part()
            if part is None:
                return []
            parts.append(part)
            self._skip(_SPACE)
            if self._peek() != ".":
                return parts
            self._position += 1

    def _scan_key_part(self) -> str | None:
        if match := _BARE_KEY.match(self._text, self._position):
            self._position = match.end()
            return match[0]
        if match := _QUOTED_KEY.match(self._text, self._position):
            self._position = match.end()
            return _unquote(match[0])
        return None

    def _scan_value(self, path: TomlPath) -> None:
        self._skip(_SPACE)
        first = self._peek()
        if first == "[":
            self._scan_array(path)
        elif first == "{":
            self._scan_inline_table(path)
        elif match := (_STRING.match if first in "\"'" else _SCALAR.match)(self._text, self._position):
            self._position = match.end()

    def _scan_array(self, path: TomlPath) -> None:
        self._position += 1
        index = 0
        while True:
            self._skip(_BLANK)
            before = self._position
            if self._peek() in ("]", ""):
                self._position += 1
                return
            self._note((*path, index), before)
            self._scan_value((*path, index))
            self._skip(_BLANK)
            if self._peek() == ",":
                self._position += 1
            elif self._position == before:
                return
            index += 1

    def _scan_inline_table(self, path: TomlPath) -> None:
        self._position += 1
        while True:
            self._skip(_BLANK)
            if self._peek() == ",":
                self._position += 1
            elif self._peek() in ("}", "") or self._scan_pair(path) is False:
                self._position += 1
                return

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._position)
        if match is not None:
            self._position = match.end()

    def _note(self, path: TomlPath, position: int) -> None:
        self.lines.setdefault(path, bisect.bisect_left(self._newlines, position) + 1)


def _unquote(raw: str) -> str:
    try:
        return str(tomllib.loads(f"key = {raw}")["key"])
    except ValueError:
        return raw[1:-1]
