import json

from historian.client.errors import Problem


def test_a_problem_tells_what_the_historian_said() -> None:
    body = {
        "type": "/problems/invalid-time", "title": "A time cannot be read", "detail": "start: no offset",
        "request_id": "r1", "errors": [{"detail": "no offset", "parameter": "start"}], "extra": 3,
    }  # fmt: skip
    problem = Problem.of_body(400, json.dumps(body).encode(), 2.0)
    assert (str(problem), problem.type, problem.request_id) == (
        "start: no offset",
        "/problems/invalid-time",
        "r1",
    )
    assert (problem.errors[0].parameter, problem.members["extra"]) == ("start", 3)
    assert problem.retry_after_s == 2.0


def test_what_no_historian_wrote_is_told_by_its_status() -> None:
    assert str(Problem.of_body(502, b"<html>", None)) == "answered 502 Bad Gateway"
    assert str(Problem.of_body(499, b"[1]", None)) == "answered 499"
    assert Problem(400, {"errors": "none"}).errors == ()
