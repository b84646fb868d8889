from pathlib import Path

from historian.access.table import AccessTable


def test_a_change_of_another_is_noticed_and_counted(tmp_path: Path) -> None:
    table, other = AccessTable(tmp_path / "a"), AccessTable(tmp_path / "a")
    table.has_moved()
    assert not table.has_moved()
    assert other.write(("DELETE FROM person", ())) == 1
    assert table.has_moved()
    assert table.change_number() == 1
    table.close()
    other.close()
