import gzip
from typing import Any

import pytest
import zstandard

from historian.client import exchange
from historian.client.errors import ConnectionFailed, InvalidArgument, Problem, ReplyUnreadable, Timeout
from historian.client.exchange import (
    Call,
    Lost,
    Outcome,
    Overdue,
    Page,
    Pages,
    Patience,
    Pause,
    Reply,
    Request,
    Send,
    Target,
)

ASKING = Call(Request("GET", "/api/v1/x"), exchange.decode_anything)
TARGET = Target("http://h:1/", "secret")
BUSY = Reply(503, {"retry-after": "7"}, b"{}")
FINE = Reply(200, {}, b"1")


class Run:
    """Does what `attempts` asks for; `outcomes` come one after another, a second each."""

    def __init__(
        self, call: Call[Any] = ASKING, patience: Patience | None = None, chance: float = 0.0
    ) -> None:
        self.now_s = 0.0
        self.pauses_s: list[float] = []
        self.timeouts_s: list[float] = []
        self._steps = exchange.attempts(
            call, TARGET, patience or Patience(), lambda: self.now_s, lambda: chance
        )

    def until_done(self, *outcomes: Outcome) -> Any:
        waiting, outcome = list(outcomes), None
        while True:
            try:
                step = self._steps.send(outcome)
            except StopIteration as done:
                assert not waiting
                return done.value
            outcome = None
            if isinstance(step, Pause):
                self.pauses_s.append(step.pause_s)
                self.now_s += step.pause_s
            else:
                assert isinstance(step, Send)
                self.timeouts_s.append(step.timeout_s)
                self.now_s += 1.0
                outcome = waiting.pop(0)


def test_a_lost_connection_is_tried_again_with_growing_pauses() -> None:
    run = Run()
    assert run.until_done(Lost("reset"), Overdue(), Lost("reset"), FINE) == 1
    assert run.pauses_s == [0.2, 0.4, 0.8]


def test_chance_shortens_pauses_by_up_to_half() -> None:
    run = Run(chance=0.5)
    assert run.until_done(Lost("reset"), FINE) == 1
    assert run.pauses_s == [pytest.approx(0.15)]


def test_a_busy_historian_says_when_to_come_back() -> None:
    run = Run()
    assert run.until_done(BUSY, Reply(429, {"retry-after": "soon"}, b""), FINE) == 1
    assert run.pauses_s == [7.0, 0.4]


def test_patience_ends() -> None:
    run = Run(patience=Patience(tries_max=2))
    with pytest.raises(Problem) as caught:
        run.until_done(BUSY, BUSY)
    assert (caught.value.status, caught.value.retry_after_s) == (503, 7.0)
    with pytest.raises(Problem):
        Run(patience=Patience(total_s=7.5)).until_done(BUSY)


def test_a_try_never_lasts_beyond_the_whole() -> None:
    run = Run(patience=Patience(try_s=5.0, total_s=6.0))
    with pytest.raises(Timeout):
        run.until_done(Overdue(), Overdue(), Overdue(), Overdue())
    assert run.timeouts_s[0] == 5.0
    assert run.timeouts_s[1] == pytest.approx(4.8)
    assert run.timeouts_s[-1] < 3.0


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500, 507])
def test_a_refusal_is_final(status: int) -> None:
    with pytest.raises(Problem):
        Run().until_done(Reply(status, {}, b"{}"))


def test_what_may_not_be_repeated_is_sent_once() -> None:
    once = Call(Request("POST", "/api/v1/x", is_repeatable=False), exchange.decode_anything)
    with pytest.raises(
        ConnectionFailed, match="http://h:1/ does not answer: reset; is the historian running"
    ):
        Run(once).until_done(Lost("reset"))


def test_an_answer_that_is_not_as_documented_is_told() -> None:
    with pytest.raises(ReplyUnreadable, match="GET /api/v1/x cannot be read"):
        Run().until_done(Reply(200, {}, b"<html>"))


def test_the_token_goes_out_and_shows_nowhere() -> None:
    wire = TARGET.wire(
        Request("GET", "/api/v1/x", (("a", "b c"), ("d", "+")), headers=(("Idempotency-Key", "k"),))
    )
    assert wire.headers["Authorization"] == "Bearer secret"
    assert wire.headers["Idempotency-Key"] == "k"
    assert wire.target == "/api/v1/x?a=b+c&d=%2B"
    assert "secret" not in f"{TARGET!r} {wire!r} {wire}"
    assert "Authorization" not in Target("h:1", "").wire(ASKING.request).headers


@pytest.mark.parametrize(
    ("url", "token"),
    [("ftp://a", ""), ("http://", ""), ("http://a:x", ""), ("http://a:99999", ""), ("a", "x\ny"), ("a", "é")],
)
def test_what_cannot_be_a_target_is_refused(url: str, token: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Target(url, token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_bodies_are_packed_both_ways(packing: Any) -> None:
    target, body = Target("h", "", packing), b'"%s"' % (b"x" * 5000)
    wire = target.wire(Request("POST", "/p", body=body, content_type=exchange.JSON))
    assert wire.headers["Content-Encoding"] == wire.headers["Accept-Encoding"] == packing
    unpacked = gzip.decompress(wire.body) if packing == "gzip" else zstandard.decompress(wire.body)
    assert unpacked == body
    assert Run().until_done(Reply(200, {"content-encoding": packing}, wire.body)) == "x" * 5000
    with pytest.raises(ReplyUnreadable, match="cannot be unpacked"):
        Run().until_done(Reply(200, {"content-encoding": packing}, b"no such thing"))
    with pytest.raises(ReplyUnreadable):
        Run().until_done(Reply(200, {"content-encoding": "gzip"}, gzip.compress(body)[:20]))


def test_an_unknown_packing_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="none, gzip, zstd"):
        Target("h", "", "br")  # type: ignore[arg-type]


def test_pages_go_on_at_the_cursor() -> None:
    pages = Pages(
        Call(Request("GET", "/p", (("limit", "2"), ("since", "0"))), lambda reply: Page([1], "")), "since"
    )
    following = pages.after(Page([1], "c"))
    assert following is not None
    assert following.request.query == (("limit", "2"), ("since", "c"))
    assert pages.after(Page([1], "")) is None
