import msgspec
import pytest

from api.schemas_access import LoginBody


def test_a_login_says_no_more_than_it_should() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"name":"a","password":"b","admin":true}', type=LoginBody)
