"""What a handler says of its change."""

from aiohttp.test_utils import make_mocked_request

from api.audit_note import note_of
from historian.model.audit import Change


def test_a_request_has_one_note_and_changes_gather_in_it() -> None:
    request = make_mocked_request("PUT", "/x")
    note_of(request).change({"unit": "kW"}, {"unit": "MW"})
    note_of(request).change(None, "hot", "2026-07-01")
    assert note_of(request).changes == [Change("unit", "kW", "MW"), Change("2026-07-01", None, "hot")]
