"""`historian quarantine` on a data folder, with the real store, and on a running historian."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from historian import cli, cli_quarantine_place, core
from historian.cli_quarantine_place import ServerPlace, ids_of
from historian.client.exchange import Reply, Request
from historian.clock import ManualClock, SystemClock
from historian.errors import EditRefused
from historian.metrics import Metrics
from historian.model.point import DAY_US, PointDraft, PointKind
from historian.model.ports import Outcome
from historian.model.sample import make_batch
from historian.settings import Settings
from tests.support.scripted_client import ScriptedClient, json_reply

YEAR_US = 365 * DAY_US
Answer = Callable[..., list[str]]


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A folder whose point `a` was sent two samples a year ahead, and whose quarantine keeps them."""

    async def fill() -> None:
        now_us = SystemClock().now_us()
        async with core.open_core(Settings(), tmp_path / "d", ManualClock(now_us), Metrics()) as parts:
            draft = PointDraft(name="a", unit="kW", kind=PointKind.INSTANTANEOUS)
            point_id = parts.registry.ensure(draft).id
            batch = make_batch(point_id, [now_us + YEAR_US, now_us + YEAR_US + DAY_US, 0], [1.0, 2.0, 3.0])
            result = await parts.sink.append(batch, source="test")
            ahead = Outcome.QUARANTINED_IN_FUTURE
            assert result.outcome.tolist() == [ahead, ahead, Outcome.QUARANTINED_TOO_OLD]

    asyncio.run(fill())
    return str(tmp_path / "d")


@pytest.fixture
def answer(data: str, capsys: pytest.CaptureFixture[str]) -> Answer:
    def ask(*line: str, code: int = 0) -> list[str]:
        assert cli.main([*line, "--data", data]) == code
        return capsys.readouterr().out.splitlines()

    return ask


def test_what_was_kept_is_listed(answer: Answer) -> None:
    header, *rows = answer("quarantine", "list", "--form", "csv")
    assert header == ",".join(cli_quarantine_place.COLUMNS)
    assert [row.split(",")[0] for row in rows] == ["1", "2", "3"]
    assert rows[2].startswith("3,a,1970-01-01T00:00:00Z,3.0,kW,good,measured,time_too_old,test,")
    assert len(answer("quarantine", "list", "--form", "csv", "--code", "time_too_old", "--point", "a")) == 2


def test_released_samples_are_in_the_store(answer: Answer) -> None:
    line = ("quarantine", "release", "1-3", "--shift=-366d", "--reason", "clock", "--author", "Wang")
    told = answer(*line, code=3)
    assert told[0] == "released 2, already 0, stayed 1"
    assert told[1].startswith("  3: time_too_old: ")
    stored = answer("query", "recorded", "a", "--start", "2020-01-01", "--end", "2100-01-01", "--form", "csv")
    assert [row.split(",")[1] for row in stored[1:]] == ["1.0", "2.0"]
    assert answer(*line, code=3)[0] == "released 0, already 2, stayed 1"
    (_, first, _) = answer("quarantine", "list", "--state", "released", "--form", "csv")
    assert first.endswith(",Wang,clock")


def test_erased_samples_are_told_with_who_and_why(answer: Answer) -> None:
    assert answer("quarantine", "erase", "2", "3", "--reason", "test bench", "--author", "Li") == [
        "erased 2, already 0, stayed 0"
    ]
    assert len(answer("quarantine", "list", "--form", "csv")) == 2
    rows = answer("quarantine", "list", "--state", "erased", "--form", "csv")
    assert [row.rsplit(",", 2)[1:] for row in rows[1:]] == [["Li", "test bench"]] * 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["release", "1", "--reason", " "], "reason: say why"),
        (["release", "1", "2", "--time", "2026-01-01T00:00:00Z", "--reason", "r"], "--time is one sample's"),
        (["release", "1", "--time", "noon", "--reason", "r"], "--time: time 'noon'"),
        (["release", "1", "--shift", "8", "--reason", "r"], "--shift: '8' is no shift"),
        (["erase", "x", "--reason", "r"], "'x' is no id; allowed: 17, or 17-30"),
    ],
)
def test_what_cannot_be_done_is_told(
    answer: Answer, capsys: pytest.CaptureFixture[str], line: list[str], message: str
) -> None:
    answer("quarantine", *line, code=1)
    # the first answer() read the output already; ask again for the error
    assert cli.main(["quarantine", *line, "--server", "http://127.0.0.1:1"]) == 1
    assert message in capsys.readouterr().err


