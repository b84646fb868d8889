"""Counters and gauges, and their Prometheus text form."""

from collections.abc import Callable, Iterator


class Counter:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, amount: float = 1.0) -> None:
        assert amount >= 0.0, "a counter never goes back"
        self.value += amount


class Metrics:
    """All metrics of one process, by name and labels. Owned by `app.py`, handed to whoever counts."""

    def __init__(self) -> None:
        self._help: dict[str, tuple[str, str]] = {}
        self._counters: dict[tuple[str, str], Counter] = {}
        self._gauges: dict[tuple[str, str], Callable[[], float]] = {}

    def counter(self, name: str, help_text: str, **labels: str) -> Counter:
        """The counter of that name and those labels, made at first use. `name` ends in ``_total``."""
        assert name.startswith("historian_"), name
        assert name.endswith("_total"), name
        self._help.setdefault(name, ("counter", help_text))
        return self._counters.setdefault((name, _label_text(labels)), Counter())

    def gauge(self, name: str, help_text: str, read: Callable[[], float], **labels: str) -> None:
        """Register a gauge that is read when asked for."""
        assert name.startswith("historian_"), name
        self._help.setdefault(name, ("gauge", help_text))
        self._gauges[(name, _label_text(labels))] = read

    def observed_counter(self, name: str, help_text: str, read: Callable[[], float], **labels: str) -> None:
        """Register a counter that its owner keeps and that is read when asked for. `name` ends in ``_total``."""
        assert name.startswith("historian_"), name
        assert name.endswith("_total"), name
        self._help.setdefault(name, ("counter", help_text))
        self._gauges[(name, _label_text(labels))] = read

    def names(self) -> Iterator[str]:
        """Every metric name, for the check that each is documented."""
        return iter(self._help)

    def to_prometheus_text(self) -> str:
        """The exposition format, version 0.0.4."""
        samples: dict[str, list[str]] = {name: [] for name in self._help}
        for (name, labels), counter in self._counters.items():
            samples[name].append(f"{name}{labels} {_number_text(counter.value)}")
        for (name, labels), read in self._gauges.items():
            samples[name].append(f"{name}{labels} {_number_text(read())}")
        lines: list[str] = []
        for name, (kind, help_text) in self._help.items():
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", *samples[name]]
        return "\n".join(lines) + "\n"


def _label_text(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    pairs = (f'{key}="{_escape(labels[key])}"' for key in sorted(labels))
    return "{" + ",".join(pairs) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number_text(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
