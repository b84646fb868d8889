"""What makes a password good enough: length, kinds of sign, not the name, none that everybody tries first."""

from collections.abc import Callable
from typing import Final

from historian.access.password import PASSWORD_BYTES_MAX
from historian.errors import AccessInvalid
from historian.settings import AccessSettings

NAME_LENGTH_MIN: Final = 4  # a shorter name may be part of a good password

_KINDS: Final[tuple[Callable[[str], bool], ...]] = (
    str.islower,
    str.isupper,
    str.isdigit,
    lambda sign: not (sign.islower() or sign.isupper() or sign.isdigit()),
)

# What stays of a password without its signs and digits at the ends, or the whole: tried first by everybody.
_BAD: Final = frozenset(
    {
        "password",
        "passwort",
        "passw0rd",
        "p@ssw0rd",
        "p@ssword",
        "pass",
        "admin",
        "administrator",
        "root",
        "toor",
        "guest",
        "test",
        "testing",
        "demo",
        "default",
        "welcome",
        "letmein",
        "changeme",
        "secret",
        "qwerty",
        "qwertyuiop",
        "asdfgh",
        "asdfghjkl",
        "zxcvbnm",
        "1qaz2wsx",
        "qazwsx",
        "1q2w3e4r",
        "1q2w3e4r5t",
        "abc123",
        "abcd1234",
        "a1b2c3d4",
        "iloveyou",
        "dragon",
        "monkey",
        "master",
        "superman",
        "trustno1",
        "historian",
        "scada",
        "operator",
        "dispatcher",
        "engineer",
        "substation",
        "transformer",
        "electric",
        "electricity",
        "power",
        "energy",
        "huawei",
        "siemens",
        "woaini",
        "woaini1314",
        "5201314",
        "1314520",
        "dianli",
        "diaodu",
        "guojiadianwang",
        "nanfangdianwang",
        "mima",
        "guanliyuan",
        "zhangsan",
        "caonima",
        "nihao",
    }
)
_ENDS: Final = "0123456789!@#$%^&*()_-+=.,;:?/\\|~`'\" "


def check_password(password: str, person_id: str, limits: AccessSettings) -> None:
    """Raise AccessInvalid that says what the password lacks; never with the password in it."""
    if len(password) < limits.password_length_min:
        raise AccessInvalid(
            f"the password has {len(password)} signs; at least {limits.password_length_min} are needed",
            f"口令只有 {len(password)} 个字符；至少需要 {limits.password_length_min} 个",
        )
    if len(password.encode("utf-8", "surrogatepass")) > PASSWORD_BYTES_MAX:
        raise AccessInvalid(
            f"the password is longer than {PASSWORD_BYTES_MAX} bytes", f"口令超过 {PASSWORD_BYTES_MAX} 字节"
        )
    kinds = sum(any(map(is_kind, password)) for is_kind in _KINDS)
    if kinds < limits.password_kinds_min:
        raise AccessInvalid(
            f"the password has {kinds} kinds of sign; {limits.password_kinds_min} are needed of: small letter, capital "
            "letter, digit, other",
            f"口令只含 {kinds} 类字符；小写、大写、数字、其他中至少需要 {limits.password_kinds_min} 类",
        )
    plain, name = password.lower(), person_id.lower()
    if len(name) >= NAME_LENGTH_MIN and (name in plain or name[::-1] in plain):
        raise AccessInvalid("the password contains the name", "口令中含有账号名")
    if plain in _BAD or plain.strip(_ENDS) in _BAD or len(set(plain)) < limits.password_length_min // 3:
        raise AccessInvalid("the password is one of those tried first", "口令过于常见，容易被猜中")
