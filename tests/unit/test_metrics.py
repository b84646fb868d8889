"""Counters and gauges in the Prometheus text form."""

import pytest

from historian.metrics import Metrics


def test_text_has_help_type_and_one_line_for_each_label_set() -> None:
    metrics = Metrics()
    metrics.counter("historian_samples_total", "Samples taken.", source="http").add(3)
    metrics.counter("historian_samples_total", "Samples taken.", source="csv").add()
    assert metrics.to_prometheus_text() == (
        "# HELP historian_samples_total Samples taken.\n"
        "# TYPE historian_samples_total counter\n"
        'historian_samples_total{source="http"} 3\n'
        'historian_samples_total{source="csv"} 1\n'
    )


def test_the_same_name_and_labels_are_the_same_counter() -> None:
    metrics = Metrics()
    first = metrics.counter("historian_x_total", "X.", b="2", a="1")
    assert metrics.counter("historian_x_total", "X.", a="1", b="2") is first


def test_a_gauge_is_read_when_asked_for() -> None:
    metrics, level = Metrics(), [1.0]
    metrics.gauge("historian_queue_samples", "Waiting.", lambda: level[0])
    level[0] = 2.5
    assert metrics.to_prometheus_text().endswith("historian_queue_samples 2.5\n")


def test_an_observed_counter_is_read_when_asked_for() -> None:
    metrics, kept = Metrics(), [3]
    metrics.observed_counter("historian_restarts_total", "Restarts.", lambda: float(kept[0]), driver="a")
    kept[0] = 4
    text = metrics.to_prometheus_text()
    assert "# TYPE historian_restarts_total counter\n" in text
    assert text.endswith('historian_restarts_total{driver="a"} 4\n')


def test_label_values_are_escaped() -> None:
    metrics = Metrics()
    metrics.gauge("historian_x", "X.", lambda: 1.0, path='a"b\\c\nd')
    assert 'historian_x{path="a\\"b\\\\c\\nd"} 1\n' in metrics.to_prometheus_text()


@pytest.mark.parametrize("name", ["samples_total", "historian_samples"], ids=["no prefix", "no suffix"])
def test_a_counter_with_a_wrong_name_is_our_mistake(name: str) -> None:
    with pytest.raises(AssertionError):
        Metrics().counter(name, "X.")


def test_a_counter_never_goes_back() -> None:
    with pytest.raises(AssertionError, match="never goes back"):
        Metrics().counter("historian_x_total", "X.").add(-1)


def test_names_lists_each_metric_once() -> None:
    metrics = Metrics()
    metrics.counter("historian_x_total", "X.", a="1")
    metrics.counter("historian_x_total", "X.", a="2")
    metrics.gauge("historian_y", "Y.", lambda: 0.0)
    assert list(metrics.names()) == ["historian_x_total", "historian_y"]
