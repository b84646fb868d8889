"""Who is known, in memory, with the access file behind: a known token or session costs a look-up and no SQLite.

Changes block until they are on disk, and hold from then on: code on an event loop makes them through
``asyncio.to_thread``. What another process writes into the file (``historian access …``) is taken over by `follow`.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from historian.access import record, secret
from historian.access.lockout_book import LockoutBook
from historian.access.record import Person, Session, Token
from historian.access.table import AccessTable, Statement
from historian.clock import Clock
from historian.errors import AccessConflict, AccessInvalid, AccessNotFound
from historian.model.access import Identity, Right, Role
from historian.settings import AccessSettings

PEOPLE_MAX: Final = 10_000
TOKENS_MAX: Final = 10_000

_FORGET_TOKENS_US: Final = 400 * 86_400 * 1_000_000  # so long an ended token can still be looked up


class Caller(NamedTuple):
    """Who a secret belongs to; `session` and `digest` where it is a session's."""

    identity: Identity
    session: Session | None = None
    digest: bytes = b""
    must_change: bool = False


class Book:
    """All people, tokens and sessions; `lockouts` are their failed logins."""

    def __init__(self, path: Path, clock: Clock, limits: AccessSettings) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = threading.RLock()
        self._table = AccessTable(path)
        self.lockouts = LockoutBook(clock, limits, self._lock, self._write)
        self._sessions: dict[bytes, Session] = {}
        self._seen_us: dict[bytes, int] = {}  # when each session was used last
        self._kept_seen_us: dict[bytes, int] = {}  # the same as it is on disk
        self._setup: tuple[bytes, int] | None = None
        self._read()

    @property
    def limits(self) -> AccessSettings:
        """What it was made with."""
        return self._limits

    def close(self) -> None:
        """Write when sessions were used last, and release the file."""
        self.keep_seen()
        self._table.close()

    def follow(self) -> bool:
        """Take over what another process wrote; whether there was anything. Costs microseconds where there was not."""
        if not self._table.has_moved() or self._table.change_number() == self._change:
            return False
        with self._lock:
            self._read()
        return True

    # ── Secrets ──────────────────────────────────────────────────────────────────────────────────────────────

    def caller_of_token(self, text: str) -> Caller | None:
        """Who a token belongs to; None where it is none of ours, or ended."""
        token = self._tokens.get(secret.digest_of(text))
        if token is None or token.revoked_us or token.expires_us <= self._clock.now_us():
            return None
        return Caller(self._token_identities[token.id])

    def ended_token(self, text: str) -> Token | None:
        """The token of ours that this is, though it ended or was revoked; None where it is none of ours."""
        return self._tokens.get(secret.digest_of(text))

    def caller_of_session(self, text: str, address: str, *, is_use: bool = True) -> Caller | None:
        """Who a session belongs to; None where it ended or comes from elsewhere. `is_use`: it is noted as used now."""
        digest = secret.digest_of(text)
        session = self._sessions.get(digest)
        if session is None or not self._is_alive(digest, session):
            return None
        person = self._people.get(session.person)
        if person is None or person.is_disabled:
            return None
        identity = self._identities[person.id]
        if session.is_display:
            if session.address != address:
                return None
            return Caller(msgspec.structs.replace(identity, rights=frozenset({Right.READ})), session, digest)
        if is_use:
            self._seen_us[digest] = self._clock.now_us()
        return Caller(identity, session, digest, self.must_change(person))

    # ── People ───────────────────────────────────────────────────────────────────────────────────────────────

    def people(self) -> list[Person]:
        """Everybody, by account."""
        return [self._people[person_id] for person_id in sorted(self._people)]

    def person(self, person_id: str) -> Person:
        """Raises AccessNotFound."""
        found = self._people.get(person_id)
        if found is None:
            raise AccessNotFound(f"there is no account {person_id!r}", f"没有账号 {person_id!r}")
        return found

    def find_person(self, person_id: str) -> Person | None:
        """The person, None where there is no such account."""
        return self._people.get(person_id)

    def has_admin(self) -> bool:
        """Whether anybody can log in and administer."""
        return any(map(_administers, self._people.values()))

    def must_change(self, person: Person) -> bool:
        """Whether this person may do nothing but give a new password."""
        age_us = self._limits.password_age_days_max * 86_400 * 1_000_000
        return person.must_change or (age_us > 0 and self._clock.now_us() - person.password_us > age_us)

    def add_person(self, person: Person) -> Person:
        """A new account. Raises AccessInvalid, AccessConflict where there is one of that name."""
        record.check_person(person)
        with self._lock:
            if person.id in self._people:
                raise AccessConflict(
                    f"there is an account {person.id!r} already", f"账号 {person.id!r} 已存在"
                )
            if len(self._people) >= PEOPLE_MAX:
                raise AccessInvalid(f"{PEOPLE_MAX} accounts are the most", f"账号最多 {PEOPLE_MAX} 个")
            made = msgspec.structs.replace(person, created_us=self._clock.now_us())
            self._write(_put_person(made), *_put_former(made))
            self._take_person(made)
        return made

    def change_person(self, person_id: str, changes: Mapping[str, object]) -> tuple[Person, Person]:
        """The person before and after. Raises AccessNotFound, AccessInvalid, AccessConflict where no admin would be left.

        `changes` are fields of Person. Who is disabled, or gets another password, has no session afterwards.
        """
        with self._lock:
            before = self.person(person_id)
            after = msgspec.structs.replace(before, **changes)
            record.check_person(after)
            if _administers(before) and not _administers(after):
                others = (one for one in self._people.values() if one.id != person_id)
                if not any(map(_administers, others)):
                    raise AccessConflict(
                        "nobody else could administer then; make another account an administrator first",
                        "此后将没有管理员；请先指定另一个管理员",
                    )
            statements = [_put_person(after)]
            if after.password != before.password:
                statements += _put_former(after)
            ends = after.is_disabled or after.password != before.password
            if ends:
                statements.append(("DELETE FROM session WHERE person = ?", (person_id,)))
            self._write(*statements)
            self._take_person(after)
            if ends:
                self._forget_sessions(self._sessions_of(person_id))
        return before, after

    def former_passwords(self, person_id: str) -> list[str]:
        """Hashes that may not come back, the present one among them."""
        count = self._limits.password_history_count
        return self._table.former_passwords(person_id, count) if count else []

    # ── Tokens ───────────────────────────────────────────────────────────────────────────────────────────────

    def tokens(self) -> list[Token]:
        """All tokens, oldest first, ended ones too."""
        return [*self._tokens.values()]

    def add_token(
        self, name: str, rights: Sequence[Right], stations: record.Stations, by: str, expires_us: int
    ) -> tuple[Token, str]:
        """A new token, and its text, which nobody can see again. Raises AccessInvalid."""
        made, now_us = secret.make_token(), self._clock.now_us()
        token = Token(
            id=made.id,
            name=name,
            rights=tuple(rights),
            stations=stations,
            created_by=by,
            created_us=now_us,
            expires_us=expires_us,
        )
        record.check_token(token)
        if not now_us < expires_us <= now_us + self._limits.token_days_max * 86_400 * 1_000_000:
            raise AccessInvalid(
                f"a token ends in the future and within {self._limits.token_days_max} days",
                f"令牌到期时间须在今后 {self._limits.token_days_max} 天之内",
            )
        digest = secret.digest_of(made.text)
        with self._lock:
            if len(self._tokens) >= TOKENS_MAX:
                raise AccessInvalid(f"{TOKENS_MAX} tokens are the most", f"令牌最多 {TOKENS_MAX} 个")
            statement = "INSERT INTO token VALUES (?, ?, ?)"
            self._write((statement, (token.id, digest, _json(token))))
            self._take_tokens(self._tokens | {digest: token})
        return token, made.text

    def revoke_token(self, token_id: str) -> Token:
        """The token, now revoked; one that was already stays as it is. Raises AccessNotFound."""
        with self._lock:
            for digest, token in self._tokens.items():  # noqa: B007 - used below
                if token.id == token_id:
                    break
            else:
                raise AccessNotFound(f"there is no token {token_id!r}", f"没有令牌 {token_id!r}")
            if token.revoked_us:
                return token
            gone = msgspec.structs.replace(token, revoked_us=self._clock.now_us())
            self._write(("UPDATE token SET record = ? WHERE id = ?", (_json(gone), token_id)))
            self._take_tokens(self._tokens | {digest: gone})
        return gone

    # ── Sessions ─────────────────────────────────────────────────────────────────────────────────────────────

    def sessions_of(self, person_id: str) -> list[Session]:
        """Those that are open, oldest first."""
        return [self._sessions[digest] for digest in self._sessions_of(person_id)]

    def open_session(
        self, person_id: str, address: str, expires_us: int, *, is_display: bool
    ) -> tuple[Session, str]:
        """A new session, and its text. The oldest ones over the person's limit end."""
        made, now_us = secret.make_session(), self._clock.now_us()
        session = Session(
            id=made.id,
            person=person_id,
            address=address,
            is_display=is_display,
            created_us=now_us,
            expires_us=expires_us,
        )
        digest = secret.digest_of(made.text)
        with self._lock:
            held = [
                one for one in self._sessions_of(person_id) if self._sessions[one].is_display == is_display
            ]
            surplus = held[: max(0, len(held) + 1 - self._limits.sessions_per_person_max)]
            self._write(
                ("INSERT INTO session VALUES (?, ?, ?, ?)", (digest, person_id, _json(session), now_us)),
                *(("DELETE FROM session WHERE digest = ?", (one,)) for one in surplus),
                *self.lockouts.note_address(person_id, address, now_us),
            )
            self._forget_sessions(surplus)
            self._sessions = self._sessions | {digest: session}
            self._seen_us[digest] = now_us
        return session, made.text

    def end_session(self, digest: bytes) -> None:
        """End one session; nothing where it ended already."""
        with self._lock:
            self._write(("DELETE FROM session WHERE digest = ?", (digest,)))
            self._forget_sessions([digest])

    def end_sessions_of(self, person_id: str) -> int:
        """End all sessions of a person; how many there were. Raises AccessNotFound."""
        with self._lock:
            self.person(person_id)
            held = self._sessions_of(person_id)
            self._write(("DELETE FROM session WHERE person = ?", (person_id,)))
            self._forget_sessions(
                [digest for digest, one in self._sessions.items() if one.person == person_id]
            )
        return len(held)

    def keep_seen(self) -> None:
        """Write when sessions were used last, and drop what ended: after a restart they go on from there."""
        with self._lock:
            now_us = self._clock.now_us()
            ended = [
                digest for digest, session in self._sessions.items() if not self._is_alive(digest, session)
            ]
            moved = [
                (seen_us, digest)
                for digest, seen_us in self._seen_us.items()
                if seen_us != self._kept_seen_us.get(digest) and digest not in ended
            ]
            old = [
                digest
                for digest, token in self._tokens.items()
                if token.expires_us < now_us - _FORGET_TOKENS_US
            ]
            if not (ended or moved or old):
                return
            self._write(
                *(("DELETE FROM session WHERE digest = ?", (digest,)) for digest in ended),
                *(("UPDATE session SET seen_us = ? WHERE digest = ?", entry) for entry in moved),
                *(("DELETE FROM token WHERE digest = ?", (digest,)) for digest in old),
            )
            self._forget_sessions(ended)
            self._take_tokens({digest: one for digest, one in self._tokens.items() if digest not in old})
            self._kept_seen_us = dict(self._seen_us)

    # ── The first start ──────────────────────────────────────────────────────────────────────────────────────

    def make_setup_token(self) -> str:
        """A token with which the first administrator is made, once; one made before no longer works."""
        text = secret.make_setup_token()
        setup = secret.digest_of(text), self._clock.now_us() + self._limits.setup_token_s * 1_000_000
        with self._lock:
            self._write(("INSERT OR REPLACE INTO setup VALUES (1, ?, ?)", setup))
            self._setup = setup
        return text

    def is_setup_token(self, text: str) -> bool:
        """Whether it is the one printed last, unused and in time."""
        return (
            self._setup is not None
            and secret.is_same(secret.digest_of(text).hex(), self._setup[0].hex())
            and self._clock.now_us() < self._setup[1]
        )

    def use_setup_token(self, text: str, person: Person) -> Person:
        """The first administrator. Raises AccessConflict where the token was used meanwhile."""
        with self._lock:
            if not self.is_setup_token(text):
                raise AccessConflict("the token of the first start was used already", "首次启动令牌已被使用")
            made = self.add_person(person)
            self._write(("DELETE FROM setup", ()))
            self._setup = None
        return made

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self) -> None:
        loaded = self._table.load()
        seen_us = self._seen_us
        self._change = loaded.change
        self._people = loaded.people
        self._identities = {person.id: person.identity() for person in loaded.people.values()}
        self._take_tokens(loaded.tokens)
        self._sessions = loaded.sessions
        self._kept_seen_us = loaded.seen_us
        self._seen_us = {key: max(value, seen_us.get(key, 0)) for key, value in loaded.seen_us.items()}
        self.lockouts.take(loaded.failures, loaded.known)
        self._setup = loaded.setup

    def _write(self, *statements: Statement) -> None:
        """The change of another process that came between is not lost: its number is not ours."""
        number = self._table.write(*statements)
        if number == self._change + 1:
            self._change = number

    def _take_person(self, person: Person) -> None:
        self._people = self._people | {person.id: person}
        self._identities = self._identities | {person.id: person.identity()}

    def _take_tokens(self, tokens: dict[bytes, Token]) -> None:
        self._token_identities = {token.id: token.identity() for token in tokens.values()}
        self._tokens = tokens

    def _sessions_of(self, person_id: str) -> list[bytes]:
        held = [
            (session.created_us, digest)
            for digest, session in self._sessions.items()
            if session.person == person_id and self._is_alive(digest, session)
        ]
        return [digest for _, digest in sorted(held)]

    def _is_alive(self, digest: bytes, session: Session) -> bool:
        now_us = self._clock.now_us()
        if now_us >= session.expires_us:
            return False
        idle_us = now_us - self._seen_us.get(digest, session.created_us)
        return session.is_display or idle_us < self._limits.session_idle_s * 1_000_000

    def _forget_sessions(self, digests: Sequence[bytes]) -> None:
        gone = frozenset(digests)
        self._sessions = {digest: one for digest, one in self._sessions.items() if digest not in gone}
        self._seen_us = {digest: one for digest, one in self._seen_us.items() if digest not in gone}


def _administers(person: Person) -> bool:
    return Role.ADMIN in person.roles and bool(person.password) and not person.is_disabled


def _put_person(person: Person) -> Statement:
    return "INSERT OR REPLACE INTO person VALUES (?, ?)", (person.id, _json(person))


def _put_former(person: Person) -> list[Statement]:
    if not person.password:
        return []
    return [("INSERT INTO former_password (person, password) VALUES (?, ?)", (person.id, person.password))]


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
