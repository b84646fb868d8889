"""The settings: one TOML file into frozen structs; every field has a unit, a default and a range.

``config/historian.toml`` explains each field. Without a file the defaults hold and no substation
is collected. An unknown key, a wrong type or a value out of range is a SettingsError with file and
line, and nothing starts.
"""

import contextlib
import glob
import ipaddress
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, cast

import msgspec
from msgspec import Meta

from historian import toml_location
from historian.errors import HistorianError, SettingsError, TimeError, UnitError
from historian.model import timestamp, unit
from historian.toml_file import load_typed as load_typed  # the one way to read our TOML files

KIBIBYTE = 1 << 10
MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
AUDIT_KEEP_DAYS_MIN = 184  # six months
_TLS_FILES = ("tls_certificate", "tls_key", "tls_client_ca")
SYSLOG_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}


class ListenAddress(NamedTuple):
    """Where the HTTP server listens; port 0 lets the system choose."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_listen(text: str) -> ListenAddress:
    """``127.0.0.1:8420`` or ``[::1]:8420``. Raises ValueError that says what is allowed."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port[:6]) > 65_535:
        raise ValueError(f"{text!r} is no address; allowed: HOST:PORT such as 127.0.0.1:8420 or [::1]:8420")
    return ListenAddress(host, int(port))


class LogServer(NamedTuple):
    """Where records of the audit trail are sent."""

    transport: Literal["udp", "tcp", "tls"]
    host: str
    port: int


