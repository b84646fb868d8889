"""Certificate and key of the server: read at the start, and again when their files change, without a restart.

A certificate that cannot be read at the start is a fault that keeps the server from starting; one that comes later and
cannot be read leaves the one before in force, and says so.
"""

import datetime
import re
import ssl
from pathlib import Path
from typing import Final, NamedTuple

from historian.clock import Clock
from historian.errors import HistorianError
from historian.logs import EventLog
from historian.metrics import Metrics
from historian.settings import ServerSettings

WARNING_DAYS: Final = 30  # so long before its end a certificate is warned of
DAY_US: Final = 86_400 * 1_000_000

_LOG: Final = EventLog("api")
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# DER tags (X.690, 8): what a certificate (RFC 5280, 4.1) is walked by.
_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_STEPS_TO_VALIDITY: Final = 3  # serial number, algorithm, issuer


class _Loaded(NamedTuple):
    """What connections are made with, and the moment the certificate ends."""

    context: ssl.SSLContext
    ends_us: int


class Certificate:
    """The certificate in force. Raises HistorianError where it cannot be used."""

    def __init__(self, settings: ServerSettings, clock: Clock, metrics: Metrics) -> None:
        self._settings = settings
        self._clock = clock
        self._stamps = self._look_at_files()
        self._loaded = _load(settings)
        self._warned_day = -1
        self._warn()
        metrics.gauge(
            "historian_tls_certificate_expires_seconds",
            "Until the server's certificate ends; below 0 it has.",
            lambda: (self.ends_us - clock.now_us()) / 1e6,
        )

    @property
    def context(self) -> ssl.SSLContext:
        """For new connections; those that are open keep theirs."""
        return self._loaded.context

    @property
    def ends_us(self) -> int:
        """UTC."""
        return self._loaded.ends_us

    def look(self) -> None:
        """Take up other files where they changed, and warn once a day of an end that is near. Blocks, never raises."""
        stamps = self._look_at_files()
        if stamps != self._stamps:
            self._stamps = stamps
            try:
                self._loaded = _load(self._settings)
            except HistorianError as error:
                _LOG.error("certificate_not_renewed", problem=error, meaning="the one before stays in force")
            else:
                _LOG.info("certificate_renewed", file=self._settings.tls_certificate)
        self._warn()

    def _look_at_files(self) -> tuple[tuple[int, int] | None, ...]:
        chosen = self._settings
        names = (chosen.tls_certificate, chosen.tls_key, chosen.tls_client_ca)
        return tuple(_stamp(Path(name)) for name in names if name)

    def _warn(self) -> None:
        now_us = self._clock.now_us()
        left_us, day = self.ends_us - now_us, now_us // DAY_US
        if left_us < WARNING_DAYS * DAY_US and day != self._warned_day:
            self._warned_day = day
            file = self._settings.tls_certificate
            _LOG.warning("certificate_ends", file=file, days_left=left_us // DAY_US)


def end_of(certificate: bytes) -> int:
    """When a certificate in DER ends, UTC in µs (its notAfter). Raises ValueError where it is none."""
    _, body, _ = _element(_element(certificate, 0)[1], 0)
    place = _element(body, 0)[2] if body[:1] == bytes((_VERSION,)) else 0
    for _ in range(_STEPS_TO_VALIDITY):
        place = _element(body, place)[2]
    tag, validity, _ = _element(body, place)
    if tag != _SEQUENCE:
        raise ValueError("no validity")
    kind, text, _ = _element(validity, _element(validity, 0)[2])
    digits = text.decode("ascii")
    if kind == _UTC_TIME:  # two digits of the year: RFC 5280, 4.1.2.5.1
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    return round(datetime.datetime.strptime(digits, "%Y%m%d%H%M%S%z").timestamp()) * 1_000_000


def _element(der: bytes, place: int) -> tuple[int, bytes, int]:
    """Tag and content of the element at `place`, and the place behind it. Raises ValueError."""
    if place + 2 > len(der):
        raise ValueError("it ends early")
    length, begin = der[place + 1], place + 2
    if length & 0x80:
        count = length & 0x7F
        length, begin = int.from_bytes(der[begin : begin + count]), begin + count
    if begin + length > len(der):
        raise ValueError("it ends early")
    return der[place], der[begin : begin + length], begin + length


def _load(settings: ServerSettings) -> _Loaded:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    _take_certificate(context, settings)
    if settings.tls_client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(settings.tls_client_ca)
        except (OSError, ssl.SSLError) as error:
            raise HistorianError(
                f"server.tls_client_ca: {settings.tls_client_ca} cannot be used: {_reason(error)}; name a file of "
                "certificates in PEM that may be read"
            ) from None
    return _Loaded(context, _end_of_file(Path(settings.tls_certificate)))


def _take_certificate(context: ssl.SSLContext, settings: ServerSettings) -> None:
    certificate, key = settings.tls_certificate, settings.tls_key
    for field, name in (("tls_certificate", certificate), ("tls_key", key)):
        try:
            Path(name).read_bytes()
        except OSError as error:
            raise HistorianError(
                f"server.{field}: {name} cannot be read: {error.strerror or error}; correct the name, or let the account "
                "of the historian read it"
            ) from None
    try:
        context.load_cert_chain(certificate, key, lambda: b"")  # without it OpenSSL asks at the terminal
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            what = "the key is not that of the certificate; name the key it was made with"
        else:
            what = (
                "they are no certificate chain and key in PEM, or the key has a passphrase; remove the passphrase with "
                "`openssl pkey`, or convert them with `openssl x509` and `openssl pkey`"
            )
        raise HistorianError(
            f"server.tls_certificate {certificate}, server.tls_key {key}: {what} ({_reason(error)})"
        ) from None


def _end_of_file(path: Path) -> int:
    """Of its first certificate, which is the server's own."""
    found = _PEM.search(path.read_text("ascii", "replace"))
    try:
        return end_of(ssl.PEM_cert_to_DER_cert(found[0] if found else ""))
    except ValueError as error:
        raise HistorianError(
            f"server.tls_certificate: {path} begins with no certificate in PEM ({error}); put the server's own first"
        ) from None


def _stamp(path: Path) -> tuple[int, int] | None:
    """Of the file a link leads to: what renews certificates moves links."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _reason(error: OSError) -> str:
    return getattr(error, "reason", "") or error.strerror or str(error)