def test_a_misspelt_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["quarantine", "list", "--data", str(tmp_path / "nothing")]) == 1
    assert "is no data folder" in capsys.readouterr().err


@pytest.mark.parametrize(("texts", "ids"), [(["1"], [1]), (["3-5", "9"], [3, 4, 5, 9]), (["7-7"], [7])])
def test_ids(texts: list[str], ids: list[int]) -> None:
    assert list(ids_of(texts)) == ids


@pytest.mark.parametrize("text", ["", "-", "5-3", "a", "1-", "1-9999999999"])
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(EditRefused, match="is no id"):
        list(ids_of([text]))


def of_server(request: Request) -> Reply:
    """As a historian with three entries in two pages, one of which cannot be released."""
    if request.method == "GET":
        is_second = "cursor" in dict(request.query)
        text, cursor = (b"id\r\n3\r\n", "") if is_second else (b"id\r\n1\r\n2\r\n", "n")
        return Reply(200, {"x-next-cursor": cursor}, text)
    refused = [{"id": 3, "code": "conflict", "detail": "another value"}]
    return json_reply({"done": 1, "already": 0, "refused": refused, "kept": 2, "seq": 9})


def on_server(*line: str) -> tuple[list[tuple[str, Any]], int]:
    """What was asked, and the exit code."""
    client = ScriptedClient(of_server)
    options = cli.make_parser().parse_args(["quarantine", *line])
    code = asyncio.run(cli_quarantine_place.do(ServerPlace(client), options))
    return [
        (one.path.removeprefix("/api/v1"), json.loads(one.body) if one.body else dict(one.query))
        for one in client.requests
    ], code


def test_every_page_of_a_running_historian_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    requests, code = on_server("list", "--point", "a", "--form", "csv")
    assert (code, capsys.readouterr().out.split()) == (0, ["id", "1", "2", "3"])
    first, second = (query for _, query in requests)
    assert first == {"point": "a", "state": "kept", "limit": "1000"}
    assert second == first | {"cursor": "n"}


@pytest.mark.parametrize(
    ("stamp", "sent"),
    [
        (["--shift=-3650d"], {"shift": "-3650d"}),
        (["--shift", "90m"], {"shift": "+90m"}),
        (["--time", "2026-03-05T10:15:00+08:00"], {"time": "2026-03-05T02:15:00Z"}),
        ([], {}),
    ],
)
def test_a_release_is_sent_as_it_was_asked(
    stamp: list[str], sent: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    requests, code = on_server("release", "3", *stamp, "--reason", "clock", "--author", "Wang")
    assert requests == [
        (
            "/quarantine/release",
            {"ids": [3], "reason": "clock", "author": "Wang", "on_conflict": "keep", **sent},
        )
    ]
    assert code == 3
    assert capsys.readouterr().out.splitlines()[1] == "  3: conflict: another value"


def test_an_erasure_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    requests, _ = on_server("erase", "1", "2", "--reason", "r", "--author", "Li")
    assert requests == [("/quarantine/erase", {"ids": [1, 2], "reason": "r", "author": "Li"})]
    assert capsys.readouterr().out.startswith("erased 1, ")


@pytest.mark.parametrize(
    ("line", "token", "author"),
    [
        (["--author", "Li"], "hst_x", "Li"),
        (["--server", "http://x"], "hst_x", ""),
        (["--server", "http://x"], "", "me"),
        ([], "hst_x", "me"),
    ],
)
def test_with_a_token_the_historian_knows_who_it_is(
    line: list[str], token: str, author: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORIAN_TOKEN", token)
    monkeypatch.setattr("getpass.getuser", lambda: "me")
    requests, _ = on_server("erase", "1", "--reason", "r", *line)
    assert requests[0][1]["author"] == author
