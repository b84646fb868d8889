import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.client import event_stream
from historian.client.errors import ConnectionFailed, Problem, ReplyUnreadable
from historian.client.event_stream import EventParser, ServerEvent
from historian.client.exchange import Lost, Patience, Reply, Target

TARGET = Target("http://h", "")
# The examples of the HTML standard (9.2.6), and what it says of line ends, comments and ids.
EXAMPLES = [
    (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
    (b": test\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
     [("message", "first event", "1"), ("message", "second event", ""), ("message", " third event", "")]),
    (b"data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
    (b"data:test\n\ndata: test\n\n", [("message", "test", ""), ("message", "test", "")]),
    (b"\xef\xbb\xbfid: 7\r\nevent: change\r\ndata: {}\r\n\r\ndata: b\r\r", [("change", "{}", "7"), ("message", "b", "7")]),
    (b"event: reset\ndata: {}\n\n: heartbeat\n\nid: a\0b\ndata: x\n\n", [("reset", "{}", ""), ("message", "x", "")]),
    (b"id: 9\n\ndata: x\nunknown: y\n\n", [("message", "x", "9")]),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "events"), EXAMPLES)
def test_a_stream_is_cut_into_events(stream: bytes, events: list[tuple[str, str, str]]) -> None:
    assert EventParser().feed(stream) == [ServerEvent(*event) for event in events]


@given(example=st.sampled_from(EXAMPLES), cuts=st.lists(st.integers(0, 90), max_size=8))
def test_where_the_network_cuts_does_not_matter(
    example: tuple[bytes, list[tuple[str, str, str]]], cuts: list[int]
) -> None:
    stream, events = example
    parser, found, last = EventParser(), [], 0
    for cut in sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)}):
        found += parser.feed(stream[last:cut])
        last = cut
    assert found == [ServerEvent(*event) for event in events]


def test_a_line_end_may_be_cut_in_two() -> None:
    stream = b"id: 7\r\nevent: change\r\ndata: {}\r\n\r\n"
    for cut in range(len(stream)):
        parser = EventParser()
        found = parser.feed(stream[:cut]) + parser.feed(b"") + parser.feed(stream[cut:])
        assert found == [ServerEvent("change", "{}", "7")]


def test_after_a_cut_it_goes_on_behind_the_last_whole_event() -> None:
    parser = EventParser()
    parser.feed(b"id: 1\ndata: a\n\nid: 2\ndata: half")
    parser.reconnected()
    assert parser.last_id == "1"
    assert dict(event_stream.events_request(parser.last_id).headers)["Last-Event-ID"] == "1"
    assert "Last-Event-ID" not in dict(event_stream.events_request("").headers)
    assert parser.feed(b"id: 2\ndata: b\n\n") == [ServerEvent("message", "b", "2")]


def test_the_historian_sets_the_pause() -> None:
    parser = EventParser()
    parser.feed(b"retry: 1500\nretry: soon\n\n")
    ended = Reply(200, {}, b"")
    assert event_stream.pause_or_raise(ended, parser, 1, Patience(), TARGET) == 1.5
    assert (
        event_stream.pause_or_raise(Reply(503, {"retry-after": "9"}, b""), parser, 1, Patience(), TARGET)
        == 9.0
    )
    parser.feed(b"retry: 99999999999\n\n")
    assert parser.retry_s == event_stream.RETRY_S_MAX


def test_a_refusal_and_the_end_of_patience_are_raised() -> None:
    with pytest.raises(Problem):
        event_stream.pause_or_raise(Reply(401, {}, b"{}"), EventParser(), 1, Patience(), TARGET)
    with pytest.raises(ConnectionFailed, match="gone"):
        event_stream.pause_or_raise(Lost("gone"), EventParser(), 5, Patience(), TARGET)
    with pytest.raises(ConnectionFailed, match="again and again"):
        event_stream.pause_or_raise(Reply(200, {}, b""), EventParser(), 5, Patience(), TARGET)


def test_what_is_no_stream_of_events_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReplyUnreadable, match="text/html"):
        event_stream.check_stream(Reply(200, {"content-type": "text/html"}, b""))
    event_stream.check_stream(Reply(200, {"content-type": "Text/Event-Stream; charset=utf-8"}, b""))
    monkeypatch.setattr(event_stream, "EVENT_BYTES_MAX", 100)
    with pytest.raises(ReplyUnreadable, match="more than 100 bytes"):
        EventParser().feed(b"x" * 101)
    with pytest.raises(ReplyUnreadable, match="more than 100 bytes"):
        EventParser().feed(b"data: 0123456789\n" * 11)


def test_data_as_plain_values() -> None:
    assert ServerEvent("change", '{"a": 1}', "1").json() == {"a": 1}
    assert ServerEvent("reset", "{}", "").is_reset
    with pytest.raises(ReplyUnreadable, match="event 7 has no JSON"):
        ServerEvent("change", "x", "7").json()
