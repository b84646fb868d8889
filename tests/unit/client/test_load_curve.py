import datetime

import msgspec

from historian.client.figure_replies import CurveOverlay, CurveSummary
from historian.client.load_curve import LoadCurve

SUMMARY = msgspec.convert(
    {name: None for name in CurveSummary.__struct_fields__}
    | {"energy_unit": "kWh", "expected": 2, "received": 1, "estimated": 0, "events": []},
    CurveSummary,
)
START = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
CURVE = LoadCurve(
    unit="kW", date="2026-01-05", time_zone="UTC", interval="12h", label="end", labels=["12:00", "24:00"],
    starts=[START, START], ends=[START, START], values=[1.0, None], states=["complete", "missing"], counts=[1, 0],
    quality=["good", "missing"], summary=SUMMARY,
    compare=[CurveOverlay(offset="-1d", date="2026-01-04", values=[None, 2.0], states=[], summary=SUMMARY)],
)  # fmt: skip


def test_a_row_a_slot_and_a_column_for_each_other_day() -> None:
    assert [(slot.label, slot.value) for slot in CURVE.table()] == [("12:00", 1.0), ("24:00", None)]
    assert CURVE.to_arrow().column("value -1d").to_pylist() == [None, 2.0]
    assert CURVE.to_pandas()["value -1d"].tolist()[1] == 2.0
    assert CURVE.to_polars()["value -1d"].to_list() == [None, 2.0]
