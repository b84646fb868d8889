"""Who sent a request."""

from aiohttp.test_utils import make_mocked_request

from api.caller import IDENTITY, identity_of
from historian.model.access import ANYBODY, Identity, Right


def test_a_request_is_anybodys_until_somebody_is_known() -> None:
    request = make_mocked_request("GET", "/")
    assert identity_of(request) is ANYBODY
    known = Identity("li", "person", frozenset({Right.READ}))
    request[IDENTITY] = known
    assert identity_of(request) is known
