"""Structured log lines: an event word, then key=value. One line a state change, none a sample."""

import datetime
import logging
import sys
from typing import TextIO


class KeyValueFormatter(logging.Formatter):
    """``2026-11-22T08:15:30.123Z INFO  store.opened segments=12 start_ms=40``; values with spaces are quoted."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        text = stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"
        parts = [text, f"{record.levelname:<7}", record.getMessage()]
        fields: dict[str, object] = getattr(record, "fields", {})
        parts += [f"{key}={_quote(value)}" for key, value in fields.items()]
        if record.exc_info:  # our own fault: the only case with more than one line
            parts.append("\n" + self.formatException(record.exc_info))
        return " ".join(parts)


class EventLog:
    """A named logger whose calls take an event word and fields, so no caller builds text."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"historian.{name}")
        self._prefix = name

    def info(self, event: str, **fields: object) -> None:
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._log(logging.ERROR, event, fields)

    def _log(self, level: int, event: str, fields: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s.%s", self._prefix, event, extra={"fields": fields})


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send every ``historian`` log line of `level` or worse to `stream` (default: standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("historian").setLevel(level.upper())


def _quote(value: object) -> str:
    text = str(value)
    if text and not any(mark in text for mark in ' "=\n'):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
