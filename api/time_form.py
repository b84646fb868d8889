"""How times are written in one reply: RFC 3339 in UTC, or epoch milliseconds; and local where ``tz`` asks."""

import zoneinfo
from typing import NamedTuple, overload

import msgspec

from api import formats, json_columns
from api.params import Params
from historian.model import timestamp
from historian.model.sample import TimeColumn


class TimeForm(NamedTuple):
    """What the query asked for."""

    is_epoch_ms: bool
    zone: zoneinfo.ZoneInfo | None

    @classmethod
    def of(cls, params: Params) -> "TimeForm":
        """From ``time=`` and ``tz=``. Raises Problem."""
        return cls(params.wants_epoch_ms(), params.zone())

    @property
    def zone_name(self) -> str:
        """The IANA name asked for, else empty."""
        return self.zone.key if self.zone else ""

    @overload
    def time(self, time_us: int) -> str | int: ...
    @overload
    def time(self, time_us: None) -> None: ...
    @overload
    def time(self, time_us: int | None) -> str | int | None: ...
    def time(self, time_us: int | None) -> str | int | None:
        """One time; None stays None."""
        if time_us is None:
            return None
        return time_us // 1000 if self.is_epoch_ms else timestamp.format_time(time_us)

    def local(self, time_us: int | None) -> str:
        """One time in the zone; empty where none was asked for or there is no time."""
        return "" if self.zone is None or time_us is None else timestamp.format_local_time(time_us, self.zone)

    def encode(self, time_us: TimeColumn) -> msgspec.Raw:
        """A column for a JSON reply."""
        return (
            json_columns.encode_epoch_ms(time_us) if self.is_epoch_ms else json_columns.encode_times(time_us)
        )

    def encode_local(self, time_us: TimeColumn) -> msgspec.Raw | msgspec.UnsetType:
        """A column of local times; UNSET where no zone was asked for."""
        return msgspec.UNSET if self.zone is None else json_columns.encode_times(time_us, self.zone)

    def columns(self, name: str, time_us: TimeColumn) -> list[formats.Column]:
        """Table columns: the time, and the local one where asked for."""
        found = [formats.times(name, time_us, is_epoch_ms=self.is_epoch_ms)]
        if self.zone is not None:
            found.append(formats.times(f"{name}_local", time_us, zone=self.zone))
        return found
