"""Reads files of the standard's items, such as ``config/standard/catalogue.toml``."""

from pathlib import Path

from historian.errors import SettingsError
from historian.model.item import ItemFile, Items
from historian.toml_file import load_typed
from historian.toml_location import TomlPath, line_of


def load_items(path: Path) -> Items:
    """All items of a file. Raises SettingsError with file and line, for what contradicts itself too."""
    file = load_typed(path, ItemFile)
    for place, problem in _contradictions(file):
        raise SettingsError(str(path), line_of(path.read_text(encoding="utf-8-sig"), place), problem)
    return Items(file)


def _contradictions(file: ItemFile) -> list[tuple[TomlPath, str]]:
    types = {each.id for each in file.entity_types}
    errata = {each.id for each in file.errata}
    found: list[tuple[TomlPath, str]] = []
    seen: set[str] = set()
    for number, item in enumerate(file.items):
        found += [
            (("items", number, field), f"{name} is there already")
            for field, name in (("id", item.id), ("slug", item.slug))
            if name in seen
        ]
        seen |= {item.id, item.slug}
        if item.entity_type not in types:
            found.append((("items", number, "entity_type"), f"{item.entity_type} is no entity type"))
        if item.refers_to and item.refers_to not in types:
            found.append((("items", number, "refers_to"), f"{item.refers_to} is no entity type"))
        found += [
            (("items", number, "errata"), f"erratum {name} is not described")
            for name in item.errata
            if name not in errata
        ]
    for number, unit in enumerate(file.units):
        found += [
            (("units", number, "errata"), f"erratum {name} is not described")
            for name in unit.errata
            if name not in errata
        ]
    return found
