"""The answers worked out beside the shared real data."""

import json
from pathlib import Path
from typing import Any

Truth = dict[str, Any]

CLOSE = 1e-9  # as the data sets ask for


def truth_of(shared: Path, folder: str) -> Truth:
    """The answers of one data set."""
    truth: Truth = json.loads((shared / "data" / folder / "truth.json").read_text())
    return truth
