"""Passwords: what is accepted, how it is stored; the only file that imports argon2."""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from index.errors import ArchiveError

SHORTEST: Final = 10
#: From this length on, any kinds of characters will do.
LONG_ENOUGH: Final = 15
LONGEST: Final = 128
KINDS_WANTED: Final = 3
_DIFFERENT_WANTED: Final = 5

RULE: Final = (
    f"密码至少 {SHORTEST} 个字符，大写字母、小写字母、数字、其他符号四种里至少有 {KINDS_WANTED} 种；"
    f"或者至少 {LONG_ENOUGH} 个字符，不限种类。不能含登录名，不能是常见密码。"
)

_KINDS: Final = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")
#: Common passwords, once digits and signs at both ends are taken off and look-alikes put back.
_COMMON: Final = frozenset(
    "password passwd admin administrator root qwerty qwertyuiop qwert asdf asdfgh asdfghjkl zxcvbn"
    " zxcvbnm qazwsx qazwsxedc abc abcd abcdef abcdefg welcome letmein iloveyou woaini test guest"
    " user login chadang dangan danganguan danganju renda renda changwei changweihui system"
    " manager master server computer internet china zhongguo beijing".split()
)
_LOOK_ALIKES: Final = str.maketrans("@4013$57!", "aaolessti")
_RUNS: Final = (
    "01234567890",
    "09876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
)
#: Letters and digits that are not mistaken for one another when read aloud or from paper.
_CLEAR: Final = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class WeakPasswordError(ArchiveError):
    """A password is not accepted; the message says which rule it breaks."""


class Passwords:
    """Makes and checks argon2id hashes, at most a few at the same time. Safe between threads.

    Source:
        RFC 9106, second recommended option (64 MiB, three passes), the library's default.
    """

    def __init__(self, *, memory_kib: int = 65536, passes: int = 3, at_once: int = 2) -> None:
        """Set the cost.

        Args:
            memory_kib: Memory of one computation, KiB.
            passes: Passes over the memory.
            at_once: Computations allowed at the same time, so that a flood of sign-ins cannot
                take the machine's memory.
        """
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib)
        self._slots = threading.BoundedSemaphore(at_once)

    def hash(self, password: str) -> str:
        """The salted hash of a password, as text that names its own parameters."""
        with self._slots:
            return self._hasher.hash(_normal(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether a password belongs to a stored hash.

        The same work is done when there is nothing stored, so that the time taken does not tell
        whether an account exists.
        """
        password = _normal(password[: LONGEST + 1])
        with self._slots:
            if stored is None:
                self._hasher.hash(password)
                return False
            try:
                return self._hasher.verify(stored, password)
            except (VerificationError, InvalidHashError):
                return False


def check_password(password: str, account: str) -> None:
    """Refuse a weak password.

    Raises:
        WeakPasswordError: If it is too short, too long, too simple, common, or holds the account name.
    """
    password = _normal(password)
    if len(password) > LONGEST:
        msg = f"密码太长，请不超过 {LONGEST} 个字符。"
        raise WeakPasswordError(msg)
    if any(unicodedata.category(character) == "Cc" for character in password):
        msg = "密码里不能有换行、制表符这类看不见的字符。"
        raise WeakPasswordError(msg)
    kinds = sum(bool(re.search(kind, password)) for kind in _KINDS)
    if len(password) < SHORTEST or (len(password) < LONG_ENOUGH and kinds < KINDS_WANTED):
        raise WeakPasswordError(RULE)
    if account.casefold() in password.casefold():
        msg = "密码里不能含登录名，请换一个。"
        raise WeakPasswordError(msg)
    if _is_common(password):
        msg = "这个密码太常见，容易被猜中，请换一个。"
        raise WeakPasswordError(msg)


def new_password() -> str:
    """A random password that obeys the rule and can be read aloud: four groups of four."""
    while True:
        groups = ("".join(secrets.choice(_CLEAR) for _ in range(4)) for _ in range(4))
        password = "-".join(groups)
        if all(re.search(kind, password) for kind in _KINDS):
            return password


def _is_common(password: str) -> bool:
    folded = password.casefold()
    if len(set(folded)) < _DIFFERENT_WANTED:
        return True
    without_tail = re.sub(r"[^a-z]+$", "", folded)
    bare = re.sub(r"^[^a-z]+", "", without_tail)
    plain = re.sub(r"[^a-z]", "", without_tail.translate(_LOOK_ALIKES))
    if {bare, plain} & _COMMON:
        return True
    # a run along the keyboard or the digits, with little else
    rest = folded
    for run in _RUNS:
        for length in range(len(run), 3, -1):
            for start in range(len(run) - length + 1):
                rest = rest.replace(run[start : start + length], "")
    return len(rest) < _DIFFERENT_WANTED


def _normal(password: str) -> str:
    """One form for what different keyboards type for the same characters."""
    return unicodedata.normalize("NFC", password)
