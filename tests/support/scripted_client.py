"""A client without a network: a function answers its requests."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from historian.client import Client
from historian.client.exchange import Call, Reply, Request, refusal_of

T = TypeVar("T")


class ScriptedClient(Client):
    """Answers by `answer` and remembers what it was asked."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        super().__init__("http://scripted")
        self.requests: list[Request] = []
        self._answer = answer

    def ask(self, call: Call[T]) -> T:
        self.requests.append(call.request)
        reply = self._answer(call.request)
        if reply.status >= 300:
            raise refusal_of(reply)
        return call.read(reply)


def json_reply(body: Any, status: int = 200) -> Reply:
    """A JSON answer."""
    return Reply(status, {"content-type": "application/json"}, json.dumps(body).encode())
