"""Tables of the archive as CSV: out and in again is the same; bad rows are told by line and cost only themselves."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue import archive_csv
from historian.catalogue.archive import open_archive
from historian.catalogue.archive_csv import ArchiveCsv, Report
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.errors import CsvInvalid
from historian.resources import config_dir

POINTS = "name,item,unit,kind,interval\nhall.load,T2.06,,,\nhall.v,,V,instantaneous,5m\n"
ENTITIES = (
    "type,id,attribute,value,valid_from\n"
    "enterprise,E1,entity_name,某某公司,\n"
    "enterprise,E1,entity_name,某某特钢,2024-07-01\n"
    "enterprise,E1,uscc,9144030071526726xg,\n"
    "enterprise,E1,uscc,,2025-01-01T00:00:00Z\n"
    'meter,M1,extra.厂家,"a, b",\n'
    "meter,M1,alias,M0,\n"
    "metering_point,P1,,,\n"
    "water_account,W1,,,\n"
)
RELATIONS = (
    "kind,from_type,from_id,to_type,to_id,carrier,valid_from,valid_to\n"
    "meter_at,meter,M0,metering_point,P1,,2024-01-01,2025-01-01\n"
    "measured_by,metering_point,P1,point,hall.load,,,\n"
)
CHARGES = "type,id,start,end,amount\nwater_account,W1,2026-01-05,2026-03-05,86.40\n"
TABLES = {"points": POINTS, "entities": ENTITIES, "relations": RELATIONS, "charges": CHARGES}


def opened(folder: Path) -> tuple[ArchiveCsv, Registry]:
    folder.mkdir(exist_ok=True)
    clock = ManualClock(1_800_000_000_000_000)
    registry = Registry(folder / "c.sqlite", clock, "Asia/Shanghai")
    archive = open_archive(folder / "c.sqlite", clock, config_dir() / "standard")
    return ArchiveCsv(archive, registry, "Asia/Shanghai"), registry


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[ArchiveCsv]:
    made, registry = opened(tmp_path / "a")
    yield made
    made._archive.close()
    registry.close()


def take(tables: ArchiveCsv, table: str, text: str) -> Report:
    return tables.take(table, io.StringIO(text, newline=""))


def text_of(tables: ArchiveCsv, table: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(tables.rows(table))
    return text.getvalue()


def test_what_is_exported_is_imported_again(tables: ArchiveCsv, tmp_path: Path) -> None:
    other, registry = opened(tmp_path / "b")
    for table, text in TABLES.items():
        assert take(tables, table, text).rejects == []
    for table in TABLES:
        whole = text_of(tables, table)
        assert take(other, table, whole).rejects == []
        assert text_of(other, table) == whole
        again = take(other, table, whole)
        assert (again.created, again.changed, again.unchanged) == (0, 0, again.rows)
    assert "enterprise,E1,entity_name,某某特钢,2024-06-30T16:00:00Z\r\n" in text_of(tables, "entities")
    assert "enterprise,E1,uscc,,2025-01-01T00:00:00Z\r\n" in text_of(tables, "entities")
    assert "meter,M1,alias,M0,\r\n" in text_of(tables, "entities")
    assert "2026-01-04T16:00:00Z,2026-03-04T16:00:00Z,86.4,CNY," in text_of(tables, "charges")
    other._archive.close()
    registry.close()


def test_rows_are_counted_as_new_changed_or_there(tables: ArchiveCsv) -> None:
    told: list[int] = []
    report = tables.take("entities", io.StringIO(ENTITIES), told.append)
    assert report[:4] == (8, 4, 4, 0)
    assert told == [8]
    take(tables, "points", POINTS)
    assert take(tables, "points", POINTS)[:4] == (2, 0, 0, 2)
    assert take(tables, "charges", CHARGES)[:4] == (1, 1, 0, 0)
    assert take(tables, "charges", CHARGES.replace("86.40", "80"))[:4] == (1, 0, 1, 0)


@pytest.mark.parametrize(
    ("table", "text", "lines"),
    [
        ("entities", "type,id,attribute,value\nline,L1,name,a\nline,L1,colour,red\nhouse,H,,\nline,L2,name,b\nline,\n", [3, 4, 6]),
        ("entities", 'type,id,attribute,value\nline,L1,name,"a\nb"\nline,L1,x,y\n', [2, 4]),
        ("entities", "type,id,attribute,value,valid_from\nline,L1,name,a,yesterday\n\nline,L1,capacity,x,\n", [2, 4]),
        ("relations", RELATIONS, [2, 3]),
        ("charges", CHARGES + "water_account,W1,2026-01-05,,1\n", [2, 3]),
        ("points", "name,unit,kind,item,range_low\na,kW,ratio,,\na,V,ratio,,\nb,,,,\nc,kW,guess,,\nd,,,T9.99,\ne,,,T2.06,x\n", [3, 4, 5, 6, 7]),
    ],
)  # fmt: skip
def test_a_bad_row_is_told_by_its_line(tables: ArchiveCsv, table: str, text: str, lines: list[int]) -> None:
    report = take(tables, table, text)
    assert [reject.line for reject in report.rejects] == lines
    assert report.created + report.changed + report.unchanged == report.rows - len(lines)
    assert take(tables, table, text)[1:3] == (0, 0)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("type,attribute\n", 1),
        ("type,id,colour\n", 1),
        ("type,id,id\n", 1),
        ('type,id\nline,"x"y\n', 2),
    ],
)
def test_what_is_no_table_is_refused(tables: ArchiveCsv, text: str, line: int) -> None:
    with pytest.raises(CsvInvalid) as caught:
        take(tables, "entities", text)
    assert caught.value.line == line


def test_many_rows_are_taken_and_told_part_by_part(
    tables: ArchiveCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_csv, "PART_ROWS", 3)
    told: list[int] = []
    rows = "".join(f"line,L{number},name,n{number}\n" for number in range(7))
    report = tables.take("entities", io.StringIO(f"type,id,attribute,value\n{rows}"), told.append)
    assert (told, report.created) == ([3, 6, 7], 7)
    assert len(text_of(tables, "entities").splitlines()) == 15
