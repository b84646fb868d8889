"""Answers as tables: typed rows, plain columns, and pyarrow, pandas or polars where they are installed."""

import datetime
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from historian.client.errors import NotInstalled, ReplyUnreadable

Row = TypeVar("Row")

_KEPT: Final = (datetime.datetime, datetime.date)


class Table(ABC, Generic[Row]):
    """Rows of one type. Nothing is converted before it is asked for; iterating gives the rows.

    `about` is what holds for all rows: `unit`, `label` … as the answer told. `next` is the cursor of what follows, empty
    where the answer is whole.
    """

    about: Mapping[str, str]
    next: str

    @property
    @abstractmethod
    def rows(self) -> Sequence[Row]:
        """Every row as a struct."""

    @abstractmethod
    def to_arrow(self) -> Any:
        """A pyarrow.Table. Raises NotInstalled."""

    @abstractmethod
    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def column(self, name: str) -> list[Any]:
        """One column as plain values: numbers, texts, datetimes in UTC; None where there is no value."""
        values: list[Any] = self.to_arrow().column(name).to_pylist()
        return values

    def to_pandas(self) -> Any:
        """A pandas.DataFrame; times are zone-aware, a missing number is NaN. Raises NotInstalled."""
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            raise _not_installed("pandas") from error
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """A polars.DataFrame; a missing number is null. Raises NotInstalled."""
        try:
            import polars
        except ImportError as error:
            raise _not_installed("polars") from error
        return polars.from_arrow(self.to_arrow())


class ArrowTable(Table[Row]):
    """A table that came as an Arrow stream, and is kept as it came."""

    def __init__(self, stream: bytes, row_type: type[Row], cursor: str = "") -> None:
        self._stream = stream
        self._row_type = row_type
        self._table: Any = None
        self.next = cursor

    @property
    def about(self) -> Mapping[str, str]:  # type: ignore[override]
        metadata = self.to_arrow().schema.metadata or {}
        return {name.decode(): text.decode() for name, text in metadata.items()}

    @property
    def rows(self) -> Sequence[Row]:
        return msgspec.convert(self.to_arrow().to_pylist(), list[self._row_type])  # type: ignore[name-defined]

    def to_arrow(self) -> Any:
        if self._table is None:
            pyarrow = load_pyarrow()
            try:
                self._table = pyarrow.ipc.open_stream(pyarrow.py_buffer(self._stream)).read_all()
            except (pyarrow.ArrowException, OSError) as error:
                raise ReplyUnreadable(f"the answer is no Arrow stream: {error}") from error
        return self._table

    def __len__(self) -> int:
        return int(self.to_arrow().num_rows)


class StructTable(Table[Row]):
    """A table that came as JSON."""

    def __init__(self, rows: Sequence[Row], about: Mapping[str, str], cursor: str = "") -> None:
        self._rows = rows
        self.about = about
        self.next = cursor

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    def to_arrow(self) -> Any:
        pyarrow = load_pyarrow()
        plain = [msgspec.to_builtins(row, builtin_types=_KEPT) for row in self._rows]
        table = pyarrow.Table.from_pylist(plain)
        return table.replace_schema_metadata(dict(self.about) or None)

    def __len__(self) -> int:
        return len(self._rows)


def load_pyarrow() -> Any:
    """The library. Raises NotInstalled."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise _not_installed("pyarrow") from error
    return pyarrow


def _not_installed(name: str) -> NotInstalled:
    asked = "pip install pyarrow" if name == "pyarrow" else f"pip install 'historian[{name}]'"
    return NotInstalled(f"{name} is not installed; {asked}")
