"""What is known of the things behind the points: the standard's items, entities, their relations and charges."""

from pathlib import Path
from typing import NamedTuple

from historian.catalogue import charge_book, entity_table, relation_book
from historian.catalogue.charge_book import ChargeBook
from historian.catalogue.database import Database
from historian.catalogue.entity_book import EntityBook
from historian.catalogue.item_files import load_items
from historian.catalogue.relation_book import RelationBook
from historian.clock import Clock
from historian.model.item import Items


class Archive(NamedTuple):
    """The parts, all open."""

    items: Items
    entities: EntityBook
    relations: RelationBook
    charges: ChargeBook
    database: Database

    def close(self) -> None:
        """Release the file."""
        self.database.close()


def open_archive(path: Path, clock: Clock, standard: Path) -> Archive:
    """`path` is the file of the registry, `standard` the folder with ``catalogue.toml``. Raises CatalogueError, SettingsError."""
    items = load_items(standard / "catalogue.toml")
    schema = ";".join((entity_table.SCHEMA, relation_book.SCHEMA, charge_book.SCHEMA))
    database = Database(path, schema, is_synced=True)
    entities = EntityBook(database, items, clock)
    relations = RelationBook(database, entities, clock)
    return Archive(items, entities, relations, ChargeBook(database, entities, items, clock), database)
