"""The archive is kept in the registry's file, over restarts."""

from pathlib import Path

from historian.catalogue.archive import open_archive
from historian.catalogue.entity_book import Change
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.entity import EntityKey
from historian.resources import config_dir


def test_it_opens_beside_the_registry_and_keeps_what_it_was_told(tmp_path: Path) -> None:
    path, key = tmp_path / "c.sqlite", EntityKey("line", "L1")
    for expected in (0, 1):
        registry = Registry(path, ManualClock(), "UTC")
        archive = open_archive(path, ManualClock(), config_dir() / "standard")
        archive.entities.change(Change(key, {"name": f"n{expected}"}, expected=expected))
        archive.close()
        registry.close()
    archive = open_archive(path, ManualClock(), config_dir() / "standard")
    assert archive.entities.get(key).revision == 2
    assert archive.items.get("T1.01").entity_type == "enterprise"
    archive.close()
