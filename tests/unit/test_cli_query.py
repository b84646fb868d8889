import argparse
import asyncio
from typing import Any

import pytest

from historian import cli, cli_query
from historian.cli_query import RemoteSource, query_span
from historian.client.exchange import CSV, Reply, Request
from historian.errors import QueryError
from historian.model.timestamp import parse_time_us
from tests.support.scripted_client import ScriptedClient, json_reply


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2018-01-01", "2018-01-01T00:00:00+09:00"),
        ("2018-01-01T12:00", "2018-01-01T12:00:00+09:00"),
        ("2018-01-01T12:00:00Z", "2018-01-01T12:00:00Z"),
    ],
)
def test_times_without_offset_are_local_to_the_point(start: str, expected: str) -> None:
    assert query_span(start, "2019-01-01", "Asia/Seoul").start_us == parse_time_us(expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recorded", "p", "--start", "x", "--end", "2018-01-01"], "--start: time 'x' is neither"),
        (["recorded", "p", "--start", "2018-01-01", "--end", "soon"], "--end: time 'soon' is neither"),
        (["load-curve", "p", "--date", "1/2/2018"], "--date 1/2/2018 is no date; allowed: YYYY-MM-DD"),
        (["load-curve", "p", "--date", "2018-01-01", "--interval", "15"], "--interval: interval '15' is not"),
        (["rollups", "p", "--from", "2018", "--to", "2019-01-01"], "--from 2018 is no date"),
        (["rollups", "p", "--from", "2018-01-01", "--to", "x"], "--to x is no date"),
    ],
)
def test_what_cannot_be_read_is_told(arguments: list[str], message: str) -> None:
    options = cli.make_parser().parse_args(["query", *arguments])
    with pytest.raises(QueryError) as caught:
        asyncio.run(cli_query.ask(RemoteSource(ScriptedClient(answer)), options))
    assert str(caught.value).startswith(message)


POINT = {
    "id": 1, "unit": "kW", "kind": "mean_power", "interval": "15m", "label": "period_start", "time_zone": "Asia/Seoul",
}  # fmt: skip


def answer(request: Request) -> Reply:
    """As a historian with a few points, its CSV in two pages."""
    query = dict(request.query)
    if request.accept == CSV:
        text, cursor = ("a,b\r\n3,4\r\n", "") if "cursor" in query else ("\ufeffa,b\r\n1,2\r\n", "n")
        return Reply(200, {"x-next-cursor": cursor}, text.encode())
    if request.path == "/api/v1/points":
        names = ["c"] if "cursor" in query else ["a", "b"]
        return json_reply(
            {"points": [POINT | {"name": name} for name in names], "next": "" if "cursor" in query else "n"}
        )
    return json_reply(POINT | {"name": "a/b"})


def asked(arguments: list[str]) -> tuple[list[tuple[str, dict[str, str]]], Any]:
    client = ScriptedClient(answer)
    options: argparse.Namespace = cli.make_parser().parse_args(arguments)
    table = asyncio.run(cli_query.ask(RemoteSource(client), options))
    return [(request.path.removeprefix("/api/v1"), dict(request.query)) for request in client.requests], table


def test_every_page_of_an_answer_is_asked_for() -> None:
    requests, table = asked(
        ["query", "recorded", "a/b", "--start", "2018-01-01", "--end", "2018-01-02T00:00:00Z"]
    )
    assert table == (["a", "b"], [["1", "2"], ["3", "4"]])
    path, query = requests[1]
    assert path == "/points/a%2Fb/recorded"
    assert (query["start"], query["end"]) == ("2017-12-31T15:00:00Z", "2018-01-02T00:00:00Z")
    assert requests[2] == (path, query | {"cursor": "n"})


def test_load_curve_and_rollups_are_asked_for_as_the_api_names_them() -> None:
    requests, _ = asked(["query", "load-curve", "p", "--date", "2018-01-01", "--interval", "1h"])
    assert requests[0] == ("/points/p/load-curve", {"date": "2018-01-01", "interval": "1h"})
    requests, _ = asked(
        ["query", "rollups", "p", "q", "--period", "month", "--from", "2018-01-01", "--to", "2018-03-01"]
    )
    assert requests[0] == (
        "/rollups",
        {"period": "month", "points": "p,q", "from": "2018-01-01", "to": "2018-03-01"},
    )


def test_points_are_listed_page_by_page() -> None:
    requests, table = asked(["points", "list", "--match", "s.*"])
    assert [row[1] for row in table.rows] == ["a", "b", "c"]
    assert requests[0] == ("/points", {"limit": "1000", "match": "s.*"})
