"""The client of the HTTP interface: `Client` blocks, `AsyncClient` awaits, both have the same methods.

Requests are built and replies read by code without sockets (`exchange`, `…_calls`); `blocking` and `asynchronous` only
carry bytes. Importing this loads no compiler, no archive library and no pyarrow, pandas or polars.
"""

from historian.client.asynchronous import AsyncClient
from historian.client.blocking import Client
from historian.client.errors import (
    ClientError,
    ConnectionFailed,
    InvalidArgument,
    NotInstalled,
    Problem,
    ReplyUnreadable,
    Timeout,
)
from historian.client.event_stream import ServerEvent
from historian.client.exchange import Patience
from historian.client.table import Table

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "ConnectionFailed",
    "InvalidArgument",
    "NotInstalled",
    "Patience",
    "Problem",
    "ReplyUnreadable",
    "ServerEvent",
    "Table",
    "Timeout",
]
