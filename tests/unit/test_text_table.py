import io

import pytest

from historian.text_table import TableForm, TextTable, print_table


def printed(table: TextTable, form: TableForm = "table") -> str:
    stream = io.StringIO()
    print_table(table, form, stream)
    return stream.getvalue()


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    table = TextTable(("name", "value", "note"), [("a", "1.5", ""), ("long name", "-10", "x")])
    assert printed(table) == "name       value  note\na            1.5\nlong name    -10  x\n"


def test_chinese_characters_take_two_columns() -> None:
    assert printed(TextTable(("n", "m"), [("电量", "a"), ("abcd", "b")])) == "n     m\n电量  a\nabcd  b\n"


def test_table_without_rows_has_its_header() -> None:
    assert printed(TextTable(("a", "b"), [])) == "a  b\n"


def test_csv_quotes_what_needs_it() -> None:
    assert printed(TextTable(("a", "b"), [("1,5", 'x"y')]), "csv") == 'a,b\n"1,5","x""y"\n'


@pytest.mark.parametrize("cell", ["1", "-1.5", "1e-05", ""])
def test_number_columns_stand_right(cell: str) -> None:
    assert printed(TextTable(("number",), [(cell,), ("0",)])).splitlines()[1] == cell.rjust(6).rstrip()
