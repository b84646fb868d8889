"""Points out of reach are as if there were none, whichever way one asks; and no handler goes round it."""

import ast
from pathlib import Path

import numpy as np
import pytest

from api.context import ApiContext
from api.reach import Reaches
from historian.errors import PointConflict, PointInvalid, PointNotFound
from historian.model.access import Identity, Right
from historian.model.point import PointDraft, PointKind

OURS = Identity("s", "token", frozenset({Right.READ}), frozenset({"south"}))
LOOKING_UP = {
    "get",
    "list",
    "select_ids",
    "find_ids",
    "stations",
    "station_counts",
    "create",
    "create_many",
    "update",
    "rename",
}


def draft(name: str, station: str) -> PointDraft:
    return PointDraft(name=name, unit="kW", kind=PointKind.INSTANTANEOUS, station=station)


def test_only_ones_own_are_found(context: ApiContext) -> None:
    theirs = context.registry.create(draft("n", "north"))
    ours = context.registry.create(draft("s", "south"))
    points = Reaches(context.registry).of(OURS)
    assert points.list() == [ours]
    assert points.list(station="north") == []
    assert points.find_ids(["n", "s", "x"]).tolist() == [0, ours.id, 0]
    assert points.names(np.array([theirs.id, ours.id], np.uint32)) == ["", "s"]
    assert (points.count(), points.stations(), points.station_counts()) == (1, ["south"], {"south": 1})
    for ask in (lambda: points.get("n"), lambda: points.get(str(theirs.id)), lambda: points.by_id(theirs.id)):
        with pytest.raises(PointNotFound):
            ask()


def test_what_is_made_or_changed_stays_ones_own(context: ApiContext) -> None:
    context.registry.create(draft("n", "north"))
    points = Reaches(context.registry).of(OURS)
    made = points.create(draft("s", "south"))
    with pytest.raises(PointInvalid):
        points.create(draft("x", "north"))
    with pytest.raises(PointInvalid):
        points.update(made.id, {"station": "north"})
    with pytest.raises(PointConflict, match="is taken"):
        points.rename(made.id, "n")
    assert points.get("s") == made


def test_handlers_look_points_up_within_reach(root: Path) -> None:
    for path in sorted((root / "api" / "routes").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                is_exempt = path.name == "relations.py"  # refused to who has rights for some stations
                is_round = not is_exempt and node.value.attr == "registry" and node.attr in LOOKING_UP
                assert not is_round, f"{path.name}:{node.lineno}: use api.reach.points_of"
