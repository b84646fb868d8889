"""Files of samples that another historian can import bit for bit: CSV, Arrow or HDF5, points included.

`export` writes through a `ExportWriter`, `import samples` reads through `opened`. Which form a file has is told
by its first bytes, never by its name.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from historian.errors import HistorianError
from historian.model.point import Point, PointDraft

FORMAT_VERSION: Final = 1
Form = Literal["csv", "arrow", "h5"]
FORMS: Final = ("csv", "arrow", "h5")

_ARROW_MAGIC: Final = b"ARROW1"
_H5_MAGIC: Final = b"\x89HDF"


class SampleRows(NamedTuple):
    """Samples of many points; `point` is the place in the file's list of points.

    With versions, every one of a (point, time) is a row, older first: `version`, when it arrived, and its origin,
    the place in `origins`. Without, these are None.
    """

    point: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]
    version: npt.NDArray[np.int64] | None = None
    arrival_time_us: npt.NDArray[np.int64] | None = None
    origin: npt.NDArray[np.int64] | None = None
    origins: Sequence[str] = ()

    @property
    def row_count(self) -> int:
        return len(self.time_us)


class ExportWriter(Protocol):
    """Takes rows; the file is whole after `close`."""

    def write(self, rows: SampleRows) -> None: ...

    def close(self) -> None: ...


class ExportReader(Protocol):
    """An open file."""

    points: list[PointDraft]
    has_versions: bool

    def rows(self) -> Iterator[SampleRows]: ...

    def close(self) -> None: ...


def draft_of(point: Point) -> PointDraft:
    """What another historian needs to make the same point."""
    fields = msgspec.to_builtins(point)
    del fields["id"]
    return msgspec.convert(fields, PointDraft)


def create(path: Path, form: Form, points: Sequence[PointDraft], has_versions: bool) -> ExportWriter:
    """A new file of that form."""
    # Each form has libraries of its own; only those asked for are loaded.
    if form == "csv":
        from historian.tools import sample_csv

        return sample_csv.CsvWriter(path, points, has_versions)
    if form == "arrow":
        from historian.tools import sample_arrow

        return sample_arrow.ArrowWriter(path, points, has_versions)
    from historian.tools import sample_h5

    return sample_h5.H5Writer(path, points, has_versions)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[ExportReader]:
    """The file for reading, whatever its form. Raises HistorianError where it is none of ours."""
    reader = _open(path)
    try:
        yield reader
    finally:
        reader.close()


def _open(path: Path) -> ExportReader:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise HistorianError(f"{path} cannot be read: {error.strerror or error}") from error
    if head.startswith(_ARROW_MAGIC):
        from historian.tools import sample_arrow

        return sample_arrow.ArrowReader(path)
    if head.startswith(_H5_MAGIC):
        from historian.tools import sample_h5

        return sample_h5.H5Reader(path)
    from historian.tools import sample_csv

    return sample_csv.CsvReader(path)


def encode_points(points: Sequence[PointDraft]) -> bytes:
    """The points and the format's version as JSON."""
    return msgspec.json.encode({"version": FORMAT_VERSION, "points": list(points)})


def decode_points(data: bytes, path: Path) -> list[PointDraft]:
    """The inverse of `encode_points`. Raises HistorianError."""
    try:
        head = msgspec.json.decode(data, type=_Head)
    except msgspec.MsgspecError as error:
        raise HistorianError(f"{path}: its list of points cannot be read: {error}") from error
    if head.version > FORMAT_VERSION:
        raise HistorianError(
            f"{path}: an export of format {head.version}; this version reads up to {FORMAT_VERSION}"
        )
    return head.points


class _Head(msgspec.Struct):
    version: int
    points: list[PointDraft]
