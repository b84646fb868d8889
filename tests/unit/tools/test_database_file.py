import shutil
import sqlite3
from pathlib import Path

import pytest

from historian.errors import CatalogueError
from historian.tools import database_file


@pytest.fixture
def left_open(tmp_path: Path) -> Path:
    """A file as a killed process leaves it: commits in SQLite's own log, none in the file."""
    path = tmp_path / "live" / "a.sqlite"
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (7)")
    left = tmp_path / "left"
    shutil.copytree(path.parent, left)
    connection.close()
    return left / "a.sqlite"


def state(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_commits_in_its_log_are_read_and_nothing_is_written(left_open: Path) -> None:
    before = state(left_open.parent)
    with database_file.opened(left_open) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(7,)]
    assert database_file.problems_of(left_open) == []
    assert state(left_open.parent) == before


def test_a_name_with_signs_of_an_address_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a?b%20#c.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert database_file.problems_of(path) == []


@pytest.mark.parametrize("content", [b"no database" * 100, bytes(10)])
def test_what_is_no_database_has_a_problem(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.sqlite").write_bytes(content)
    [problem] = database_file.problems_of(tmp_path / "a.sqlite")
    assert "not a database" in problem


def test_a_torn_page_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x PRIMARY KEY)")
        connection.executemany("INSERT INTO t VALUES (?)", [(f"row {number:07d}",) for number in range(5000)])
    connection.close()
    data = bytearray(path.read_bytes())
    data[8192:12288] = bytes(4096)
    path.write_bytes(data)
    assert database_file.problems_of(path)


def test_an_error_of_a_statement_names_the_file(left_open: Path) -> None:
    with pytest.raises(CatalogueError, match="no such table"), database_file.opened(left_open) as connection:
        connection.execute("SELECT * FROM absent")


def test_a_live_file_is_copied_as_of_one_moment(tmp_path: Path) -> None:
    source = tmp_path / "a.sqlite"
    writer = sqlite3.connect(source, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t (x)")
    writer.execute("INSERT INTO t VALUES (1)")
    writer.execute("BEGIN")
    writer.execute("INSERT INTO t VALUES (2)")
    database_file.copy_live(source, tmp_path / "b.sqlite")
    writer.execute("COMMIT")
    with database_file.opened(tmp_path / "b.sqlite") as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]
    assert sorted(path.name for path in tmp_path.glob("b*")) == ["b.sqlite"]
    writer.close()


def test_what_cannot_be_copied_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(CatalogueError, match=r"a\.sqlite: cannot be copied"):
        database_file.copy_live(tmp_path / "a.sqlite", tmp_path / "b.sqlite")


def test_a_file_in_use_is_read_in_place(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t (x)")
    writer.execute("INSERT INTO t VALUES (3)")
    with database_file.opened(tmp_path / "a.sqlite", is_live=True) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(3,)]
    writer.close()
