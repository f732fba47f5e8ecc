"""Accounts for tests: cheap hashes, a clock that is set by hand, one account of every role."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from index.domain import Role
from index.settings import Settings
from ui.accounts import Accounts
from ui.passwords import Passwords

PASSWORD: Final = "Shui-Ku-1985-qudao"
#: Sign-in name, person, role, department.
PEOPLE: Final = (
    ("archivist", "档某", Role.ARCHIVIST, "办公室"),
    ("clerk", "王科", Role.STAFF, "办公室"),
    ("other", "赵科", Role.STAFF, "法工委"),
    ("deputy", "李代表", Role.DEPUTY, ""),
    ("public", "路人", Role.PUBLIC, ""),
    ("system", "系某", Role.SYSTEM_ADMIN, ""),
    ("security", "安某", Role.SECURITY_ADMIN, ""),
    ("auditor", "审某", Role.AUDITOR, ""),
)


@dataclass
class Clock:
    """Unix time that stands still until it is moved."""

    at: float = field(default=1_700_000_000.0)

    def __call__(self) -> float:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += seconds


class CountingPasswords(Passwords):
    """Cheap hashing that counts how often it did the work."""

    def __init__(self) -> None:
        super().__init__(memory_kib=32, passes=1)
        self.work = 0

    def verify(self, stored: str | None, password: str) -> bool:
        self.work += 1
        return super().verify(stored, password)


def open_accounts(settings: Settings, clock: Clock | None = None) -> Accounts:
    """No account yet, and cheap hashes."""
    return Accounts(settings, CountingPasswords(), clock or Clock())


def add_people(accounts: Accounts) -> None:
    """One account of every role, all in force, with the same password."""
    for account, name, role, department in PEOPLE:
        accounts.add(
            account, name, role, PASSWORD, department=department, approved=True, must_change=False
        )
