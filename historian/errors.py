"""The error tree. Messages say what happened, where, and what to do.

HistorianError
├── SettingsError            a configuration file is wrong (carries file and line)
├── PointError
│   ├── PointNotFound        no point of that name or id
│   ├── PointConflict        the name is taken, or a fixed attribute would change
│   ├── PointInvalid         an attribute is outside what is allowed
│   └── PointsFull           there are as many points as the settings allow
├── TermInvalid              a statement about a point (tariff, exchange, rules …) is not as it must be
├── ItemInvalid              no such item of the catalogue, type of entity or attribute, or one that cannot be used so
├── EntityError
│   ├── EntityNotFound       no entity of that type and id
│   ├── EntityConflict       an id is taken, or two relations cannot hold at once
│   ├── EntityInvalid        an id, attribute, relation or charge is not as it must be
│   ├── EntityChanged        it is not as the caller last saw it; nothing was changed
│   └── CsvInvalid           a file of the archive cannot be read as a table (carries its line)
├── LockRefused              a period cannot be locked or unlocked as asked
├── TariffNotFound           no time-of-use calendar has that id
├── AccessError
│   ├── AccessInvalid        an account, password, token or session is not as it must be
│   ├── AccessNotFound       no such account, token or session
│   ├── AccessConflict       the account exists, or nobody would be left to administer
│   ├── LoginRefused         account and password do not fit, or the account is closed
│   ├── LoginLocked          too many failures: try again after `retry_after_s`
│   └── LoginsFull           too many logins wait: try again after `retry_after_s`
├── CatalogueError           the catalogue or journal file cannot be read or written
├── UnitError                unknown unit, or two units of different dimension
├── TimeError                a time stamp or time range that cannot be read
├── TariffError              a time-of-use calendar that does not tile the day, or lacks what is asked
├── FactorError              no such conversion factor, or figures that may not be added
├── IngestError
│   ├── QueueFull            back-pressure: try again after `retry_after_s`
│   ├── StoreReadOnly        disk reserve reached or log failed: no durable writes now
│   ├── KeyReused            the key of a request stood for another request
│   └── KeyUnderWay          the request of that key is not answered yet: try again after `retry_after_s`
├── StoreError
│   ├── StoreLocked          another process holds the data folder
│   ├── FormatTooNew         written by a newer version
│   ├── WalFailed            a write or fsync of the log failed; nothing was acknowledged
│   └── SegmentCorrupt       a segment's bytes do not check
├── AuditUnavailable         the audit trail cannot be written or read; what was to be recorded was not done
├── EditRefused              a correction or decision by hand is not as it must be; nothing was changed
├── QueryError
│   └── QueryTooLarge        refused before work starts
└── ProtocolError            the peer broke its protocol
"""

from collections.abc import Sequence


class HistorianError(Exception):
    """Root of every error this product raises on purpose."""


class SettingsError(HistorianError):
    """A configuration file is wrong; the text starts with ``file:line:``."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem


class PointError(HistorianError):
    """Something is wrong with a point."""


class PointNotFound(PointError):
    """No point has that name or id."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no point is named {name!r}")
        self.name = name


class PointConflict(PointError):
    """The name is taken by another point, or a fixed attribute would change."""


class PointInvalid(PointError):
    """An attribute of a point is outside what is allowed; the text says what is."""


class PointsFull(PointError):
    """There are as many points as the settings allow."""


class TermInvalid(HistorianError):
    """A statement about a point is not as it must be; the text says what is allowed."""


class ItemInvalid(HistorianError):
    """The catalogue has no such item or type of entity, or it cannot be used so; the text says what there is."""


class EntityError(HistorianError):
    """Something is wrong with an entity."""


class EntityNotFound(EntityError):
    """No entity of that type has that id."""

    def __init__(self, entity_type: str, entity_id: str) -> None:
        super().__init__(f"there is no {entity_type} {entity_id!r}")
        self.entity_type = entity_type
        self.entity_id = entity_id


class EntityConflict(EntityError):
    """An id is taken, or two relations cannot hold at once; the text names the other."""


class EntityInvalid(EntityError):
    """An id, attribute, relation or charge is not as it must be; the text says what is allowed."""


