"""Local times in Arrow carry their zone."""

import pyarrow as pa

from api import rollup_arrow
from tests.unit.api.test_rollup_table import rollups


def test_local_times_carry_their_zone() -> None:
    table = pa.ipc.open_stream(rollup_arrow.encode(rollups(tz="Asia/Shanghai", fields="max_time"))).read_all()
    assert table.schema.names == ["point", "period_start", "max_time", "period_start_local", "max_time_local"]
    assert table.schema.field("max_time_local").type == pa.timestamp("us", tz="Asia/Shanghai")
    assert table.column("max_time_local").null_count == 1
