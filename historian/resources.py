"""Finds what is shipped beside the code: ``config/`` and the page's files.

Two shapes exist. In a checkout, and in an editable install, which points at one, the siblings lie
next to the package; in a wheel they lie inside it::

    checkout                    wheel (site-packages)
    ├── historian/              └── historian/
    ├── drivers/                    └── _app/
    ├── api/web/                        ├── drivers/
    └── config/                         ├── api/web/
                                        └── config/
"""

import sys
from pathlib import Path


def application_dir(package_dir: Path | None = None) -> Path:
    """The directory that holds ``drivers``, ``api`` and ``config``.

    `package_dir` is where this package lies, given only by tests of the two shapes.
    """
    package = package_dir or Path(__file__).resolve().parent
    bundled = package / "_app"
    return bundled if bundled.is_dir() else package.parent


def config_dir() -> Path:
    """The shipped ``config/``: annotated settings, demo data, substations."""
    return application_dir() / "config"


def web_dir() -> Path:
    """The page's static files."""
    return application_dir() / "api" / "web"


def make_siblings_importable() -> None:
    """Let ``import drivers`` and ``import api`` find ours first; repeated calls change nothing."""
    place = str(application_dir())
    if place not in sys.path:
        sys.path.insert(0, place)
