"""A server that asks who one is, with a person or token of any rights at hand."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from aiohttp import ClientResponse, ClientSession, CookieJar

from api.context import ApiContext
from historian.access.record import Person
from historian.model.access import Right, Role

PASSWORD = "Correct-Horse-7-battery"
DAY_US = 86_400 * 1_000_000
LOGIN = "/api/v1/login"


class Guarded(NamedTuple):
    """Where it listens, and what stands behind it."""

    base: str
    context: ApiContext

    def token(
        self, *rights: Right, stations: Sequence[str] | None = None, name: str = "service"
    ) -> dict[str, str]:
        """Headers of a new token."""
        book, clock = self.context.access.book, self.context.clock
        held = None if stations is None else tuple(stations)
        _, text = book.add_token(name, rights or (Right.READ,), held, "anna", clock.now_us() + DAY_US)
        return {"Authorization": f"Bearer {text}"}

    async def person(
        self, name: str, *roles: Role, stations: tuple[str, ...] | None = None, must_change: bool = False
    ) -> None:
        """An account with PASSWORD."""
        access = self.context.access
        access.book.add_person(Person(id=name, roles=roles or (Role.VIEWER,), stations=stations))
        await access.set_password(name, PASSWORD, must_change=must_change)

    def client(self) -> ClientSession:
        """A browser of its own, that keeps cookies."""
        return ClientSession(self.base, cookie_jar=CookieJar(unsafe=True))


async def log_in(client: ClientSession, name: str, password: str = PASSWORD, **more: Any) -> ClientResponse:
    """The answer to a login; the client keeps the cookie, and sends the second token from now on."""
    answer = await client.post(LOGIN, json={"name": name, "password": password, **more})
    if answer.status == 200:
        client.headers["X-CSRF-Token"] = (await answer.json())["csrf_token"]
    return answer