def parse_syslog(text: str) -> LogServer:
    """``tls://log.example:6514``; without a port that of the transport. Raises ValueError that says what is allowed."""
    scheme, colon, rest = text.partition("://")
    if scheme in SYSLOG_PORTS and colon and rest:
        has_port = not rest.endswith("]") and ":" in rest.rpartition("]")[2]
        with contextlib.suppress(ValueError):
            address = parse_listen(rest if has_port else f"{rest}:{SYSLOG_PORTS[scheme]}")
            if address.port:
                return LogServer(cast("Literal['udp', 'tcp', 'tls']", scheme), address.host, address.port)
    raise ValueError(
        f"{text!r} is no log server; allowed: udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT"
    )


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[server]: the HTTP side and its protection."""

    listen: str = "127.0.0.1:8420"
    auth: Literal["auto", "on", "off"] = "auto"
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    plain_http: bool = False
    trusted_proxies: tuple[str, ...] = ()
    body_bytes_max: Annotated[int, Meta(ge=KIBIBYTE, le=GIBIBYTE)] = 32 * MEBIBYTE
    body_deadline_s: Annotated[int, Meta(ge=1, le=3600)] = 30
    reply_stall_s: Annotated[int, Meta(ge=1, le=3600)] = 30
    unsent_bytes_max: Annotated[int, Meta(ge=MEBIBYTE, le=1024 * GIBIBYTE)] = 512 * MEBIBYTE
    wide_at_once: Annotated[int, Meta(ge=1, le=1000)] = 2
    ingest_at_once: Annotated[int, Meta(ge=1, le=1000)] = 4
    lane_waiting_max: Annotated[int, Meta(ge=0, le=100_000)] = 256
    lane_wait_s: Annotated[int, Meta(ge=1, le=3600)] = 20
    keepalive_s: Annotated[int, Meta(ge=1, le=3600)] = 15
    connections_max: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    connections_per_address_max: Annotated[int, Meta(ge=1, le=100_000)] = 256

    def __post_init__(self) -> None:
        try:
            address = parse_listen(self.listen)
        except ValueError as error:
            raise ValueError(f"listen: {error}") from None
        for proxy in self.trusted_proxies:
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(
                    f"trusted_proxies: {proxy!r} is no address; allowed: such as 127.0.0.1 or 10.0.0.0/8"
                ) from None
        if bool(self.tls_certificate) != bool(self.tls_key):
            field = "tls_certificate" if self.tls_certificate else "tls_key"
            raise ValueError(
                f"{field}: tls_certificate and tls_key belong together; allowed: both, or neither"
            )
        if self.tls_client_ca and not self.tls_certificate:
            raise ValueError(
                "tls_client_ca: it needs TLS; allowed: together with tls_certificate and tls_key"
            )
        if address.is_loopback:
            return
        if self.auth == "off":
            raise ValueError(
                f'listen: {self.listen} can be reached from outside while auth is "off"; allowed: a '
                'loopback address such as 127.0.0.1:8420, or auth = "on"'
            )
        if not (self.plain_http or self.tls_certificate):
            raise ValueError(
                f"listen: {self.listen} can be reached from outside, and passwords would be sent in the clear; "
                "allowed: tls_certificate and tls_key, a loopback address behind a proxy with TLS, or plain_http = true "
                "where the network is trusted"
            )


class AccessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[access]: passwords, logins, sessions and tokens (GB/T 22239, level 2; IEC 62443-3-3 SR 1.7, 1.11, 2.5 to 2.7)."""

    password_length_min: Annotated[int, Meta(ge=8, le=128)] = 12
    password_kinds_min: Annotated[int, Meta(ge=1, le=4)] = 3
    password_history_count: Annotated[int, Meta(ge=0, le=24)] = 5
    password_age_days_max: Annotated[int, Meta(ge=0, le=3650)] = 180
    login_failures_max: Annotated[int, Meta(ge=1, le=1000)] = 5
    address_failures_max: Annotated[int, Meta(ge=1, le=10_000)] = 20
    login_window_s: Annotated[int, Meta(ge=1, le=86_400)] = 900
    lockout_s: Annotated[int, Meta(ge=1, le=86_400)] = 60
    lockout_s_max: Annotated[int, Meta(ge=1, le=86_400)] = 900
    logins_at_once_max: Annotated[int, Meta(ge=1, le=64)] = 1
    logins_waiting_max: Annotated[int, Meta(ge=1, le=1000)] = 16
    session_idle_s: Annotated[int, Meta(ge=60, le=604_800)] = 1800
    session_s_max: Annotated[int, Meta(ge=60, le=2_592_000)] = 43_200
    sessions_per_person_max: Annotated[int, Meta(ge=1, le=100)] = 5
    display_days_max: Annotated[int, Meta(ge=1, le=3650)] = 365
    token_days_max: Annotated[int, Meta(ge=1, le=3650)] = 365
    setup_token_s: Annotated[int, Meta(ge=60, le=604_800)] = 86_400


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[store]: ring, log files, segments."""

    ring_hours: Annotated[int, Meta(ge=1, le=744)] = 48
    wal_file_bytes_max: Annotated[int, Meta(ge=MEBIBYTE, le=GIBIBYTE)] = 64 * MEBIBYTE
    seal_interval_s: Annotated[int, Meta(ge=1, le=86_400)] = 900
    seal_samples_max: Annotated[int, Meta(ge=1000, le=100_000_000)] = 4_000_000
    unsealed_samples_max: Annotated[int, Meta(ge=1000, le=1_000_000_000)] = 16_000_000
    segment_compact_count: Annotated[int, Meta(ge=2, le=1000)] = 8
    disk_reserve_bytes: Annotated[int, Meta(ge=0, le=1024 * GIBIBYTE)] = 512 * MEBIBYTE
    open_segments_max: Annotated[int, Meta(ge=1, le=4096)] = 64
    cache_bytes_max: Annotated[int, Meta(ge=MEBIBYTE, le=1024 * GIBIBYTE)] = 512 * MEBIBYTE
    segment_samples_max: Annotated[int, Meta(ge=1000, le=1_000_000_000)] = 32_000_000
    compact_cpu_share: Annotated[float, Meta(ge=0.01, le=1.0)] = 0.25
    compact_bytes_s_max: Annotated[int, Meta(ge=MEBIBYTE, le=1024 * GIBIBYTE)] = 64 * MEBIBYTE
    keep_days: Annotated[int, Meta(ge=0, le=100_000)] = 0
    keep_bytes_max: Annotated[int, Meta(ge=0, le=1_048_576 * GIBIBYTE)] = 0
    cold_folder: str = ""
    cold_after_days: Annotated[int, Meta(ge=1, le=100_000)] = 90


class IngestSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[ingest]: what is taken in, how much at once, and points made on the way."""

    queue_samples_max: Annotated[int, Meta(ge=1000, le=100_000_000)] = 2_000_000
    batch_samples_max: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000
    future_fence_s: Annotated[int, Meta(ge=0, le=31_622_400)] = 86_400
    oldest_year: Annotated[int, Meta(ge=1900, le=2100)] = 1990
    quarantine_samples_max: Annotated[int, Meta(ge=0, le=100_000_000)] = 1_000_000
    retry_after_s: Annotated[int, Meta(ge=1, le=3600)] = 1
    idempotency_keys_max: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000
    points_max: Annotated[int, Meta(ge=1, le=100_000_000)] = 2_000_000
    line_names: Literal["replace", "refuse"] = "replace"
    auto_create: bool = True
    auto_create_unit: str = "1"
    auto_create_interval_s: Annotated[int, Meta(ge=1, le=86_400)] = 300
    auto_create_points_max: Annotated[int, Meta(ge=0, le=100_000_000)] = 200_000

    def __post_init__(self) -> None:
        if self.batch_samples_max > self.queue_samples_max:
            raise ValueError(
                f"batch_samples_max: {self.batch_samples_max} would never fit; allowed: at most "
                f"queue_samples_max ({self.queue_samples_max})"
            )
        try:
            unit.get_unit(self.auto_create_unit)
        except UnitError as error:
            raise ValueError(f"auto_create_unit: {error}") from None


class EditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[edit]: corrections by hand, and decisions on the quarantine."""

    samples_max: Annotated[int, Meta(ge=1, le=10_000_000)] = 50_000


class QuerySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[query]: a query over one of these limits is refused before work starts."""

    samples_max: Annotated[int, Meta(ge=1000, le=1_000_000_000)] = 2_000_000
    points_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    slots_max: Annotated[int, Meta(ge=96, le=100_000_000)] = 500_000


class RollupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[rollup]: what one request for figures may ask for, and how they are kept up to date."""

    points_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    point_days_max: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1_000_000
    slots_max: Annotated[int, Meta(ge=96, le=100_000_000)] = 1_000_000
    pending_days_max: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 4_000_000
    figures_bytes_max: Annotated[int, Meta(ge=33_554_432, le=68_719_476_736)] = 268_435_456
    background_share: Annotated[float, Meta(ge=0.01, le=1.0)] = 0.2


class EventSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[events]: those who follow changes over a connection that stays open."""

    clients_max: Annotated[int, Meta(ge=0, le=10_000)] = 100
    heartbeat_s: Annotated[int, Meta(ge=1, le=3600)] = 15
    stall_s: Annotated[int, Meta(ge=1, le=3600)] = 30


class WatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[watch]: what points promise against what comes, and how long its causes are kept."""

    green_share_min: Annotated[float, Meta(ge=0, le=1)] = 0.99
    amber_share_min: Annotated[float, Meta(ge=0, le=1)] = 0.9
    overdue_look_s: Annotated[int, Meta(ge=5, le=3600)] = 60
    outages_keep_days: Annotated[int, Meta(ge=0, le=100_000)] = 1096

    def __post_init__(self) -> None:
        if self.amber_share_min > self.green_share_min:
            raise ValueError(
                f"amber_share_min: {self.amber_share_min:g} is above green_share_min; allowed: at most "
                f"{self.green_share_min:g}"
            )


class AuditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[audit]: who did what, how long it is kept, and the log server it is told to."""

    keep_days: Annotated[int, Meta(ge=0, le=100_000)] = 0
    space_warning_bytes: Annotated[int, Meta(ge=MEBIBYTE, le=1024 * GIBIBYTE)] = GIBIBYTE
    export_bytes_min: Annotated[int, Meta(ge=0, le=GIBIBYTE)] = 64 * KIBIBYTE
    clock_step_ms: Annotated[int, Meta(ge=10, le=3_600_000)] = 1000
    syslog: str = ""
    syslog_ca_file: str = ""

    def __post_init__(self) -> None:
        if 0 < self.keep_days < AUDIT_KEEP_DAYS_MIN:
            raise ValueError(
                f"keep_days: {self.keep_days} is less than half a year; allowed: 0 (keep all), or "
                f"{AUDIT_KEEP_DAYS_MIN} and more"
            )
        if self.syslog:
            try:
                parse_syslog(self.syslog)
            except ValueError as error:
                raise ValueError(f"syslog: {error}") from None


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[log]: lines of this level or worse go to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class DebugSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[debug]: off in production."""

    slow_callback_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. After `load`, `substations` holds absolute patterns, and files of TLS are absolute."""

    time_zone: str = "Asia/Shanghai"
    holidays: str = "CN"
    substations: tuple[str, ...] = ("substations/*.toml",)
    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    store: StoreSettings = StoreSettings()
    ingest: IngestSettings = IngestSettings()
    edit: EditSettings = EditSettings()
    query: QuerySettings = QuerySettings()
    rollup: RollupSettings = RollupSettings()
    events: EventSettings = EventSettings()
    watch: WatchSettings = WatchSettings()

    audit: AuditSettings = AuditSettings()
    log: LogSettings = LogSettings()
    debug: DebugSettings = DebugSettings()

    def __post_init__(self) -> None:
        try:
            timestamp.load_zone(self.time_zone)
        except TimeError as error:
            raise ValueError(f"time_zone: {error}") from None


