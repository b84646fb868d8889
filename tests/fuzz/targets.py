"""Every reader of what comes from outside, as one function of bytes: it returns, or raises what it documents.

`tests/fuzz/test_targets.py` runs them under Hypothesis in CI, ``make fuzz`` under Atheris, which is led by coverage.
"""

import asyncio
import gzip
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zstandard

from api import arrow_rows, body, csv_rows, cursor, ingest_series, json_body, json_series, params
from api.intake import Intake
from api.known_names import KnownNames
from api.line_intake import LinePoints
from api.operation import JSON
from api.routes import table
from api.schemas import IngestBody
from api.stored_offset import StoredOffsets
from drivers.codec.apci import control_function
from drivers.codec.asdu import decode_asdu
from drivers.substation import SubstationSettings
from historian import zstd_frame
from historian.catalogue.registry import Registry
from historian.catalogue.tariff_files import TariffFile
from historian.clock import ManualClock
from historian.errors import HistorianError, ProtocolError
from historian.model.point import PointDraft, PointKind
from historian.settings import IngestSettings, ServerSettings, Settings
from historian.store import wal_record
from historian.toml_file import parse_typed
from historian.tools import log_file
from tests.unit.api.test_arrow_rows import batch, stream

NOW_US = 1_700_000_000_000_000
BYTES_MAX = 1 << 20


class Target(NamedTuple):
    """One reader, and bodies that it takes, from which others are made."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


@contextmanager
def all_targets() -> Iterator[dict[str, Target]]:
    """By name; they share one folder and one registry."""
    with tempfile.TemporaryDirectory() as folder:
        registry = Registry(Path(folder) / "points.db", ManualClock(NOW_US), "UTC")
        registry.create(PointDraft(name="a", unit="kW", kind=PointKind.INSTANTANEOUS))
        try:
            yield {**_of_bodies(registry), **_of_files(), **_of_the_wire(), **_of_json()}
        finally:
            registry.close()


def _of_bodies(registry: Registry) -> dict[str, Target]:
    lines = LinePoints(registry, IngestSettings(auto_create=False))

    def read_json(text: bytes) -> None:
        columns = json_series.read_columns(text)
        if columns is not None:
            ingest_series.take_columns(Intake("index"), columns, registry, StoredOffsets(registry))
            return
        asked = json_body.decode(text, IngestBody)
        ingest_series.take_series(Intake("index"), asked.series, registry)

    def read_arrow(text: bytes) -> None:
        names = KnownNames(registry)
        arrow_rows.take_stream(Intake("index"), text, BYTES_MAX, names, StoredOffsets(registry))

    packed = {"gzip": gzip.compress(b"x"), "deflate": zlib.compress(b"x"), "zstd": zstandard.compress(b"x")}
    series = b'{"series":[{"point":"a","times":[1795190400000],"values":[1.5],"quality":["good"]}]}'
    return {
        "ingest_json": Target(
            read_json, (series, series.replace(b"1795190400000", b'"2026-11-21T00:00:00Z"'))
        ),
        "ingest_csv": Target(
            lambda text: csv_rows.take_rows(Intake("line"), text, registry),
            (b"point,time,value,quality\na,2026-11-21T00:00:00Z,1.5,good\n",),
        ),
        "line_protocol": Target(
            lambda text: asyncio.run(lines.take_lines(Intake("line"), text, "ns", NOW_US)),
            (b'm,host=a\\ b v=1.5,n=3i,t=true,s="x" 1795190400000000000\n# said\nm v=1e-5\n',),
        ),
        "ingest_arrow": Target(read_arrow, (stream(batch()),)),
        **{f"body_{encoding}": _packed(encoding, seed) for encoding, seed in packed.items()},
        "cursor": Target(
            lambda text: cursor.read(text.decode("latin-1"), "points"), (cursor.write(5, "points").encode(),)
        ),
        "time": Target(
            lambda text: params.parse_time("start", text.decode("utf-8", "replace")),
            (b"2026-11-21T00:00:00+08:00", b"1795190400000"),
        ),
    }


def _packed(encoding: str, seed: bytes) -> Target:
    limits = ServerSettings(body_bytes_max=BYTES_MAX)
    return Target(lambda text: body._unpack(text, encoding, limits), (seed,))


def _of_json() -> dict[str, Target]:
    """The JSON body of every operation, against the type it is read as."""
    types = {
        operation.name: type_
        for operation in table.all_operations()
        for media, type_ in operation.request_types
        if media == JSON and type_ is not None
    }
    return {f"json_{name}": Target(_reader_of(type_), (b"{}", b"[{}]")) for name, type_ in types.items()}


def _reader_of(type_: type[Any]) -> Callable[[bytes], object]:
    return lambda text: msgspec.json.encode(json_body.decode(text, type_))


def _of_files() -> dict[str, Target]:
    def toml(type_: type[Any]) -> Callable[[bytes], object]:
        return lambda text: parse_typed(text.decode("utf-8", "replace"), "file.toml", type_)

    def read_frame(text: bytes) -> None:
        with suppress(zstd_frame.FrameDamaged):
            zstd_frame.unpack(text, BYTES_MAX)

    header = wal_record.encode_file_header(1, NOW_US)
    return {
        "settings": Target(toml(Settings), (b'time_zone = "UTC"\n[server]\nlisten = "127.0.0.1:1"\n',)),
        "substation": Target(toml(SubstationSettings), (b'station = "S1"\n',)),
        "tariff": Target(toml(TariffFile), (b"",)),
        "log": Target(wal_record.scan, (header,)),
        "log_of_verify": Target(log_file.walk, (header,)),
        "zstd_frame": Target(read_frame, (zstandard.ZstdCompressor().compress(b"some text"),)),
    }


def _of_the_wire() -> dict[str, Target]:
    def read_asdu(text: bytes) -> None:
        with suppress(ProtocolError):
            decode_asdu(text)

    def read_frame(text: bytes) -> None:
        with suppress(ProtocolError):
            control_function(text)

    interrogation = bytes.fromhex("64010600010000000014")
    return {
        "asdu": Target(read_asdu, (interrogation,)),
        "apci": Target(read_frame, (bytes.fromhex("680407000000"),)),
    }


def run(target: Target, text: bytes) -> None:
    """Read the bytes; what the product documents as its errors is fine, anything else is a finding."""
    with suppress(HistorianError):
        target.read(text)
