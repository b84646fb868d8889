"""Rollup rows, one by one, between the rollup service and their JSON form: revisions."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import UNSET

from api.sample_form import SampleForm
from api.schemas import RollupReply
from historian.rollup.row import RollupRow

_TIMES_KEPT_MAX = 4096  # periods are the same for all points, so most times recur


def replies_of(rows: Sequence[RollupRow], names: Mapping[int, str], form: SampleForm) -> list[RollupReply]:
    """One reply a row; energies in the unit asked for. Raises Problem 422 where that is of another dimension."""
    time = lru_cache(_TIMES_KEPT_MAX)(form.times.time)
    local = lru_cache(_TIMES_KEPT_MAX)(form.times.local)
    units = {own: form.unit_of(own) for own in {row.unit for row in rows} if own is not None}
    return [
        RollupReply(
            point=names[row.point_id],
            period=row.period,
            period_start=time(row.period_start_us),
            period_end=time(row.period_end_us),
            energy=row.energy if row.unit is None else form.number(row.energy, row.unit),
            unit="" if row.unit is None else units[row.unit],
            max_demand=row.max_demand,
            max_demand_unit=row.max_demand_unit or "",
            max_time=time(row.max_start_us),
            max_end=time(row.max_end_us),
            min=row.min,
            min_time=time(row.min_start_us),
            min_end=time(row.min_end_us),
            mean=row.mean,
            load_factor=row.load_factor,
            utilisation_hours=UNSET if row.period == "day" else _utilisation_h(row),
            coverage=row.coverage,
            method=row.method,
            state=row.state,
            revision=row.revision,
            computed_at=time(row.computed_at_us),
            period_start_local=local(row.period_start_us),
            period_end_local=local(row.period_end_us),
            max_time_local=local(row.max_start_us),
            min_time_local=local(row.min_start_us),
        )
        for row in rows
    ]


def _utilisation_h(row: RollupRow) -> float | None:
    """As `rollup_table` tells it."""
    if row.energy is None or row.max_demand is None or row.max_demand <= 0:
        return None
    return row.energy / row.max_demand


def is_unchanged(if_none_match: str, etag: str) -> bool:
    """Whether the client holds this very answer (RFC 9110 §13.1.2, weak comparison)."""
    held = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in held or "*" in held
