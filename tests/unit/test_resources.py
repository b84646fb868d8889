import sys
from pathlib import Path

from historian import resources


def test_checkout_has_its_siblings_beside_the_package(root: Path) -> None:
    assert resources.application_dir() == root
    assert (resources.config_dir() / "historian.toml").is_file()
    assert resources.web_dir() == root / "api" / "web"


def test_wheel_has_its_siblings_inside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "historian"
    (package / "_app" / "config").mkdir(parents=True)
    assert resources.application_dir(package) == package / "_app"


def test_siblings_become_importable_once(root: Path) -> None:
    before = list(sys.path)
    try:
        sys.path[:] = [place for place in before if Path(place) != root]
        resources.make_siblings_importable()
        resources.make_siblings_importable()
        assert sys.path[0] == str(root)
        assert sys.path.count(str(root)) == 1
    finally:
        sys.path[:] = before
