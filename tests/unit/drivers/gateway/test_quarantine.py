import contextlib
from pathlib import Path

import pytest

from drivers.gateway.quarantine import QuarantineFile


def test_rows_are_kept_as_they_were(tmp_path: Path) -> None:
    with QuarantineFile(tmp_path / "q", "a.csv") as bad_rows:
        bad_rows.add(7, "not a\tnumber\n", b"1,\xff\xfe,\t3")
    assert bad_rows.path is not None
    header, row = bad_rows.path.read_bytes().splitlines()
    assert header == b"# rows of a.csv not taken: line number, reason, the row as it was"
    assert row == b"7\tnot a number\t1,\xff\xfe,\t3"
    assert bad_rows.row_count == 1


def test_no_bad_row_makes_no_file(tmp_path: Path) -> None:
    with QuarantineFile(tmp_path / "q", "a.csv") as bad_rows:
        pass
    assert bad_rows.path is None
    assert not (tmp_path / "q").exists()


def keep(folder: Path, name: str, content: bytes) -> Path | None:
    with QuarantineFile(folder, name) as bad_rows:
        bad_rows.add(1, "r", content)
    return bad_rows.path


def test_same_rows_make_the_same_file_and_others_another(tmp_path: Path) -> None:
    assert keep(tmp_path, "a.csv", b"x") == keep(tmp_path, "a.csv", b"x")
    assert keep(tmp_path, "a.csv", b"y") != keep(tmp_path, "a.csv", b"x")
    assert len(list(tmp_path.iterdir())) == 2


def test_rows_survive_an_import_that_fails(tmp_path: Path) -> None:
    bad_rows = QuarantineFile(tmp_path, "a.csv")
    with contextlib.suppress(RuntimeError), bad_rows:
        bad_rows.add(1, "r", b"x")
        raise RuntimeError("the sink failed")
    assert bad_rows.path is not None
    assert bad_rows.path.exists()


@pytest.mark.parametrize("name", ["电" * 250, "a\nb.csv", "\udcff.csv"], ids=["long", "line end", "no text"])
def test_odd_source_names_make_a_file(tmp_path: Path, name: str) -> None:
    path = keep(tmp_path, name, b"x")
    assert path is not None
    assert path.exists()
