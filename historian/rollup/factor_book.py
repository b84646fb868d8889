"""The book of conversion factors: every version of every table that was ever in force.

A table is never changed: somebody puts its next version, and results made as of an earlier moment use what was known then.
What is shipped is put once, the first time it is seen. `put` blocks until SQLite has synced.
"""

import threading
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from historian.catalogue.database import Database
from historian.clock import Clock
from historian.errors import CatalogueError, FactorError
from historian.model.factor import Factor, FactorTable

SHIPPED: Final = "shipped with the historian"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS factor_table (
  id TEXT NOT NULL, version INTEGER NOT NULL, recorded_us INTEGER NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID
"""

_Meaning = tuple[str, str, str, str, int | None]  # what a factor is for: one table alone may say it


class FactorVersion(NamedTuple):
    """A table as it was put."""

    table: FactorTable
    recorded_us: int
    author: str
    reason: str


class FactorBook:
    """Tables by id; the SQL table lies in the registry's file. Look-ups are pure memory."""

    def __init__(self, database: Database, clock: Clock, shipped: Sequence[FactorTable] = ()) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.RLock()
        with database.transaction() as connection:
            connection.execute(SCHEMA)
        self._versions = self._load()
        self._newest: list[Factor] | None = None
        known = set(self._versions)
        for table in sorted(shipped, key=lambda one: (one.id, one.version)):
            if table.id not in known:
                self.put(table, "", SHIPPED)

    def ids(self) -> list[str]:
        """Every table, sorted."""
        return sorted(self._versions)

    def versions(self, table_id: str, as_of_us: int | None = None) -> list[FactorVersion]:
        """All versions, the first one first; of what was known then, where a moment is given. Empty for an unknown id."""
        known = self._versions.get(table_id, [])
        if as_of_us is None:
            return list(known)
        return [one for one in known if one.recorded_us <= as_of_us] or known[:1]

    def factors(self, as_of_us: int | None = None) -> list[Factor]:
        """Every factor of the versions in force, now or as of a moment."""
        if as_of_us is not None:
            tables = [self.versions(one, as_of_us)[-1].table for one in self.ids()]
            return [factor for table in tables for factor in table.factors()]
        newest = self._newest
        if newest is None:
            newest = self._newest = [
                factor for one in self.ids() for factor in self._versions[one][-1].table.factors()
            ]
        return newest

    def put(self, table: FactorTable, author: str, reason: str) -> FactorVersion:
        """A new table, or the next version of a known one; the same again changes nothing.

        Raises FactorError where the version does not follow, or another table says the same already.
        """
        with self._lock:
            known = self._versions.get(table.id, [])
            if known and msgspec.structs.replace(table, version=known[-1].table.version) == known[-1].table:
                return known[-1]
            wanted = known[-1].table.version + 1 if known else 1
            if table.version != wanted:
                raise FactorError(
                    f"version {table.version} of {table.id} does not follow; allowed: {wanted}, and versions stay as they are"
                )
            self._check_alone(table)
            made = FactorVersion(table, self._clock.now_us(), author, reason)
            body = msgspec.json.encode(table).decode()
            with self._database.transaction() as connection:
                connection.execute(
                    "INSERT INTO factor_table VALUES (?, ?, ?, ?, ?, ?)",
                    (table.id, table.version, made.recorded_us, author, reason, body),
                )
            self._versions[table.id] = [*known, made]
            self._newest = None
        return made

    def _check_alone(self, table: FactorTable) -> None:
        """No factor has two values: whoever knows better puts the next version, or names a region of their own."""
        taken = {
            _meaning(factor): one
            for one in self.ids()
            if one != table.id
            for factor in self._versions[one][-1].table.factors()
        }
        for factor in table.factors():
            other = taken.get(_meaning(factor))
            if other is not None:
                raise FactorError(
                    f"{factor.region} has such a factor already, in {other}; put the next version of that, or name a "
                    "region of your own"
                )

    def _load(self) -> dict[str, list[FactorVersion]]:
        found: dict[str, list[FactorVersion]] = {}
        rows = self._database.rows(
            "SELECT id, version, recorded_us, author, reason, body FROM factor_table ORDER BY id, version"
        )
        for table_id, version, recorded_us, author, reason, body in rows:
            try:
                table = msgspec.json.decode(body, type=FactorTable)
            except msgspec.DecodeError as error:
                raise CatalogueError(
                    str(self._database.path), f"factors {table_id}@{version}: {error}"
                ) from error
            found.setdefault(table_id, []).append(FactorVersion(table, recorded_us, author, reason))
        return found


def _meaning(factor: Factor) -> _Meaning:
    return factor.carrier, factor.technology, factor.basis, factor.region, factor.year
