"""Types of settings that all protocols share; the ranges are checked when a file is read."""

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Seconds = Annotated[float, msgspec.Meta(ge=0.01, le=3600.0)]
Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]
