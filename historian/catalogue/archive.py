"""What is known of the things behind the points: the standard's items, entities, their relations and charges."""

from pathlib import Path
from typing import NamedTuple

from historian.catalogue.item_files import load_items
from historian.model.item import Items


class Archive(NamedTuple):
    """The parts, all open."""

    items: Items


def open_archive(standard: Path) -> Archive:
    """`standard` is the folder with ``catalogue.toml``. Raises SettingsError."""
    return Archive(load_items(standard / "catalogue.toml"))
