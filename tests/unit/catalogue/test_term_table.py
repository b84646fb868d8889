"""Rows of statements."""

from pathlib import Path

import msgspec

from historian.catalogue.term_table import TermTable
from historian.model.term import Statement, TariffTerm

DRAFT = Statement(
    number=0, point_id=3, valid_from_us=5, valid_to_us=9, recorded_us=7, author="a", reason="r",
    term=TariffTerm(calendar="x", options=("315kVA",)),
)  # fmt: skip


def test_numbers_rise_and_are_never_given_twice(tmp_path: Path) -> None:
    table = TermTable(tmp_path / "t.sqlite")
    first, second = table.add(DRAFT), table.add(DRAFT)
    assert (first.number, second.number) == (1, 2)
    assert table.load() == [first, second] == [msgspec.structs.replace(DRAFT, number=one) for one in (1, 2)]
    table.close()


def test_a_statement_is_withdrawn_once(tmp_path: Path) -> None:
    table = TermTable(tmp_path / "t.sqlite")
    table.add(DRAFT)
    table.withdraw(1, 20, "wrong")
    table.withdraw(1, 30, "wronger")
    [found] = table.load()
    assert (found.withdrawn_us, found.withdrawn_reason) == (20, "wrong")
    table.close()
