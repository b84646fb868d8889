import pytest

from historian.access import lockout
from historian.access.lockout import Failures
from historian.settings import AccessSettings


def test_failures_before_the_window_no_longer_count() -> None:
    limits = AccessSettings(login_window_s=10)
    before = Failures(4, 0, 0)
    assert lockout.after_failure(before, 10_000_000, 5, limits).failed_count == 5
    assert lockout.after_failure(before, 10_000_001, 5, limits).failed_count == 1


def test_no_lock_is_longer_than_its_bound() -> None:
    limits = AccessSettings()
    found = lockout.after_failure(Failures(1000, 0, 0), 0, 5, limits)
    assert lockout.locked_s(found, 0) == limits.lockout_s_max


@pytest.mark.parametrize(
    ("address", "network"),
    [("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::/64"), ("", "")],
)
def test_of_ipv6_a_subscribers_network_counts(address: str, network: str) -> None:
    assert lockout.network_of(address) == network
