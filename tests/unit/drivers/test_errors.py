from drivers.errors import AnswerMalformed, DeviceException, LinkLost
from historian.errors import HistorianError, ProtocolError


def test_a_lost_link_carries_the_cause_for_the_journal() -> None:
    error = LinkLost("timeout", "3 requests in a row without an answer")
    assert (error.cause, str(error)) == ("timeout", "3 requests in a row without an answer")


def test_a_device_exception_carries_the_protocols_number() -> None:
    assert DeviceException(2, "illegal data address").code == 2


def test_a_malformed_answer_is_the_peers_mistake() -> None:
    assert issubclass(AnswerMalformed, ProtocolError)
    assert issubclass(ProtocolError, HistorianError)
