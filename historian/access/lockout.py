"""Locks after failed logins, of an account and of an address: each further failure doubles the lock, up to a bound.

An address from which somebody logged in before has a count of its own for that account, so that failures from elsewhere
do not keep the rightful one out (IEC 62443-3-3 SR 1.11). Accounts that do not exist are counted alike.
"""

import ipaddress
from typing import Final, NamedTuple

from historian.settings import AccessSettings

KEYS_MAX: Final = 10_000  # of accounts and addresses; the one that failed longest ago is forgotten first
_KEY_LENGTH_MAX: Final = 64
_IPV6_PREFIX: Final = 64  # one subscriber has all addresses below
_DOUBLINGS_MAX: Final = 20


class Failures(NamedTuple):
    """Failed logins in a row; 0 as the end of a lock: there is none."""

    failed_count: int
    last_us: int
    locked_until_us: int


def account_key(account: str, address: str, *, is_known: bool) -> str:
    """Under which an account's failures are counted; `is_known`: somebody logged in to it from there before."""
    name = f"account:{account[:_KEY_LENGTH_MAX]}"
    return f"{name}@{network_of(address)}" if is_known else name


def address_key(address: str) -> str:
    """Under which an address's failures are counted."""
    return f"address:{network_of(address)}"


def network_of(address: str) -> str:
    """The address, of IPv6 the network a subscriber has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:_KEY_LENGTH_MAX]
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def locked_s(failures: Failures | None, now_us: int) -> int:
    """For how many seconds yet there is a lock, rounded up; 0: none."""
    if failures is None:
        return 0
    return max(0, -((now_us - failures.locked_until_us) // 1_000_000))


def after_failure(
    before: Failures | None, now_us: int, failures_max: int, limits: AccessSettings
) -> Failures:
    """What is known after one more failure; those before the window no longer count."""
    window_us = limits.login_window_s * 1_000_000
    is_old = before is None or now_us - max(before.last_us, before.locked_until_us) > window_us
    count = 1 if is_old or before is None else before.failed_count + 1
    if count < failures_max:
        return Failures(count, now_us, 0)
    lock_s = min(limits.lockout_s << min(count - failures_max, _DOUBLINGS_MAX), limits.lockout_s_max)
    return Failures(count, now_us, now_us + lock_s * 1_000_000)
