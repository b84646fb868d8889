"""`historian check`: reads every configuration file and says OK, or what is wrong and where."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from drivers import substation
from drivers.gateway import mapping
from historian import resources, settings
from historian.errors import HistorianError


def run(config: Path | None, mappings: list[Path]) -> int:
    """0 where everything is right, 1 otherwise; every file is read, whatever is wrong with the others."""
    path = config or resources.config_dir() / "historian.toml"
    chosen = _checked(path, settings.load, lambda _: "settings")
    is_right = chosen is not None
    if chosen is not None:
        for each in settings.substation_paths(chosen):
            is_right &= _checked(each, substation.load, _substation_text) is not None
    for each in mappings:
        is_right &= _checked(each, mapping.load, _mapping_text) is not None
    return 0 if is_right else 1


T = TypeVar("T")


def _checked(path: Path, load: Callable[[Path], T], tell: Callable[[T], str]) -> T | None:
    try:
        loaded = load(path)
    except HistorianError as error:
        print(error, file=sys.stderr)
        return None
    print(f"OK  {path}: {tell(loaded)}")
    return loaded


def _substation_text(loaded: substation.Substation) -> str:
    drivers = loaded.settings.drivers
    point_count = sum(len(driver.points) for driver in drivers)
    return f"substation {loaded.settings.station}, {len(drivers)} drivers, {point_count} points"


def _mapping_text(loaded: mapping.CsvMapping) -> str:
    return f"mapping of {len(loaded.layout.points)} points"
