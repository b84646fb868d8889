"""Where people come in: passwords are checked in few threads, so that many logins neither hold the loop nor eat memory.

Who does not exist costs the same check as who does, and gets the same answer.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from historian.access import password, password_rule
from historian.access.book import Book
from historian.access.password import COST, Cost
from historian.access.record import Person, Session
from historian.clock import Clock
from historian.errors import AccessInvalid, LoginLocked, LoginRefused, LoginsFull
from historian.logs import EventLog
from historian.metrics import Metrics
from historian.model.access import Role

log = EventLog("access")

RETRY_AFTER_S: Final = 5
FOLLOW_S: Final = 1.0  # how soon the server notices what `historian access` changed
KEEP_SEEN_S: Final = 60.0
DAY_US: Final = 86_400 * 1_000_000


class Opened(NamedTuple):
    """A new session; its `text` goes into a cookie and nowhere else."""

    person: Person
    session: Session
    text: str


class Door:
    """Logs people in and changes passwords. `book` knows who they are."""

    def __init__(self, book: Book, clock: Clock, metrics: Metrics, cost: Cost = COST) -> None:
        self.book = book
        self._clock = clock
        self._cost = cost
        self._dummy = password.unmatched_hash(cost)
        self._free = asyncio.Semaphore(book.limits.logins_at_once_max)
        self._waiting_count = 0
        self._checks = metrics.counter(
            "historian_access_password_checks_total", "Passwords checked, for accounts that exist or not."
        )
        self._outcomes = {
            outcome: metrics.counter(
                "historian_access_logins_total", "Logins by what became of them.", outcome=outcome
            )
            for outcome in ("done", "refused", "locked", "busy")
        }
        metrics.gauge(
            "historian_access_locks", "Accounts and addresses locked now.", lambda: len(book.lockouts.locks())
        )

    async def log_in(self, account: str, given: str, address: str, display_days: int = 0) -> Opened:
        """A new session; with `display_days` one for a wall display at that address, which only reads.

        Raises LoginRefused, LoginLocked, LoginsFull, and AccessInvalid where the display's days are too many.
        """
        days_max = self.book.limits.display_days_max
        if display_days > days_max:
            raise AccessInvalid(f"display_days: at most {days_max}", f"display_days：最多 {days_max} 天")
        person = await self._check(account, given, address)
        lasts_us = display_days * DAY_US or self.book.limits.session_s_max * 1_000_000
        session, text = await asyncio.to_thread(
            self.book.open_session,
            person.id,
            address,
            self._clock.now_us() + lasts_us,
            is_display=display_days > 0,
        )
        self._outcomes["done"].add()
        return Opened(person, session, text)

    async def change_password(self, person_id: str, present: str, new: str, address: str) -> Person:
        """The person with a password of their own choice; all their sessions ended.

        Raises LoginRefused and LoginLocked for the present one, AccessInvalid for the new one.
        """
        person = await self._check(person_id, present, address)
        return await self.set_password(person.id, new, must_change=False)

    async def set_password(self, person_id: str, new: str, *, must_change: bool) -> Person:
        """As given by an administrator, to be changed at the next login. Raises AccessNotFound, AccessInvalid."""
        self.book.person(person_id)
        hashed = await self._hash(person_id, new)
        changes = {"password": hashed, "password_us": self._clock.now_us(), "must_change": must_change}
        return (await asyncio.to_thread(self.book.change_person, person_id, changes))[1]

    async def set_up(self, token: str, person_id: str, display_name: str, new: str, address: str) -> Person:
        """The first administrator. Raises LoginRefused where the token is not the one printed, LoginLocked, AccessInvalid."""
        self._require_unlocked("", address)
        if not self.book.is_setup_token(token):
            await asyncio.to_thread(self.book.lockouts.note_failure, "", address)
            raise LoginRefused
        hashed = await self._hash(person_id, new)
        person = Person(
            id=person_id,
            display_name=display_name,
            roles=(Role.ADMIN,),
            password=hashed,
            password_us=self._clock.now_us(),
        )
        return await asyncio.to_thread(self.book.use_setup_token, token, person)

    async def run_background(self) -> None:
        """Notice what other processes change, and keep when sessions were used; until cancelled."""
        kept_s = self._clock.monotonic_s()
        while True:
            await self._clock.sleep(FOLLOW_S)
            if self.book.follow():
                log.info("access_followed", meaning="another process changed the access file")
            if self._clock.monotonic_s() - kept_s >= KEEP_SEEN_S:
                kept_s = self._clock.monotonic_s()
                await asyncio.to_thread(self.book.keep_seen)

    async def _check(self, account: str, given: str, address: str) -> Person:
        self._require_unlocked(account, address)
        person = self.book.find_person(account)
        kept = person.password if person is not None and person.password else self._dummy
        async with self._slot():
            self._require_unlocked(account, address)  # those who waited with us may have failed
            self._checks.add()
            is_right = await asyncio.to_thread(password.matches, given, kept)
        if is_right and person is not None and person.password and not person.is_disabled:
            await asyncio.to_thread(self.book.lockouts.forget_failures, account, address)
            return person
        locked_s = await asyncio.to_thread(self.book.lockouts.note_failure, account, address)
        self._outcomes["refused"].add()
        log.warning("login_refused", address=address, locked_s=locked_s)
        raise LoginRefused

    def _require_unlocked(self, account: str, address: str) -> None:
        locked_s = self.book.lockouts.locked_s(account, address)
        if locked_s:
            self._outcomes["locked"].add()
            raise LoginLocked(locked_s)

    async def _hash(self, person_id: str, new: str) -> str:
        """Raises AccessInvalid where the password is not good enough or was used before."""
        password_rule.check_password(new, person_id, self.book.limits)
        for former in self.book.former_passwords(person_id):
            async with self._slot():
                self._checks.add()
                is_former = await asyncio.to_thread(password.matches, new, former)
            if is_former:
                count = self.book.limits.password_history_count
                raise AccessInvalid(
                    f"the password was used before; the last {count} are not taken again",
                    f"该口令曾使用过；不得重复最近 {count} 个口令",
                )
        async with self._slot():
            return await asyncio.to_thread(password.hash_password, new, self._cost)

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """One of the few threads that check passwords. Raises LoginsFull where too many wait."""
        if self._free.locked() and self._waiting_count >= self.book.limits.logins_waiting_max:
            self._outcomes["busy"].add()
            raise LoginsFull(RETRY_AFTER_S)
        self._waiting_count += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting_count -= 1
        try:
            yield
        finally:
            self._free.release()
