"""The SQLite file: ours, whole and changed all or nothing."""

import sqlite3
from pathlib import Path

import pytest

from historian.catalogue.database import APPLICATION_ID, FORMAT_VERSION, Database
from historian.errors import CatalogueError, FormatTooNew

SCHEMA = "CREATE TABLE IF NOT EXISTS thing (name TEXT PRIMARY KEY) STRICT"


def test_a_new_file_is_marked_as_ours(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", SCHEMA, is_synced=True)
    assert database.rows("PRAGMA application_id") == [(APPLICATION_ID,)]
    assert database.rows("PRAGMA user_version") == [(FORMAT_VERSION,)]
    assert database.rows("PRAGMA journal_mode") == [("wal",)]
    database.close()


@pytest.mark.parametrize(("is_synced", "level"), [(True, 2), (False, 1)], ids=["full", "normal"])
def test_synced_means_that_a_commit_waits_for_the_disk(tmp_path: Path, is_synced: bool, level: int) -> None:
    database = Database(tmp_path / "a.sqlite", SCHEMA, is_synced=is_synced)
    assert database.rows("PRAGMA synchronous") == [(level,)]
    database.close()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", SCHEMA, is_synced=True)
    with pytest.raises(CatalogueError, match=r"a\.sqlite: UNIQUE"), database.transaction() as connection:
        connection.executemany("INSERT INTO thing VALUES (?)", [("x",), ("x",)])
    assert database.rows("SELECT * FROM thing") == []
    with database.transaction() as connection:
        connection.execute("INSERT INTO thing VALUES ('y')")
    assert database.rows("SELECT * FROM thing") == [("y",)]
    database.close()


def test_a_second_open_finds_what_was_there(tmp_path: Path) -> None:
    for name in ("x", "y"):
        database = Database(tmp_path / "a.sqlite", SCHEMA, is_synced=True)
        with database.transaction() as connection:
            connection.execute("INSERT INTO thing VALUES (?)", (name,))
        database.close()
    database = Database(tmp_path / "a.sqlite", SCHEMA, is_synced=True)
    assert database.rows("SELECT * FROM thing") == [("x",), ("y",)]
    database.close()


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(CatalogueError, match="another program"):
        Database(path, SCHEMA, is_synced=True)
    assert path.read_bytes() == before


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    Database(path, SCHEMA, is_synced=True).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    connection.close()
    with pytest.raises(
        FormatTooNew,
        match=rf"a\.sqlite: written in format {FORMAT_VERSION + 1}, this version reads up to {FORMAT_VERSION}",
    ):
        Database(path, SCHEMA, is_synced=True)


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=r"a\.sqlite: "):
        Database(path, SCHEMA, is_synced=True)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="unable to open"):
        Database(tmp_path / "nowhere" / "a.sqlite", SCHEMA, is_synced=True)


def test_a_full_disk_is_named_and_leaves_the_file_usable(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", SCHEMA, is_synced=True)
    page_count = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count = {page_count}")  # SQLite then answers as on a full disk
    with pytest.raises(CatalogueError, match="full"), database.transaction() as connection:
        connection.executemany("INSERT INTO thing VALUES (?)", [(str(n) * 100,) for n in range(1000)])
    assert database.rows("SELECT count(*) FROM thing") == [(0,)]
    database.close()
