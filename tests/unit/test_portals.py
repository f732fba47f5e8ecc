"""Tokens that portals sign: taken once, in time, from portals we trust, within what they may grant."""

from __future__ import annotations

import base64
import hmac
import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from index.domain import Reader, Role
from tests.widget_fakes import sign as signed
from ui.portals import LEEWAY_S, LIFETIME_S, PortalError, Portals, TokenRefusedError
from ui.widget_sessions import WidgetSessions

NOW = 1_800_000_000
Sign = Callable[..., str]


@pytest.fixture
def portals(tmp_path: Path) -> Portals:
    return Portals(tmp_path, clock=lambda: NOW)


@pytest.fixture
def sign(portals: Portals) -> Sign:
    secret = portals.add("oa", (Role.STAFF, Role.DEPUTY))
    audience = portals.audience

    def make(**claims: object) -> str:
        usual = {"iat": NOW, "exp": NOW + 60, "jti": "j1"}
        return signed(str(claims.pop("secret", secret)), audience, **{**usual, **claims})

    return make


def _refused(portals: Portals, token: str, *, public: bool = False) -> str:
    with pytest.raises(TokenRefusedError) as caught:
        portals.redeem(token, public_access=public)
    assert str(caught.value)
    return caught.value.code


def _by_hand(header: dict[str, object], body: bytes, secret: str = "") -> str:
    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    text = f"{part(json.dumps(header).encode())}.{part(body)}"
    if not secret:
        return f"{text}."
    return f"{text}.{part(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def test_a_token_names_its_reader_and_the_account_is_the_portal_s_own(
    portals: Portals, sign: Sign
) -> None:
    portal, reader = portals.redeem(sign(department="办公室"), public_access=False)

    assert portal == "oa"
    assert reader == Reader(Role.STAFF, "张三", "办公室", "oa/zhangsan")


def test_a_deputy_gets_no_department(portals: Portals, sign: Sign) -> None:
    _, reader = portals.redeem(sign(role="代表", department="办公室"), public_access=False)

    assert reader == Reader(Role.DEPUTY, "张三", "", "oa/zhangsan")


def test_a_token_is_taken_once_even_by_two_at_a_time(portals: Portals, sign: Sign) -> None:
    token = sign()
    outcomes: list[str] = []

    def redeem() -> None:
        try:
            portals.redeem(token, public_access=False)
            outcomes.append("taken")
        except TokenRefusedError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=redeem) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["replayed"] * 5 + ["taken"]


def test_a_spent_token_stays_spent_after_a_restart(tmp_path: Path, sign: Sign) -> None:
    token = sign()
    Portals(tmp_path, clock=lambda: NOW).redeem(token, public_access=False)

    later = Portals(tmp_path, clock=lambda: NOW + LIFETIME_S + LEEWAY_S - 1)

    assert _refused(later, token) == "replayed"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": NOW - LEEWAY_S, "iat": NOW - 60}, "expired"),
        ({"iat": NOW + LEEWAY_S + 1, "exp": NOW + 60}, "early"),
        ({"exp": NOW + LIFETIME_S + 1}, "lifetime"),
        ({"exp": NOW, "iat": NOW}, "lifetime"),
        ({"exp": float("inf")}, "times"),
        ({"exp": float("nan")}, "times"),
        ({"iat": True}, "times"),
        ({"iat": str(NOW)}, "times"),
        ({"aud": "chadang-0000000000000000"}, "audience"),
        ({"aud": ["another", "archive"]}, "audience"),
        ({"exp": None}, "incomplete"),
        ({"iat": None}, "incomplete"),
        ({"jti": None}, "incomplete"),
        ({"sub": None}, "incomplete"),
        ({"aud": None}, "incomplete"),
        ({"jti": "有 空格"}, "jti"),
        ({"jti": "x" * 200}, "jti"),
        ({"sub": "a\nb"}, "sub"),
        ({"name": "甲\u202e乙"}, "name"),
        ({"department": ["办公室"]}, "department"),
        ({"role": "公众"}, "role"),
        ({"role": None}, "role"),
        ({"role": "档案管理员"}, "role"),
        ({"role": "系统管理员"}, "role"),
        ({"role": ["staff"]}, "role"),
        ({"iss": "other"}, "unknown"),
        ({"iss": None}, "unknown"),
        ({"secret": "another-secret-of-thirty-two-bytes!"}, "unknown"),
    ],
)  # fmt: skip
def test_what_is_not_right_is_refused(
    portals: Portals, sign: Sign, claims: dict[str, object], code: str
) -> None:
    assert _refused(portals, sign(**claims)) == code


def test_a_token_for_several_archives_is_refused(portals: Portals, sign: Sign) -> None:
    """This test ensures that no token is good at two archives, once at each."""
    assert _refused(portals, sign(aud=[portals.audience, "another"])) == "audience"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS512", "RS256", "hs256"])
