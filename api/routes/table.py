"""The route table: every operation of the HTTP contract that this version has."""

from api.operation import Operation
from api.routes import (
    changes,
    drivers,
    edits,
    ingest,
    latest,
    load_curve,
    locks,
    operations,
    page,
    points,
    quarantine,
    revisions,
    rollups,
    samples,
    tariffs,
    terms,
)


def all_operations() -> tuple[Operation, ...]:
    """Each once, in the order of the contract."""
    return (
        *ingest.OPERATIONS,
        *points.OPERATIONS,
        *samples.OPERATIONS,
        *revisions.OPERATIONS,
        *edits.OPERATIONS,
        *latest.OPERATIONS,
        *load_curve.OPERATIONS,
        *locks.OPERATIONS,
        *changes.OPERATIONS,
        *rollups.OPERATIONS,
        *terms.OPERATIONS,
        *tariffs.OPERATIONS,
        *quarantine.OPERATIONS,
        *drivers.OPERATIONS,
        *operations.OPERATIONS,
        *page.OPERATIONS,
    )
