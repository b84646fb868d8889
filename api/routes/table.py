"""The route table: every operation of the HTTP contract that this version has."""

from api.operation import Operation
from api.routes import (
    carbon,
    changes,
    checks,
    drivers,
    dry_run,
    edits,
    estimates,
    factors,
    ingest,
    items,
    latest,
    load_curve,
    locks,
    operations,
    page,
    points,
    quarantine,
    ratios,
    revisions,
    rollups,
    samples,
    tariffs,
    terms,
    validation,
)


def all_operations() -> tuple[Operation, ...]:
    """Each once, in the order of the contract."""
    return (
        *ingest.OPERATIONS,
        *points.OPERATIONS,
        *items.OPERATIONS,
        *samples.OPERATIONS,
        *revisions.OPERATIONS,
        *edits.OPERATIONS,
        *validation.OPERATIONS,
        *estimates.OPERATIONS,
        *latest.OPERATIONS,
        *load_curve.OPERATIONS,
        *locks.OPERATIONS,
        *changes.OPERATIONS,
        *rollups.OPERATIONS,
        *carbon.OPERATIONS,
        *ratios.OPERATIONS,
        *checks.OPERATIONS,
        *terms.OPERATIONS,
        *tariffs.OPERATIONS,
        *dry_run.OPERATIONS,
        *factors.OPERATIONS,
        *quarantine.OPERATIONS,
        *drivers.OPERATIONS,
        *operations.OPERATIONS,
        *page.OPERATIONS,
    )
