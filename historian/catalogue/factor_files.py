"""Reads files of conversion factors, such as ``config/standard/factors.toml``."""

from collections.abc import Sequence
from pathlib import Path

from historian.errors import SettingsError
from historian.model.factor import Factor, FactorFile, FactorTable
from historian.toml_file import load_typed
from historian.toml_location import line_of


def load_factors(paths: Sequence[Path]) -> list[Factor]:
    """Every factor of these files. Raises SettingsError with file and line, for one that stands there twice too."""
    return [factor for table in load_tables(paths) for factor in table.factors()]


def load_tables(paths: Sequence[Path]) -> list[FactorTable]:
    """Every table of these files. Raises SettingsError with file and line, for a factor that stands there twice too."""
    places: dict[tuple[str, int], Path] = {}
    tables: list[FactorTable] = []
    for path in paths:
        for number, table in enumerate(load_typed(path, FactorFile).tables):
            for factor in table.factors():
                if (factor.id, factor.version) in places:
                    line = line_of(path.read_text(encoding="utf-8-sig"), ("tables", number, "id"))
                    first = places[factor.id, factor.version]
                    raise SettingsError(str(path), line, f"{factor.label} is already in {first}")
                places[factor.id, factor.version] = path
            tables.append(table)
    return tables