def load(path: Path | None) -> Settings:
    """The settings of that file; without one the defaults, and no substation.

    Raises SettingsError.
    """
    if path is None:
        return msgspec.structs.replace(Settings(), substations=())
    settings = load_typed(path, Settings)
    folder = path.resolve().parent
    patterns = tuple(str(folder / pattern) for pattern in settings.substations)
    for index, pattern in enumerate(patterns):
        if not glob.has_magic(pattern) and not Path(pattern).is_file():
            line = toml_location.line_of(path.read_text("utf-8-sig"), ("substations", index))
            raise SettingsError(
                str(path), line, f"there is no file {pattern}; allowed: a file, or a name with *"
            )
    files = {name: getattr(settings.server, name) for name in _TLS_FILES}
    absolute = {name: str(folder / file) for name, file in files.items() if file}
    server = msgspec.structs.replace(settings.server, **absolute)
    return msgspec.structs.replace(settings, substations=patterns, server=server)


def substation_paths(settings: Settings) -> list[Path]:
    """The substation files that the patterns name, each once, sorted within a pattern."""
    names = [name for pattern in settings.substations for name in sorted(glob.glob(pattern))]
    return [Path(name) for name in dict.fromkeys(names)]


def with_listen(settings: Settings, listen: str) -> Settings:
    """The settings with another listen address, under the same rules. Raises HistorianError."""
    try:
        server = msgspec.structs.replace(settings.server, listen=listen)
    except ValueError as error:
        raise HistorianError(f"--{error}") from None
    return msgspec.structs.replace(settings, server=server)


def with_auth(settings: Settings, auth: str | None, *, is_demo: bool) -> Settings:
    """The settings with access control decided: `auth` of the command line, else as written, and where that is ``auto``
    on, unless the demo runs on a loopback address. Raises HistorianError.
    """
    chosen = auth or settings.server.auth
    if chosen == "auto":
        is_open = is_demo and parse_listen(settings.server.listen).is_loopback
        chosen = "off" if is_open else "on"
    try:
        server = msgspec.convert(msgspec.to_builtins(settings.server) | {"auth": chosen}, ServerSettings)
    except msgspec.ValidationError as error:
        raise HistorianError(f"--auth {chosen}: {error}") from None
    return msgspec.structs.replace(settings, server=server)
