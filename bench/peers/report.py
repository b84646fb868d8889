"""What every peer answers: whether it is there, and its figures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.peers import clickhouse, duck, victoria


class Work(NamedTuple):
    """What a peer shall do: take the fleet, and answer Q1 to Q6 so many times (0: not at all)."""

    meters: int
    days: int
    repeats: int


class Peer(NamedTuple):
    """`why_missing` gives None where it can run; `run` works in an empty folder."""

    why_missing: Callable[[], str | None]
    run: Callable[[Path, int, int, int], dict[str, Any]]


PEERS: Final = {
    "victoriametrics": Peer(victoria.why_missing, victoria.run),
    "clickhouse": Peer(clickhouse.why_missing, clickhouse.run),
    "duckdb": Peer(duck.why_missing, duck.run),
}


def figures_of_all(folder: Path, work: Work) -> dict[str, Any]:
    """Each peer's figures, or why there are none."""
    found: dict[str, Any] = {}
    for name, peer in PEERS.items():
        reason = peer.why_missing()
        if reason is not None:
            found[name] = {"missing": reason}
            print(f"{name}: left out, {reason}")
            continue
        place = folder / name
        place.mkdir()
        found[name] = peer.run(place, *work)
    return found