def test_no_other_algorithm_is_taken(portals: Portals, algorithm: str) -> None:
    secret = portals.add("oa", (Role.STAFF,))
    body = json.dumps(
        {"iss": "oa", "aud": portals.audience, "sub": "a", "role": "staff", "iat": NOW,
         "exp": NOW + 60, "jti": "1"}
    ).encode()  # fmt: skip

    assert _refused(portals, _by_hand({"alg": algorithm, "typ": "JWT"}, body)) == "unknown"
    assert _refused(portals, _by_hand({"alg": algorithm, "typ": "JWT"}, body, secret)) == "unknown"
    good = _by_hand({"alg": "HS256", "typ": "JWT"}, body, secret)
    assert portals.redeem(good, public_access=False)[1].account == "oa/a"


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.", "x" * 5000, "令牌", "..", "\x00.\x00.\x00"],
)
def test_what_is_no_token_is_refused(portals: Portals, token: str) -> None:
    assert _refused(portals, token) == "unknown"


def test_a_body_that_is_no_object_is_refused(portals: Portals) -> None:
    secret = portals.add("oa", (Role.STAFF,))
    for body in (b"[]", b"1", b"null", b'"oa"', b"[" * 3000, b"\xff\xfe", b'{"iss": ["oa"]}'):
        token = _by_hand({"alg": "HS256"}, body, secret)
        assert _refused(portals, token) == "unknown"


def test_the_public_needs_the_switch_as_well(portals: Portals) -> None:
    secret = portals.add("web", (Role.PUBLIC,))
    made = {"iss": "web", "iat": NOW, "exp": NOW + 30, "role": "public"}

    assert _refused(portals, signed(secret, portals.audience, **made)) == "public_off"
    token = signed(secret, portals.audience, **made)
    assert portals.redeem(token, public_access=True)[1].role is Role.PUBLIC


def test_a_revoked_portal_signs_nothing_any_more(portals: Portals, sign: Sign) -> None:
    portals.revoke("oa")

    assert _refused(portals, sign()) == "unknown"
    assert not portals.in_use("oa")
    with pytest.raises(PortalError):
        portals.revoke("oa")
    with pytest.raises(PortalError, match="换一个名字"):
        portals.add("oa", (Role.STAFF,))
    # the row keeps an empty secret: a token signed with it is nobody's
    body = json.dumps({"iss": "oa", "sub": "a", "iat": NOW, "exp": NOW + 60, "jti": "2"}).encode()
    assert _refused(portals, _by_hand({"alg": "HS256"}, body)) == "unknown"


@pytest.mark.parametrize("name", ["", "OA", "甲", "a b", "-a", "a" * 33, "a/../b"])
def test_a_portal_s_name_is_plain(portals: Portals, name: str) -> None:
    with pytest.raises(PortalError):
        portals.add(name, (Role.STAFF,))


@pytest.mark.parametrize("roles", [(), (Role.ARCHIVIST,), (Role.STAFF, Role.ARCHIVIST)])
def test_no_portal_may_vouch_for_an_archivist(portals: Portals, roles: tuple[Role, ...]) -> None:
    with pytest.raises(PortalError, match="只能"):
        portals.add("oa", roles)


def test_the_secrets_are_for_their_owner_s_eyes(tmp_path: Path) -> None:
    portals = Portals(tmp_path)
    secrets = {portals.add("a", (Role.STAFF,)), portals.add("b", (Role.STAFF,))}

    assert len(secrets) == 2
    assert all(len(secret) >= 64 for secret in secrets)
    assert stat.S_IMODE((tmp_path / "accounts.sqlite3").stat().st_mode) == 0o600
    assert not any(s in repr(portals.portals()) for s in secrets)


def test_two_homes_have_two_audiences_that_stay(tmp_path: Path) -> None:
    first, second = Portals(tmp_path / "a"), Portals(tmp_path / "b")

    assert first.audience == Portals(tmp_path / "a").audience != second.audience


# -- sessions -----------------------------------------------------------------------------------

READER = Reader(Role.STAFF, "张三", "", "oa/zhangsan")


def test_a_session_ends_when_idle_and_after_its_longest_time() -> None:
    now = [0.0]
    sessions = WidgetSessions(lambda _: True, idle_s=100, longest_s=250, clock=lambda: now[0])
    name = sessions.begin("oa", READER)

    for now[0] in (90, 180, 240):
        assert sessions.reader(name) == READER
    now[0] = 251
    assert sessions.reader(name) is None
    second = sessions.begin("oa", READER)
    now[0] += 101
    assert sessions.reader(second) is None
    assert sessions.reader("unknown") is None


def test_what_a_page_asks_by_itself_keeps_no_session_alive() -> None:
    now = [0.0]
    sessions = WidgetSessions(lambda _: True, idle_s=100, clock=lambda: now[0])
    name = sessions.begin("oa", READER)

    for now[0] in (50, 99):
        assert sessions.reader(name, passive=True) == READER
    now[0] = 101
    assert sessions.reader(name) is None


def test_a_session_ends_soon_after_its_portal_is_revoked() -> None:
    now, trusted = [0.0], [True]
    sessions = WidgetSessions(lambda _: trusted[0], clock=lambda: now[0])
    name = sessions.begin("oa", READER)
    trusted[0] = False

    now[0] = 6
    assert sessions.reader(name) is None
    trusted[0] = True
    assert sessions.reader(name) is None


def test_the_session_longest_unused_makes_room() -> None:
    sessions = WidgetSessions(lambda _: True, capacity=2)
    first, second = sessions.begin("oa", READER), sessions.begin("oa", READER)
    assert sessions.reader(first) == READER
    third = sessions.begin("oa", READER)

    assert [sessions.reader(name) for name in (first, second, third)] == [READER, None, READER]
    assert len({first, second, third}) == 3
