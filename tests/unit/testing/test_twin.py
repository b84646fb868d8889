"""The twin by hand: few samples, answers that anybody can check."""

import numpy as np

from historian.model.sample import Origin, make_batch
from historian.store import bucket_kernels
from historian.store.engine import Buckets
from historian.testing.rows import ORIGIN, batch, put
from historian.testing.twin import Twin


async def test_nothing_is_seen_before_its_commit() -> None:
    twin = Twin()
    ticket = twin.append(batch([1], [0], [1.0]), ORIGIN)
    assert twin.run(1).sample_count == 0
    await twin.commit(ticket)
    assert twin.run(1).value.tolist() == [1.0]


async def test_every_version_is_kept_in_the_order_of_precedence() -> None:
    twin = Twin()
    for value, version in ((1.0, 5), (2.0, 3), (3.0, 5), (1.0, 5)):
        await put(twin, [1], [0], [value], version=version)
    assert [version.value for _, version in twin.versions(1)] == [2.0, 1.0, 3.0]


async def test_a_version_knows_who_sent_it_and_why() -> None:
    twin = Twin()
    await twin.commit(twin.append(batch([1], [0], [1.0]), Origin("edit", "meter read by hand")))
    [(_, version)] = twin.versions(1)
    assert version.origin == Origin("edit", "meter read by hand")


async def test_the_same_value_from_another_sender_is_a_version_of_its_own() -> None:
    twin = Twin()
    await twin.commit(twin.append(batch([1], [0], [1.0]), Origin("a"), 1))
    await twin.commit(twin.append(batch([1], [0], [1.0]), Origin("b"), 1))
    assert len(twin.versions(1)) == 2


async def test_retention_takes_all_versions() -> None:
    twin = Twin()
    for value in (1.0, 2.0):
        await put(twin, [1, 1], [0, 1], [value, value])
    await twin.drop_before(int(batch([1], [1], [0.0]).time_us[0]))
    assert [version.value for _, version in twin.versions(1)] == [1.0, 2.0]


async def test_the_kernel_of_the_default_buckets_agrees_with_the_twin() -> None:
    twin, mixer = Twin(), np.random.default_rng(1)
    for point_id in (1, 2):
        values = mixer.choice([np.nan, np.inf, 1.0, -2.5, 3.25], 200)
        await twin.commit(twin.append(make_batch(point_id, mixer.permutation(300)[:200], values), ORIGIN))
    edges = np.array([0, 10, 11, 150, 299, 400])
    block = await twin.read_block([1, 2, 3], 0, 400)
    shape = (3, len(edges) - 1)
    made = Buckets(np.zeros(shape, np.int64), np.zeros(shape), np.empty(shape), np.empty(shape))
    bucket_kernels.fill(block.offset, block.time_us, block.value, edges, *made)
    for column, expected in zip(made, await twin.bucket([1, 2, 3], edges), strict=True):
        np.testing.assert_array_equal(column, expected)