class EntityChanged(EntityError):
    """The entity is not as the caller last saw it, or is there already; nothing was changed."""


class CsvInvalid(EntityError):
    """A file of the archive cannot be read as a table; the rows before the line may have been taken."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


class LockRefused(HistorianError):
    """A period cannot be locked, or a lock not taken back; the text says why."""


class TariffNotFound(HistorianError):
    """No calendar has that id."""

    def __init__(self, tariff_id: str, known: Sequence[str]) -> None:
        super().__init__(f"no calendar is named {tariff_id!r}; there are: {', '.join(known) or 'none'}")
        self.tariff_id = tariff_id


class AccessError(HistorianError):
    """About who may come in; `zh` says the same in Chinese. Never holds a secret."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


class AccessInvalid(AccessError):
    """An account, password, token or session is not as it must be; the text says what is allowed."""


class AccessNotFound(AccessError):
    """There is no such account, token or session."""


class AccessConflict(AccessError):
    """The account exists already, or after the change nobody could administer."""


class LoginRefused(AccessError):
    """Account and password do not fit; it is not told which of them."""

    def __init__(self) -> None:
        super().__init__(
            "account and password do not fit, or the account is closed", "账号或口令不正确，或账号已停用"
        )


class LoginLocked(AccessError):
    """Too many failed logins; what was sent now was not even looked at."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            f"too many failed logins; try again after {retry_after_s} s, or ask for `historian access unlock`",
            f"登录失败次数过多；请 {retry_after_s} 秒后重试，或请管理员在本机执行 historian access unlock",
        )
        self.retry_after_s = retry_after_s


class LoginsFull(AccessError):
    """Too many logins at once; what was sent now was not even looked at."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            f"too many logins at once; try again after {retry_after_s} s",
            f"同时登录过多；请 {retry_after_s} 秒后重试",
        )
        self.retry_after_s = retry_after_s


class CatalogueError(HistorianError):
    """A catalogue or journal file cannot be read or written; nothing of the change was kept."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class UnitError(HistorianError):
    """A unit is unknown, or two units have different dimensions."""


class TimeError(HistorianError):
    """A time stamp, zone or time range cannot be read."""


class TariffError(HistorianError):
    """A calendar is not as it must be; `place` leads to the fault in its file, such as ``("seasons", 1, "peak")``."""

    def __init__(self, tariff_id: str, place: tuple[str | int, ...], problem: str) -> None:
        super().__init__(f"{tariff_id}: {problem}")
        self.place = place
        self.problem = problem


class FactorError(HistorianError):
    """A conversion factor does not exist, or figures of different meaning were to be added; the text says what is there."""


class IngestError(HistorianError):
    """Samples were not taken; the caller keeps them."""


class QueueFull(IngestError):
    """The ingest queue is full; nothing was taken. Retry after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"the ingest queue is full; retry after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class StoreReadOnly(IngestError):
    """No durable write is possible now; `cause` is ``disk_reserve`` or ``log_failed``."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


class KeyReused(IngestError):
    """The key of a request stands for another request; nothing was taken."""

    def __init__(self) -> None:
        super().__init__(
            "this key was used for another request within 24 h; a new request needs a key of its own"
        )


class KeyUnderWay(IngestError):
    """The first request of that key is not answered yet. Retry after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"the request of this key is under way; ask again after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class StoreError(HistorianError):
    """The store cannot do what was asked."""


class StoreLocked(StoreError):
    """Another process holds the data folder."""


class FormatTooNew(StoreError):
    """A file was written by a newer version of this product."""


class WalFailed(StoreError):
    """Writing or syncing the write-ahead log failed; the samples concerned were not acknowledged."""


class SegmentCorrupt(StoreError):
    """A segment's bytes do not check."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class AuditUnavailable(HistorianError):
    """The audit trail cannot be written or read; nothing that must be recorded is done meanwhile."""


class EditRefused(HistorianError):
    """A correction or decision by hand is not as it must be; nothing was changed. The text says what is allowed."""


class QueryError(HistorianError):
    """A query cannot be answered as asked."""


class QueryTooLarge(QueryError):
    """A query would exceed a limit; it was refused before any work."""


class ProtocolError(HistorianError):
    """A peer broke its protocol."""
