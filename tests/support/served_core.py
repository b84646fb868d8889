"""The real store behind the real HTTP server, in this process, on a free port."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from aiohttp import ClientSession

from api import context, server
from historian import core
from historian.clock import SystemClock
from historian.core import Core
from historian.metrics import Metrics
from historian.model.ports import DriverStatus
from historian.settings import Settings, with_auth
from historian.store import maintenance


class NoDrivers:
    """Implements ports.DriverDirectory."""

    def statuses(self) -> list[DriverStatus]:
        return []


class Served(NamedTuple):
    """A client of the server, and what stands behind it."""

    client: ClientSession
    parts: Core

    async def ask(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of one answer."""
        async with self.client.request(method, f"/api/v1{path}", **options) as response:
            assert response.status == status, await response.text()
            return await response.json()

    @property
    def address(self) -> str:
        """Where it is served, for clients of its own kind."""
        return str(self.client._base_url)

    async def seal(self) -> None:
        """Move everything into segments now."""
        await maintenance.seal_all(self.parts.store, self.parts.rollup.flush_dirty)

    async def merge(self) -> None:
        """Merge segments where there are enough."""
        while await maintenance.merge_once(self.parts.store):
            pass


@contextlib.asynccontextmanager
async def serve(
    data: Path, settings: Settings | None = None, auth: Literal["on", "off"] = "off"
) -> AsyncIterator[Served]:
    """Open the folder, serve it, and close both."""
    chosen = with_auth(settings or Settings(), auth, is_demo=False)
    clock = SystemClock()
    async with core.open_core(chosen, data, clock, Metrics()) as parts:
        api = context.ApiContext(
            clock=clock,
            metrics=parts.metrics,
            registry=parts.registry,
            terms=parts.terms,
            archive=parts.archive,
            tariffs=parts.tariffs,
            sink=parts.sink,
            query=parts.query,
            rollup=parts.rollup,
            billing=parts.billing,
            derived=parts.derived,
            vee=parts.vee,
            watch=parts.watch,
            drivers=NoDrivers(),
            health=parts.store,
            quarantine=parts.quarantine,
            answers=parts.answers,
            audit=parts.audit,
            access=parts.access,
            settings=chosen,
            version="0",
            web_dir=data,
        )
        runner = await server.start(server.make_app(api), "127.0.0.1", 0)
        host, port = runner.addresses[0][:2]
        try:
            async with ClientSession(f"http://{host}:{port}") as client:
                yield Served(client, parts)
        finally:
            await runner.cleanup()
