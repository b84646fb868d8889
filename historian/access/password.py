"""Passwords as scrypt hashes that carry their own cost, so that it may be raised later (RFC 7914)."""

import base64
import hashlib
import hmac
import secrets
from typing import Final, NamedTuple

PASSWORD_BYTES_MAX: Final = 1024  # longer ones cost time and add nothing
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32


class Cost(NamedTuple):
    """What one check costs: ``128 · n · r`` bytes of memory, and time in step with ``n · r · p``."""

    n: int
    r: int
    p: int


COST: Final = Cost(1 << 15, 8, 3)  # 32 MiB, 0.2 to 0.4 s; as strong as 128 MiB at p = 1


def hash_password(password: str, cost: Cost = COST) -> str:
    """``scrypt$n$r$p$salt$hash``. Blocks for a check's time; other threads run on."""
    salt = secrets.token_bytes(SALT_BYTES)
    return "$".join(["scrypt", *map(str, cost), _text(salt), _text(_scrypt(password, salt, cost))])


def unmatched_hash(cost: Cost = COST) -> str:
    """What a password is checked against where there is none: it costs the same and nothing matches it."""
    salt, hashed = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(HASH_BYTES)
    return "$".join(["scrypt", *map(str, cost), _text(salt), _text(hashed)])


def matches(password: str, kept: str) -> bool:
    """Whether it is the password that was hashed. Blocks as `hash_password`, whatever the answer."""
    word, n, r, p, salt, expected = kept.split("$")
    assert word == "scrypt", "no other kind was ever written"
    found = _scrypt(password, base64.b64decode(salt), Cost(int(n), int(r), int(p)))
    return hmac.compare_digest(found, base64.b64decode(expected))


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass")[:PASSWORD_BYTES_MAX],
        salt=salt,
        n=cost.n,
        r=cost.r,
        p=cost.p,
        maxmem=128 * cost.r * (cost.n + cost.p + 2),
        dklen=HASH_BYTES,
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
