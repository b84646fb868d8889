import gzip
from pathlib import Path

import pytest

from drivers.gateway import csv_line
from drivers.gateway.csv_line import Line, LineFile
from historian.errors import IngestError


def lines_of(path: Path) -> tuple[list[Line], str]:
    with LineFile(path) as file:
        return list(file.lines()), file.fault


def write(folder: Path, content: bytes) -> Path:
    path = folder / "f.csv"
    path.write_bytes(content)
    return path


def test_lines_are_numbered_and_lose_their_end(tmp_path: Path) -> None:
    lines, fault = lines_of(write(tmp_path, b"a,b\r\n\n1,2\nlast"))
    assert lines == [Line(1, b"a,b"), Line(2, b""), Line(3, b"1,2"), Line(4, b"last", is_ended=False)]
    assert fault == ""


def test_byte_order_mark_is_taken_off(tmp_path: Path) -> None:
    assert lines_of(write(tmp_path, b"\xef\xbb\xbfa\n"))[0] == [Line(1, b"a")]


def test_utf_16_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="save it as UTF-8"):
        lines_of(write(tmp_path, "a\n".encode("utf-16")))


def test_lines_that_cross_blocks_stay_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_line, "BLOCK_BYTES", 3)
    lines, _ = lines_of(write(tmp_path, b"abcdefgh\nij\n\nk\n"))
    assert [line.content for line in lines] == [b"abcdefgh", b"ij", b"", b"k"]


def test_line_of_no_end_costs_bounded_memory_and_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_line, "LINE_BYTES_MAX", 10)
    monkeypatch.setattr(csv_line, "BLOCK_BYTES", 4)
    lines, _ = lines_of(write(tmp_path, b"a\n" + b"x" * 25 + b"\nb\n" + b"y" * 10 + b"\n"))
    assert [(line.number, line.content) for line in lines] == [
        (1, b"a"),
        (2, b"x" * 10),
        (3, b"b"),
        (4, b"y" * 10),
    ]
    assert lines[1].fault == "a line of 25 bytes; allowed: 10, the rest is cut"
    assert lines[3].fault == ""


def test_gzip_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    assert lines_of(write(tmp_path, gzip.compress(b"a\nb\n")))[0] == [Line(1, b"a"), Line(2, b"b")]


def test_gzip_cut_short_gives_what_came_before(tmp_path: Path) -> None:
    content = "".join(f"row {index} {index * 7919 % 1000003}\n" for index in range(200_000)).encode()
    lines, fault = lines_of(write(tmp_path, gzip.compress(content)[:-100_000]))
    assert len(lines) > 1000
    assert all(
        line.content == f"row {line.number - 1} {(line.number - 1) * 7919 % 1000003}".encode()
        for line in lines[:-1]
    )
    assert not lines[-1].is_ended
    assert "reading ended early" in fault


@pytest.mark.parametrize("name", ["absent.csv", "."])
def test_file_that_cannot_be_opened_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(IngestError, match="cannot be read"):
        LineFile(tmp_path / name)


def test_position_is_that_of_the_stored_file(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"a\n" * 100_000))
    with LineFile(path) as file:
        assert file.size_bytes == path.stat().st_size
        list(file.lines())
        assert file.position_bytes == file.size_bytes


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a,b,", ["a", "b", ""]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a""b",c', ['a"b', "c"]),
        ('"a,b', None),
        ('"a"b,c', None),
        ("", [""]),
    ],
)
def test_row_is_split_at_the_delimiter(text: str, fields: list[str] | None) -> None:
    assert csv_line.split_row(text, ",") == fields
