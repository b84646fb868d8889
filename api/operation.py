"""The route table's entries: from one table come the routes, the parameter check and the OpenAPI file."""

from typing import Any, Final, Literal, NamedTuple

from aiohttp import web

from api import params
from api.errors import Handler
from api.params import Params
from api.problem import ProblemKind
from historian.model.access import Right

BASE: Final = "/api/v1"
OPERATIONS_BASES: Final = ("", BASE)  # /healthz and its like answer at the root and under the base

JSON: Final = "application/json"
CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
ARROW: Final = "application/vnd.apache.arrow.stream"
TABLE_FORMS: Final = (JSON, CSV, NDJSON, ARROW)

Schema = dict[str, Any]  # a JSON Schema fragment: its values are of every JSON type


class Parameter(NamedTuple):
    """One query or path parameter."""

    name: str
    description: str
    schema: Schema
    where: Literal["query", "path", "header"] = "query"
    is_required: bool = False

    def required(self) -> "Parameter":
        """The same, required."""
        return self._replace(is_required=True)


class Operation(NamedTuple):
    """One method on one path. `reply` is the struct of the JSON answer, None where it is not JSON."""

    method: Literal["GET", "POST", "PUT", "PATCH"]
    path: str
    handler: Handler
    name: str
    summary: str
    reply: type[Any] | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[ProblemKind, ...] = ()
    request_types: tuple[tuple[str, type[Any] | None], ...] = ()
    reply_types: tuple[str, ...] = (JSON,)
    status: int = 200
    may_create: bool = False  # then it answers 201 besides
    bases: tuple[str, ...] = (BASE,)
    is_query: bool = False
    is_quick: bool = False  # a query that a control room looks at; the others pass the lane of wide questions
    takes_any_query: bool = False
    may_be_empty: bool = False  # the body
    right: Right | None = Right.READ  # what the caller must hold; None: nobody needs to be known
    is_own: bool = False  # about the caller alone: whoever is known may, whatever their rights
    is_decision: bool = False  # is on record as an edit, though it asks for less than that right
    is_global: bool = False  # concerns every station: refused to who has rights for some

    @property
    def is_wide(self) -> bool:
        """Whether it may be about many points or long times, so that only some are worked on at once."""
        return self.is_query and not self.is_quick

    def paths(self) -> list[str]:
        """Every full path it answers under."""
        return [base + self.path for base in self.bases]

    def checked_handler(self) -> Handler:
        """The handler, after a check that no unknown query parameter was given, and no unknown word for one."""
        if self.takes_any_query:
            return self.handler
        in_query = [entry for entry in self.parameters if entry.where == "query"]
        allowed = frozenset(entry.name for entry in in_query)
        words = {entry.name: tuple(entry.schema["enum"]) for entry in in_query if "enum" in entry.schema}

        def check_words(given: Params) -> None:
            for name in given.given & words.keys():
                given.check_words(name, words[name])

        async def handle(request: web.Request) -> web.StreamResponse:
            params.check_names(request, allowed)
            params.params_of(request).once(check_words)
            return await self.handler(request)

        return handle


def _words(*allowed: str) -> Schema:
    return {"type": "string", "enum": list(allowed)}


_TIME: Final[Schema] = {"type": "string", "examples": ["2026-11-21T00:00:00+08:00", "1795190400000"]}
_DATE: Final[Schema] = {"type": "string", "format": "date"}
_INTERVAL: Final[Schema] = {"type": "string", "pattern": "^[1-9][0-9]{0,6}[smhd]$", "examples": ["15m"]}

POINT: Final = Parameter("point", "Name, former name or id of the point.", {"type": "string"}, "path", True)
POINTS: Final = Parameter("points", "Names or ids, comma-separated.", {"type": "string"})
STATION: Final = Parameter("station", "All points of this station.", {"type": "string"})
START: Final = Parameter(
    "start", "First instant: RFC 3339 with an offset, or epoch milliseconds.", _TIME, is_required=True
)
END: Final = Parameter("end", "End of the range, itself outside.", _TIME, is_required=True)
AT_TIME: Final = Parameter("time", "The instant asked for; `time=epoch_ms` besides asks for integers.", _TIME)
TIME_FORM: Final = Parameter(
    "time", "`epoch_ms` asks for integers in the answer.", _words("rfc3339", "epoch_ms")
)
ZONE: Final = Parameter("tz", "IANA zone: adds local times to the answer.", {"type": "string"})
UNIT: Final = Parameter("unit", "Convert values to this unit, of the same dimension.", {"type": "string"})
QUALITY: Final = Parameter(
    "quality", "`full` shows quality as objects with every flag.", _words("word", "full")
)
FORMAT: Final = Parameter(
    "format", "Form of the answer; overrides Accept.", _words("json", "csv", "ndjson", "rows", "arrow")
)
BOM: Final = Parameter(
    "bom", "1 begins CSV with a byte order mark, for Excel.", _words("0", "1", "false", "true")
)
NOT_DUE: Final = Parameter(
    "not_due",
    "1 also tells the part of the range of which nothing was due yet; nothing is missing there.",
    _words("0", "1", "false", "true"),
)
CURSOR: Final = Parameter("cursor", "The `next` of the page before.", {"type": "string"})
INTERVAL: Final = Parameter("interval", "Length of a slot, such as 15m.", _INTERVAL)
MAX_GAP: Final = Parameter("max_gap", "Bridge gaps up to this long, such as 30m.", _INTERVAL)
DATE: Final = Parameter("date", "Local date.", _DATE, is_required=True)
IF_NONE_MATCH: Final = Parameter("If-None-Match", "ETag of an earlier answer.", {"type": "string"}, "header")

SAMPLE_FORM: Final = (ZONE, TIME_FORM, UNIT, QUALITY, FORMAT, BOM)


def one_of(name: str, description: str, *allowed: str) -> Parameter:
    """A parameter that takes one of a few words."""
    return Parameter(name, description, _words(*allowed))


def whole(name: str, description: str, low: int, high: int) -> Parameter:
    """A parameter that takes a whole number."""
    return Parameter(name, description, {"type": "integer", "minimum": low, "maximum": high})
