"""The archive opens with the shipped items."""

from historian.catalogue.archive import open_archive
from historian.resources import config_dir


def test_it_opens_with_the_shipped_items() -> None:
    assert open_archive(config_dir() / "standard").items.get("T1.01").entity_type == "enterprise"
