"""Failed logins and the addresses people came from before, in memory, with the access file behind.

`lockout` is the rule; here is what is counted. Changes block until they are on disk, as those of the book.
"""

import threading
from collections.abc import Callable

from historian.access import lockout
from historian.access.lockout import Failures
from historian.access.table import KNOWN_ADDRESSES_MAX, Statement
from historian.clock import Clock
from historian.settings import AccessSettings


class LockoutBook:
    """Counts of failed logins by account and address, and what is locked because of them."""

    def __init__(
        self, clock: Clock, limits: AccessSettings, lock: threading.RLock, write: Callable[..., None]
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = lock
        self._write = write  # all statements or none
        self._failures: dict[str, Failures] = {}
        self._known: dict[str, frozenset[str]] = {}

    def take(self, failures: dict[str, Failures], known: dict[str, frozenset[str]]) -> None:
        """What the file says: counts by key, and networks by person."""
        self._failures, self._known = failures, known

    def failure_keys(self, account: str, address: str) -> tuple[str, str]:
        """Under which failures of this account and this address are counted."""
        is_known = lockout.network_of(address) in self._known.get(account, frozenset())
        return lockout.account_key(account, address, is_known=is_known), lockout.address_key(address)

    def locked_s(self, account: str, address: str) -> int:
        """For how many seconds yet nobody may log in so; 0: now."""
        now_us = self._clock.now_us()
        return max(
            lockout.locked_s(self._failures.get(key), now_us) for key in self.failure_keys(account, address)
        )

    def note_failure(self, account: str, address: str) -> int:
        """One more failed login; for how many seconds there is a lock now."""
        now_us, limits = self._clock.now_us(), self._limits
        maxima = (limits.login_failures_max, limits.address_failures_max)
        with self._lock:
            statements: list[Statement] = []
            for key, failures_max in zip(self.failure_keys(account, address), maxima, strict=True):
                found = lockout.after_failure(self._failures.get(key), now_us, failures_max, limits)
                self._failures[key] = found
                statements.append(("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?)", (key, *found)))
            while len(self._failures) > lockout.KEYS_MAX:
                oldest = min(self._failures, key=lambda key: self._failures[key].last_us)
                del self._failures[oldest]
                statements.append(("DELETE FROM failure WHERE key = ?", (oldest,)))
            self._write(*statements)
        return self.locked_s(account, address)

    def forget_failures(self, account: str, address: str | None = None) -> int:
        """Unlock an account, everywhere, or that address alone with it; how many counts were dropped."""
        with self._lock:
            name = lockout.account_key(account, "", is_known=False)
            keys = [key for key in self._failures if key == name or key.startswith(f"{name}@")]
            if address is not None:
                keys = [key for key in self.failure_keys(account, address) if key in self._failures]
            if keys:
                self._write(*(("DELETE FROM failure WHERE key = ?", (key,)) for key in keys))
            for key in keys:
                del self._failures[key]
        return len(keys)

    def locks(self) -> dict[str, Failures]:
        """Accounts and addresses that are locked now."""
        now_us = self._clock.now_us()
        return {key: one for key, one in self._failures.items() if lockout.locked_s(one, now_us)}

    def forget_address(self, address: str) -> int:
        """Unlock an address; how many counts were dropped."""
        with self._lock:
            key = lockout.address_key(address)
            if key not in self._failures:
                return 0
            self._write(("DELETE FROM failure WHERE key = ?", (key,)))
            del self._failures[key]
        return 1

    def note_address(self, person_id: str, address: str, now_us: int) -> list[Statement]:
        """Remember that this person came from there; statements for the caller's own change."""
        network = lockout.network_of(address)
        self._known = self._known | {person_id: self._known.get(person_id, frozenset()) | {network}}
        surplus = (
            "DELETE FROM known_address WHERE person = ?1 AND address NOT IN "
            "(SELECT address FROM known_address WHERE person = ?1 ORDER BY last_us DESC LIMIT ?2)"
        )
        return [
            ("INSERT OR REPLACE INTO known_address VALUES (?, ?, ?)", (person_id, network, now_us)),
            (surplus, (person_id, KNOWN_ADDRESSES_MAX)),
        ]
