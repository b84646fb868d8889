"""Bodies of questions: what is unknown is refused, names are those of the address."""

import msgspec
import pytest

from api.schemas_query import QueryBody, RollupsBody


def test_the_names_of_a_period_are_those_of_the_address() -> None:
    body = msgspec.json.decode(b'{"from":"2026-01","to":1795190400000}', type=RollupsBody)
    assert (body.from_, body.to) == ("2026-01", 1_795_190_400_000)


@pytest.mark.parametrize("text", [b'{"kind":"x"}', b'{"kind":"at","points":[]}', b'{"kind":"at","limit":0}'])
def test_what_no_question_can_hold_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=QueryBody)
