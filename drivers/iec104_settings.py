"""Settings of an IEC 60870-5-104 connection as they stand in a substation file."""

from typing import Annotated, Final

import msgspec

from drivers import mapping
from drivers.iec104_value import SummerTimeBit
from drivers.setting_type import Name, Octet, Port, Seconds
from historian.errors import TimeError
from historian.model.point import PointKind
from historian.model.timestamp import load_zone

CommonAddress = Annotated[int, msgspec.Meta(ge=1, le=65_534)]  # 0 is unused, 65535 means all (§7.2.4)
WholeSeconds = Annotated[int, msgspec.Meta(ge=1, le=255)]  # 60870-5-104 §9.6: range of t0, t1, t2
WindowApdus = Annotated[int, msgspec.Meta(ge=1, le=32_767)]  # §9.6: range of k and w
InterrogationSeconds = Annotated[int, msgspec.Meta(ge=0, le=86_400)]  # 0 = not regularly

FLOAT_RAW_MAX: Final = 2**24  # a short float's significand has 24 bits
COUNTER_RAW_MAX: Final = 2**31  # a counter reading is a signed 32-bit number


class Iec104Point(mapping.PointEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point of an IEC 60870-5-104 controlled station.

    `common_address` is needed only where it is not the connection's.
    """

    information_object_address: Annotated[int, msgspec.Meta(ge=1, le=16_777_215)]
    common_address: CommonAddress | None = None


class Iec104Settings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="protocol",
    tag="iec104",
):
    """One IEC 60870-5-104 connection; the platform is the controlling station and never commands.

    In the standard's words (60870-5-104 §9.6): `connect_timeout_s` t0, `confirm_timeout_s` t1,
    `acknowledge_delay_s` t2, `test_interval_s` t3, `send_window_apdus` k, `receive_window_apdus` w.
    """

    name: Name
    host: str
    port: Port = 2404
    common_address: CommonAddress = 1
    originator_address: Octet = 0

    connect_timeout_s: WholeSeconds = 10
    confirm_timeout_s: WholeSeconds = 15
    acknowledge_delay_s: WholeSeconds = 10
    test_interval_s: Annotated[int, msgspec.Meta(ge=1, le=172_800)] = 20
    send_window_apdus: WindowApdus = 12
    receive_window_apdus: WindowApdus = 8

    start_timeout_s: Seconds = 5.0
    general_interrogation_interval_s: InterrogationSeconds = 900
    counter_interrogation_interval_s: InterrogationSeconds = 900
    interrogation_timeout_s: Seconds = 15.0
    clock_sync_interval_s: InterrogationSeconds = 0

    time_zone: str | None = None
    summer_time_bit: SummerTimeBit = SummerTimeBit.IGNORE
    source_time_ahead_s_max: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 300
    source_time_behind_s_max: Annotated[int, msgspec.Meta(ge=60, le=315_360_000)] = 2_592_000

    back_off_min_s: Seconds = 1.0
    back_off_max_s: Seconds = 60.0
    flush_interval_s: Annotated[float, msgspec.Meta(ge=0.01, le=10.0)] = 0.1
    backlog_samples_max: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 100_000
    points: tuple[Iec104Point, ...] = ()


def check_connection(settings: Iec104Settings, station_time_zone: str) -> None:
    """What no single field can say. Raises MappingError.

    c104 itself accepts any number: a window or timer that breaks the standard would only show as
    a link that drops now and then.
    """
    if ":" in settings.host:
        raise mapping.MappingError("host", f"{settings.host!r} is an IPv6 address; c104 takes IPv4 and names")
    if settings.acknowledge_delay_s >= settings.confirm_timeout_s:
        raise mapping.MappingError(
            "acknowledge_delay_s",
            f"acknowledge_delay_s (t2) {settings.acknowledge_delay_s} must be below"
            f" confirm_timeout_s (t1) {settings.confirm_timeout_s}",
        )
    # §5.5: the receiver acknowledges before the sender's window of the same size is used up.
    if 3 * settings.receive_window_apdus > 2 * settings.send_window_apdus:
        raise mapping.MappingError(
            "receive_window_apdus",
            f"receive_window_apdus (w) {settings.receive_window_apdus} must not exceed two thirds of"
            f" send_window_apdus (k) {settings.send_window_apdus}",
        )
    _check_time(settings, station_time_zone)
    _check_addresses(settings)


def check_point(entry: Iec104Point) -> None:
    """What only this protocol knows about an entry. Raises MappingError."""
    mapping.scaling_of(entry, raw_max_of(entry))


def raw_max_of(entry: Iec104Point) -> int:
    """The largest magnitude whose scaling must be exact: meter registers are counters, the rest floats."""
    return COUNTER_RAW_MAX if entry.kind is PointKind.REGISTER else FLOAT_RAW_MAX


def address_of(settings: Iec104Settings, entry: Iec104Point) -> tuple[int, int]:
    """An entry's common address and information object address."""
    return entry.common_address or settings.common_address, entry.information_object_address


def common_addresses(settings: Iec104Settings) -> list[int]:
    """Every common address with points, ascending: each is interrogated by itself."""
    return sorted({address_of(settings, entry)[0] for entry in settings.points})


def _check_time(settings: Iec104Settings, station_time_zone: str) -> None:
    time_zone = settings.time_zone or station_time_zone
    try:
        load_zone(time_zone)
    except TimeError as error:
        raise mapping.MappingError("time_zone", str(error)) from error
    if settings.clock_sync_interval_s and time_zone not in ("UTC", "Etc/UTC"):
        raise mapping.MappingError(
            "clock_sync_interval_s",
            f"clock synchronisation sends UTC, but the device keeps {time_zone};"
            " set it to 0, or time_zone to UTC if the device keeps UTC",
        )


def _check_addresses(settings: Iec104Settings) -> None:
    seen: dict[tuple[int, int], str] = {}
    for entry in settings.points:
        address = address_of(settings, entry)
        if address in seen:
            raise mapping.MappingError(
                "points",
                f"points {seen[address]!r} and {entry.name!r} have the same address:"
                f" common address {address[0]}, information object {address[1]}",
            )
        seen[address] = entry.name
