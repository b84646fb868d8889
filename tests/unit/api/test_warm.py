"""After warming no request waits for a compiler."""

import numpy as np
from numba.core.dispatcher import Dispatcher

from api import (
    json_columns,
    json_columns_kernels,
    json_series_kernels,
    line_protocol_kernels,
    row_kernels,
    stored_offset_kernels,
    text_kernels,
    time_text,
    time_text_kernels,
)
from api.warm import warm_kernels
from tests.unit.api.conftest import Api


def compiled() -> dict[str, int]:
    """How many versions of each kernel there are."""
    modules = (
        json_columns_kernels,
        json_series_kernels,
        line_protocol_kernels,
        row_kernels,
        stored_offset_kernels,
        text_kernels,
        time_text_kernels,
    )
    return {
        name: len(kernel.signatures)
        for module in modules
        for name, kernel in vars(module).items()
        if isinstance(kernel, Dispatcher)
    }


async def test_nothing_is_compiled_once_it_is_warm(api: Api) -> None:
    warm_kernels()
    before = compiled()
    called = (
        "write_times",
        "write_decimals",
        "write_samples",
        "split",
        "weave",
        "digest",
        "look",
        "read_times",
        "read_lines",
        "place_keys",
        "hash_key",
        "stamp_rows",
        "count_byte",
        "read_series",
        "find_key",
    )
    # A kernel that another one calls has a version more where that one was compiled and not loaded.
    assert [name for name in called if before[name] == 0] == []
    await api.client.post(
        "/api/v2/write", data=b"m,t=a x=1.5 1\nm y=t\n" + b"".join(b"k n%d=1\n" % i for i in range(600))
    )
    await api.ingest({"point": "m.a.x", "times": ["2026-11-21T00:00:00Z"], "values": [1]})
    await api.get_json(
        "/api/v1/points/m.a.x/recorded?start=2026-11-21T00:00:00Z&end=2026-11-22T00:00:00Z&tz=Asia/Shanghai"
    )
    await api.get_json("/api/v1/rollups?points=m.a.x&period=day&from=2026-11-21&to=2026-11-22")
    frozen = np.arange(4, dtype=np.int64)
    frozen.flags.writeable = False
    json_columns.encode_times(frozen[::2])
    json_columns.encode_values(frozen[::-1].astype(np.float64)[::2])
    time_text.read_times(["x"])
    assert compiled() == before
