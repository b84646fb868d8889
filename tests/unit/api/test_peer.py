import pytest
from aiohttp.test_utils import make_mocked_request

from api import peer


class Transport:
    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self._address, 1) if name == "peername" else default

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.0.0.9", "1.2.3.4"),
        ("", "10.0.0.1"),
        ("10.0.0.2", "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_is_believed_and_who_is_before_it_is_not(forwarded: str, expected: str) -> None:
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
    request = make_mocked_request("GET", "/", headers, transport=Transport("10.0.0.1"))  # type: ignore[arg-type]
    assert peer.address_of(request, ("10.0.0.0/8",)) == expected
    assert peer.address_of(request) == "10.0.0.1"
    assert peer.is_secure(request, ("10.0.0.0/8",))
    assert not peer.is_secure(request)
