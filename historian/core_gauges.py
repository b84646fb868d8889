"""What the parts of the core tell of themselves, as metrics."""

from historian.catalogue.journal import Journal
from historian.catalogue.registry import Registry
from historian.metrics import Metrics
from historian.query.overdue import OverdueWatch
from historian.store.store import Store


def register(
    metrics: Metrics, registry: Registry, store: Store, journal: Journal, overdue: OverdueWatch
) -> None:
    """Gauges that are read when somebody asks for the metrics."""
    _of_store(metrics, store)
    metrics.gauge("historian_points", "Points in the catalogue", lambda: registry.count())
    metrics.gauge(
        "historian_points_overdue",
        "Points whose newest sample is older than they promise, at the last look",
        lambda: overdue.overdue_count,
    )
    metrics.gauge(
        "historian_journal_waiting", "Causes of gaps not written yet", lambda: journal.waiting_count
    )
    metrics.observed_counter(
        "historian_journal_lost_total",
        "Causes of gaps forgotten because the journal could not be written for too long",
        lambda: journal.lost_count,
    )


def _of_store(metrics: Metrics, store: Store) -> None:
    metrics.gauge(
        "historian_store_sequence", "Arrival number of the newest batch", lambda: store.applied_sequence
    )
    metrics.gauge(
        "historian_store_writable", "1 while durable writes are possible", lambda: store.status().is_writable
    )
    metrics.gauge("historian_store_segments", "Live segments", lambda: len(store.archive.live))
    metrics.gauge(
        "historian_store_segment_bytes", "Bytes of live segments", lambda: store.status().segment_bytes
    )
    metrics.gauge("historian_store_wal_bytes", "Bytes reserved by the log", lambda: store.wal.size_bytes)
    metrics.gauge(
        "historian_store_unsealed_samples", "Samples not in segments yet", lambda: store.unsealed_count
    )
    cache = store.archive.cache
    metrics.gauge(
        "historian_store_cache_bytes", "Memory of decoded segment columns", lambda: cache.size_bytes
    )
    metrics.gauge(
        "historian_store_cache_hits", "Decoded pieces that were there when asked for", lambda: cache.hit_count
    )
    metrics.gauge(
        "historian_store_cache_misses", "Pieces that had to be read and decoded", lambda: cache.miss_count
    )
    metrics.gauge("historian_store_open_files", "Segment files held open", lambda: cache.open_file_count)
    metrics.gauge("historian_store_ring_bytes", "Memory of the ring", lambda: store.ring.size_bytes)
    metrics.gauge("historian_store_damage", "Damaged places found", lambda: len(store.status().damage))
