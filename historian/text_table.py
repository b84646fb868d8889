"""Prints rows as an aligned table for people or as CSV for programs."""

import csv
import sys
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TextIO

TableForm = Literal["table", "csv"]
GAP: Final = "  "


class TextTable(NamedTuple):
    """A header and rows of texts, all of the same length."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def print_table(table: TextTable, form: TableForm, stream: TextIO | None = None) -> None:
    """Write the table to `stream` (default: standard output)."""
    stream = stream or sys.stdout
    if form == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(table.header)
        writer.writerows(table.rows)
        return
    widths = [max(map(_width, column)) for column in zip(table.header, *table.rows, strict=True)]
    is_number = [all(map(_is_number, column)) for column in zip(*table.rows, strict=True)] or [False] * len(
        widths
    )
    for row in (table.header, *table.rows):
        cells = (_padded(*each) for each in zip(row, widths, is_number, strict=True))
        stream.write(GAP.join(cells).rstrip() + "\n")


def _padded(cell: str, width: int, is_number: bool) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if is_number else cell + blanks


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("-").replace(".", "", 1).replace("e", "", 1).replace("-", "", 1).isdigit()


def _width(cell: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in cell)
