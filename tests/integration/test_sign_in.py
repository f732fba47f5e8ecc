"""Signing in over HTTP: modes, cookies, forms, first start, and everything a stranger may try."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from index.domain import Reader, Role
from index.errors import SettingsError
from index.settings import Settings
from index.store import Store
from tests.account_fakes import PASSWORD, Clock, add_people, open_accounts
from tests.web_fakes import FakeAssistant, make_settings, make_store
from ui.accounts import TRIES, Accounts
from ui.sign_in import COOKIE, NOT_SIGNED_IN, Doorkeeper, safe_next

SITE = "http://dang.test"
_ADDRESSES = itertools.count(1)
HTML = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate"}


class Site:
    """A served home with accounts, and browsers that come to it."""

    def __init__(self, app: FastAPI, accounts: Accounts, assistant: FakeAssistant, clock: Clock):
        self.app, self.accounts, self.assistant, self.clock = app, accounts, assistant, clock
        self.door: Doorkeeper = app.state.door

    def browser(self, base: str = SITE, address: str = "") -> TestClient:
        address = address or f"10.{next(_ADDRESSES) // 250}.4.{next(_ADDRESSES) % 250}"
        return TestClient(self.app, base, follow_redirects=False, client=(address, 50000))

    def signed_in(self, account: str, address: str = "") -> TestClient:
        client = self.browser(address=address)
        answer = sign_in(client, account)
        assert answer.status_code == 303, answer.text
        return client


def form_token(html: str) -> str:
    found = re.search(r'name="form" value="([^"]+)"', html)
    assert found, html
    return found[1]


def sign_in(client: TestClient, account: str, password: str = PASSWORD, **more: str) -> Any:
    page = client.get("/login", headers=HTML)
    fields = {"form": form_token(page.text), "account": account, "password": password, **more}
    return client.post("/login", data=fields, headers={"Origin": str(client.base_url)})


def make_site(store: Store, settings: Settings, clock: Clock, *, people: bool = True) -> Site:
    from ui.app import build_app

    accounts = open_accounts(settings, clock)
    if people:
        add_people(accounts)
    assistant = FakeAssistant(store, settings)
    door = Doorkeeper(accounts, settings)

    async def build() -> FastAPI:
        return build_app(assistant, settings, door=door)

    app = asyncio.run(build())
    app.state.door = door
    return Site(app, accounts, assistant, clock)


@pytest.fixture(scope="module")
def holdings(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("holdings"))


@pytest.fixture(scope="module")
def network(holdings: Store, tmp_path_factory: pytest.TempPathFactory) -> Site:
    from ui.server import prepare_environment

    home = tmp_path_factory.mktemp("network")
    settings = make_settings(home, host="0.0.0.0")
    prepare_environment(settings)
    return make_site(holdings, settings, Clock())


@pytest.fixture(autouse=True)
def _later(request: pytest.FixtureRequest) -> Iterator[None]:
    """What one test has locked is open again for the next."""
    yield
    if "network" in request.fixturenames:
        request.getfixturevalue("network").clock.forward(601)


# -- who needs to sign in -------------------------------------------------------------------------


@contextmanager
def _site(holdings: Store, home: Path, people: bool = True, **flags: object) -> Iterator[Site]:
    home.mkdir(exist_ok=True)
    yield make_site(holdings, make_settings(home, **flags), Clock(), people=people)


LOCAL = "http://127.0.0.1:7860"


def test_on_one_machine_nobody_signs_in(holdings: Store, tmp_path: Path) -> None:
    with _site(holdings, tmp_path, people=False) as site:
        client = site.browser(LOCAL, "127.0.0.1")

        assert client.get("/api/status").json()["role"] == "档案管理员"
        assert client.get("/app/", headers=HTML).status_code == 200
        assert client.get("/login").headers["location"] == "app/"
        assert client.get("/setup").headers["location"] == "app/"
        assert not site.accounts.path.exists()


def test_the_first_account_ends_that_at_once(holdings: Store, tmp_path: Path) -> None:
    with _site(holdings, tmp_path, people=False) as site:
        client = site.browser(LOCAL, "127.0.0.1")
        before = client.get("/api/status").status_code
        add_people(site.accounts)

        assert before == 200
        assert client.get("/api/status").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "10.0.0.9"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-Proto": "https"},
        {"Via": "1.1 x"},
        {"Host": "10.0.0.5:7860"},
    ],
)
@pytest.mark.parametrize("mode", ["auto", "local"])
def test_what_a_proxy_passes_on_is_not_this_machine(
    holdings: Store, tmp_path: Path, headers: dict[str, str], mode: str
) -> None:
    """This test ensures that a reverse proxy on the same machine does not let everybody in."""
    with _site(holdings, tmp_path, people=False, sign_in=mode) as site:
        client = site.browser(LOCAL, "127.0.0.1")

        assert client.get("/api/status", headers=headers).status_code == 401
        assert client.get("/login", headers={**HTML, **headers}).headers["location"] == "setup"
        page = client.get("/setup", headers={**HTML, **headers})
        assert page.status_code == 403
        assert "chadang users add" in page.text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"sign_in": "local", "host": "0.0.0.0"}, "127.0.0.1"),
        ({"sign_in": "proxy"}, "trusted_proxies"),
        ({"sign_in": "proxy", "trusted_proxies": "everybody"}, "everybody"),
    ],
)
def test_settings_that_let_anybody_in_are_refused(
    tmp_path: Path, flags: dict[str, object], words: str
) -> None:
    settings = make_settings(tmp_path, **flags)

    with pytest.raises(SettingsError, match=words):
        Doorkeeper(Accounts(settings), settings)


# -- without a session ----------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/app", "/app/", "/admin/ingest", "/record/xyz", "/no"])
def test_a_page_leads_to_the_sign_in_page_and_back(network: Site, address: str) -> None:
    client = network.browser()

    answer = client.get(address, headers=HTML)

    assert answer.status_code == 303
    where = answer.headers["location"]
    assert re.fullmatch(r"(\.\./)*login(\?next=[A-Za-z0-9%_.\-]+)?", where)
    assert client.get(address, headers=HTML, follow_redirects=True).url.path == "/login"


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/api/status"),
        ("GET", "/api/session"),
        ("GET", "/api/records/abc"),
        ("GET", "/page/abc/1.jpg"),
        ("GET", "/app/config"),
        ("GET", "/app/assets/x.js"),
        ("GET", "/app/gradio_api/heartbeat/abc"),
        ("GET", "/app/gradio_api/queue/data?session_hash=abc"),
        ("GET", "/app/gradio_api/startup-events"),
        ("GET", "/app/gradio_api/info"),
        ("POST", "/app/gradio_api/queue/join"),
        ("POST", "/app/gradio_api/run/predict"),
        ("POST", "/app/gradio_api/cancel"),
        ("POST", "/api/admin/ingest/start"),
        ("POST", "/admin/users/add"),
        ("POST", "/account/password"),
        ("GET", "/nothing/at/all"),
    ],
)
def test_everything_else_is_the_same_401(network: Site, method: str, address: str) -> None:
    answer = network.browser().request(method, address)

    assert answer.status_code == 401
    assert answer.json() == {"detail": NOT_SIGNED_IN}
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("address", ["/healthz", "/static/app.css", "/login"])
def test_only_these_are_open(network: Site, address: str) -> None:
    assert network.browser().get(address).status_code == 200


@pytest.mark.parametrize(
    "address",
    ["/static/../api/status", "/static/%2e%2e/api/status", "//api/status", "/login/../api/status"],
)
def test_no_spelling_of_an_address_opens_it(network: Site, address: str) -> None:
    answer = network.browser().get(address)

    assert answer.status_code in (400, 401, 404)
    assert "records" not in answer.text


# -- signing in -----------------------------------------------------------------------------------


def test_signing_in_sets_a_closed_cookie_and_leads_home(network: Site) -> None:
    client = network.browser()

    answer = sign_in(client, "clerk")
    raw = next(v for v in answer.headers.get_list("set-cookie") if v.startswith(COOKIE))

    assert answer.status_code == 303
    assert answer.headers["location"] == "app/"
    assert "httponly" in raw.lower()
    assert "samesite=lax" in raw.lower()
    assert "path=/" in raw.lower()
    assert "max-age" not in raw.lower()
    status = client.get("/api/status").json()
    assert (status["reader"], status["role"]) == ("王科", "机关工作人员")


@pytest.mark.parametrize(
    ("base", "secure"), [("http://dang.test", False), ("https://dang.test", True)]
)
def test_over_tls_the_cookie_is_for_tls(network: Site, base: str, secure: bool) -> None:
    raw = sign_in(network.browser(base), "clerk").headers.get_list("set-cookie")[0]

    assert ("secure" in raw.lower()) is secure


@pytest.mark.parametrize(
    ("account", "home"),
    [("archivist", "app/"), ("deputy", "app/"), ("system", "admin/users"),
     ("security", "admin/users"), ("auditor", "admin/register")],
)  # fmt: skip
def test_everybody_starts_on_their_own_page(network: Site, account: str, home: str) -> None:
    client = network.browser()

    assert sign_in(client, account).headers["location"] == home
    assert client.get(f"/{home}", headers=HTML).status_code == 200


def test_one_goes_on_where_one_was_sent_from(network: Site) -> None:
    client = network.browser()
    sent = client.get("/record/abc?page=2&start=3&end=9", headers=HTML).headers["location"]
    page = client.get(f"/record/{sent}", headers=HTML)

    assert page.url.path == "/login"
    wanted = re.search(r'name="next" value="([^"]+)"', page.text)
    assert wanted
    answer = sign_in(client, "clerk", next=wanted[1].replace("&amp;", "&"))
    assert answer.headers["location"] == "record/abc?page=2&start=3&end=9"


HOSTILE_NEXT = [
    "http://evil.test/", "//evil.test", "/\\evil.test", "\\\\evil.test", "https:evil.test",
    "javascript:alert(1)", "app/../../evil", "%2f%2fevil.test", "app/\r\nSet-Cookie: a=b",
    "/etc", "app/#<script>", "a" * 700, "x:y",
]  # fmt: skip


@pytest.mark.parametrize("wanted", HOSTILE_NEXT)
def test_nobody_is_sent_to_another_site(network: Site, wanted: str) -> None:
    client = network.browser()
    page = client.get("/login", params={"next": wanted}, headers=HTML)

    assert safe_next(wanted) == ""
    assert 'name="next"' not in page.text
    assert sign_in(client, "clerk", next=wanted).headers["location"] == "app/"
    assert client.get("/login", params={"next": wanted}).headers["location"] == "app/"


def test_a_wrong_password_says_the_same_as_an_unknown_name(network: Site) -> None:
    client = network.browser()
    known, unknown = sign_in(client, "other", "wrong"), sign_in(client, "nobody", "wrong")
    waiting = sign_in(client, "public", PASSWORD)

    assert known.status_code == unknown.status_code == waiting.status_code == 401
    said = [re.search(r'role="alert">([^<]+)', a.text)[1] for a in (known, unknown, waiting)]  # type: ignore[index]
    assert len(set(said)) == 1
    assert COOKIE not in known.headers.get("set-cookie", "")


def test_a_locked_account_is_refused_over_http_too(network: Site) -> None:
    for _ in range(TRIES):
        sign_in(network.browser(), "deputy", "wrong")

    assert sign_in(network.browser(), "deputy").status_code == 429
    network.clock.forward(601)
    assert sign_in(network.browser(), "deputy").status_code == 303


@pytest.mark.parametrize("account", ['"><script>alert(1)</script>', "<b>x</b>"])
def test_what_is_typed_comes_back_as_text(network: Site, account: str) -> None:
    html = sign_in(network.browser(), account, "wrong").text

    assert account not in html
    assert "&lt;" in html


def test_a_form_of_another_site_is_refused(network: Site) -> None:
    client = network.browser()
    token = form_token(client.get("/login", headers=HTML).text)
    fields = {"account": "clerk", "password": PASSWORD}
    stranger = network.browser()
    stranger.get("/login", headers=HTML)

    for sent in ({}, {"form": "x.y"}, {"form": ""}, {"form": "."}):
        assert client.post("/login", data={**fields, **sent}).status_code == 403
    assert stranger.post("/login", data={**fields, "form": token}).status_code == 403
    crossed = client.post(
        "/login", data={**fields, "form": token}, headers={"Origin": "http://evil.test"}
    )
    assert crossed.status_code == 403
    assert client.post("/login", json={**fields, "form": token}).status_code == 404
    assert (
        client.post("/login", data={**fields, "form": token, "x": "y" * 20_000}).status_code == 404
    )


@pytest.mark.parametrize(
    "origin", ["http://[", "http://[::1", "null", "", "//", "http://dang.test@evil.test"]
)
def test_a_malformed_origin_is_a_foreign_one(network: Site, origin: str) -> None:
    answer = network.browser().post("/login", data={"account": "x"}, headers={"Origin": origin})

    assert answer.status_code == 403


def test_a_planted_session_is_worth_nothing(network: Site) -> None:
    """This test ensures that a token known before signing in is not the one used after (fixation)."""
    client = network.browser()
    client.cookies.set(COOKIE, "planted-by-somebody-else", domain="dang.test")
    answer = sign_in(client, "clerk")
    token = answer.cookies[COOKIE]

    assert token != "planted-by-somebody-else"
    thief = network.browser()
    thief.cookies.set(COOKIE, "planted-by-somebody-else", domain="dang.test")
    assert thief.get("/api/status").status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "ünïcode", '";drop table', "a b"])
def test_a_made_up_token_is_nobody(network: Site, token: str) -> None:
    client = network.browser()

    answer = client.get("/api/status", headers={"Cookie": f"{COOKIE}={token}".encode()})  # type: ignore[dict-item]

    assert answer.status_code == 401


def test_signing_out_ends_the_session_on_the_server(network: Site) -> None:
    client = network.signed_in("clerk")
    token = client.cookies[COOKIE]
    html = client.get("/account", headers=HTML).text
    answer = client.post("/logout", data={"form": form_token(html)})
    thief = network.browser()
    thief.cookies.set(COOKIE, token, domain="dang.test")

    assert answer.headers["location"] == "login?out=1"
    assert answer.headers["clear-site-data"] == '"cache"'
    assert client.get("/api/status").status_code == 401
    assert thief.get("/api/status").status_code == 401
    assert "已退出登录" in client.get("/login?out=1", headers=HTML).text


def test_signing_out_by_script_needs_json_and_by_form_the_token(network: Site) -> None:
    client = network.signed_in("clerk")

    assert client.post("/logout", data={}).status_code == 404
    assert client.post("/logout", data={"form": "a.b"}).status_code == 404
    assert (
        client.post("/logout", content=b"x", headers={"Content-Type": "text/plain"}).status_code
        == 404
    )
    assert client.get("/api/status").status_code == 200
    assert client.post("/logout", json={}).json() == {"next": "login?out=1"}
    assert client.get("/api/status").status_code == 401


def test_an_idle_session_ends_and_polling_does_not_keep_it(network: Site) -> None:
    client = network.signed_in("clerk")
    for _ in range(6):
        network.clock.forward(6 * 60)
        alive = client.get("/api/session").status_code
        client.get("/api/status")
    assert alive == 401

    client = network.signed_in("clerk")
    for _ in range(6):
        network.clock.forward(6 * 60)
        client.get("/account", headers=HTML)
    assert client.get("/api/session").json() == {"name": "王科", "signed_in": True}


def test_kept_pictures_are_not_for_the_next_person(network: Site) -> None:
    client = network.signed_in("clerk")

    assert "cookie" in client.get("/api/records/x").headers["vary"].lower()
    assert "cookie" in client.get("/page/x/1.jpg").headers["vary"].lower()


# -- the first password ---------------------------------------------------------------------------


def test_a_password_set_by_another_must_be_changed_first(network: Site) -> None:
    network.accounts.add("fresh", "新人", Role.STAFF, PASSWORD, approved=True)
    client = network.browser()
    answer = sign_in(client, "fresh", next="app/")

    assert answer.headers["location"] == "account"
    assert client.get("/app/", headers=HTML).headers["location"] == "../account"
    assert client.get("/api/status").status_code == 403
    assert client.post("/app/gradio_api/queue/join", json={}).status_code == 403
    page = client.get("/account", headers=HTML).text
    assert "初始密码" in page
    assert 'href="app/"' not in page
    fields = {"form": form_token(page), "old": PASSWORD, "new": "Xin-Mi-Ma-2026"}
    assert client.post("/account/password", data={**fields, "again": "x"}).status_code == 422
    assert (
        client.post(
            "/account/password", data={**fields, "form": "", "again": fields["new"]}
        ).status_code
        == 403
    )
    before = client.cookies[COOKIE]
    done = client.post("/account/password", data={**fields, "again": fields["new"]})

    assert done.status_code == 303
    assert client.cookies[COOKIE] != before
    assert client.get("/api/status").status_code == 200


def test_sessions_are_listed_and_ended_by_their_owner_only(network: Site) -> None:
    first = network.signed_in("other", "10.0.0.7")
    second = network.signed_in("other", "10.0.0.8")
    stranger = network.signed_in("deputy")
    html = first.get("/account", headers=HTML).text
    ids = re.findall(r'name="session" value="([^"]+)"', html)

    assert "10.0.0.8" in html
    assert len(ids) == 1
    token = form_token(stranger.get("/account", headers=HTML).text)
    stranger.post("/account/session", data={"form": token, "session": ids[0]})
    assert second.get("/api/session").status_code == 200
    first.post("/account/session", data={"form": form_token(html), "session": ids[0]})
    assert second.get("/api/session").status_code == 401
    assert first.get("/api/session").status_code == 200


# -- the first start ------------------------------------------------------------------------------

FIRST = {
    "account-system": "sys", "name-system": "甲", "password": PASSWORD, "again": PASSWORD,
    "account-security": "sec", "name-security": "乙", "account-audit": "", "name-audit": "",
    "account-archivist": "arch", "name-archivist": "丙",
}  # fmt: skip


@pytest.fixture
def fresh(holdings: Store, tmp_path: Path) -> Site:
    return make_site(holdings, make_settings(tmp_path, host="0.0.0.0"), Clock(), people=False)


def setup(client: TestClient, code: str, **more: str) -> Any:
    token = form_token(client.get("/setup", headers=HTML).text)
    return client.post("/setup", data={**FIRST, "code": code, "form": token, **more})


def test_the_first_start_needs_the_code_of_the_terminal(fresh: Site) -> None:
    code = fresh.door.open_setup()
    client = fresh.browser()

    assert client.get("/", headers=HTML, follow_redirects=True).url.path == "/setup"
    assert client.get("/api/status").status_code == 401
    for wrong in ("", "AAAAA-AAAAA", code[:-1], "好" * 10):
        assert setup(client, wrong).status_code == 403
    assert not fresh.accounts.any()
    done = setup(client, f" {code.lower().replace('-', ' ')} ")

    assert done.status_code == 200
    assert {p.account: p.role for p in fresh.accounts.people()} == {
        "sys": Role.SYSTEM_ADMIN, "sec": Role.SECURITY_ADMIN, "arch": Role.ARCHIVIST,
    }  # fmt: skip
    assert PASSWORD not in done.text
    shown = re.findall(r"<code>([^<]+-[^<]+)</code>", done.text)
    assert len(shown) == 2
    other = fresh.browser()
    assert sign_in(other, "arch", shown[1]).headers["location"] == "account"
    assert sign_in(fresh.browser(), "sys").headers["location"] == "admin/users"


def test_the_code_works_once(fresh: Site) -> None:
    code = fresh.door.open_setup()
    first, second = fresh.browser(), fresh.browser()
    token = form_token(second.get("/setup", headers=HTML).text)
    setup(first, code)
    again = second.post(
        "/setup", data={**FIRST, "account-system": "evil", "code": code, "form": token}
    )

    assert again.headers["location"] == "login"
    assert fresh.accounts.find("evil") is None
    assert first.get("/setup").headers["location"] == "login"
    assert fresh.door.open_setup() == ""


def test_the_code_cannot_be_guessed(fresh: Site) -> None:
    code = fresh.door.open_setup()
    assert fresh.door.setup is not None
    for _ in range(20):
        assert not fresh.door.setup.matches("AAAAA-AAAAA")

    assert not fresh.door.setup.matches(code)
    assert "重新启动" in fresh.browser().get("/setup", headers=HTML).text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"password": "short", "again": "short"}, "密码至少"),
        ({"again": "other"}, "不一样"),
        ({"account-system": ""}, "系统管理员"),
        ({"account-security": "sys"}, "不能相同"),
        ({"name-security": "甲"}, "兼任"),
        ({"name-archivist": ""}, "姓名"),
        ({"account-archivist": "<b>"}, "登录名"),
    ],
)
def test_a_wrong_setup_makes_nothing_and_keeps_the_code(
    fresh: Site, changed: dict[str, str], words: str
) -> None:
    code = fresh.door.open_setup()
    client = fresh.browser()
    answer = setup(client, code, **changed)

    assert answer.status_code == 422
    assert words in answer.text
    assert not fresh.accounts.any()
    assert setup(client, code).status_code == 200


def test_an_interrupted_setup_can_be_done_again(fresh: Site, monkeypatch: Any) -> None:
    """This test ensures that the system administrator, who closes the setup, comes last."""
    code = fresh.door.open_setup()
    add = fresh.accounts.add

    def broken(account: str, *rest: Any, **named: Any) -> Any:
        if account == "sys":
            raise MemoryError
        return add(account, *rest, **named)

    monkeypatch.setattr(fresh.accounts, "add", broken)
    with pytest.raises(MemoryError):
        setup(fresh.browser(), code)
    monkeypatch.undo()
    again = fresh.door.open_setup()

    assert setup(fresh.browser(), again).status_code == 200
    assert len(fresh.accounts.people()) == 3


def test_a_server_that_needs_no_first_account_has_no_code(holdings: Store, tmp_path: Path) -> None:
    with _site(holdings, tmp_path / "a", people=False) as local:
        assert local.door.open_setup() == ""
    with _site(holdings, tmp_path / "b", host="0.0.0.0") as served:
        assert served.door.open_setup() == ""
        assert served.browser().get("/setup").headers["location"] == "login"


# -- single sign-on -------------------------------------------------------------------------------

PROXY = "10.9.9.9"


@pytest.fixture(scope="module")
def sso(holdings: Store, tmp_path_factory: pytest.TempPathFactory) -> Site:
    settings = make_settings(
        tmp_path_factory.mktemp("sso"), host="0.0.0.0", sign_in="proxy",
        trusted_proxies=f"{PROXY}, 10.8.0.0/24",
    )  # fmt: skip
    return make_site(holdings, settings, Clock())


@pytest.mark.parametrize("address", [PROXY, "10.8.0.77"])
def test_a_trusted_proxy_names_the_reader(sso: Site, address: str) -> None:
    client = sso.browser(address=address)
    status = client.get("/api/status", headers={"X-Remote-User": "Clerk"}).json()

    assert (status["reader"], status["role"]) == ("王科", "机关工作人员")


@pytest.mark.parametrize("header", ["X-Remote-User", "x-remote-user", "X-REMOTE-USER"])
@pytest.mark.parametrize("address", ["10.0.0.5", "127.0.0.1", "10.9.9.99", "testclient"])
def test_nobody_else_can_name_a_reader(sso: Site, address: str, header: str) -> None:
    client = sso.browser(address=address)

    for more in ({}, {"X-Forwarded-For": PROXY}, {"Forwarded": f"for={PROXY}"}):
        answer = client.get("/api/status", headers={header: "archivist", **more})
        assert answer.status_code == 401


@pytest.mark.parametrize("name", ["", "nobody", "public", "clerk, archivist", "档\u00e9"])
def test_a_name_without_a_usable_account_is_nobody(sso: Site, name: str) -> None:
    client = sso.browser(address=PROXY)
    headers = {"X-Remote-User": name.encode()}

    assert client.get("/api/status", headers=headers).status_code == 401  # type: ignore[arg-type]


def test_two_names_are_nobody(sso: Site) -> None:
    headers = [("X-Remote-User", "clerk"), ("X-Remote-User", "archivist")]

    answer = sso.browser(address=PROXY).get("/api/status", headers=headers)  # type: ignore[arg-type]

    assert answer.status_code == 401


def test_with_single_sign_on_a_password_opens_nothing(sso: Site) -> None:
    client = sso.browser()
    page = client.get("/login", headers=HTML)
    answer = client.post("/login", data={"account": "clerk", "password": PASSWORD})

    assert page.status_code == 403
    assert "门户" in page.text
    assert answer.status_code == 404
    token = sso.accounts.sign_in("clerk", PASSWORD, "")
    client.cookies.set(COOKIE, token, domain="dang.test")
    assert client.get("/api/status").status_code == 401


def test_the_header_counts_for_nothing_without_single_sign_on(network: Site) -> None:
    answer = network.browser(address=PROXY).get("/api/status", headers={"X-Remote-User": "clerk"})

    assert answer.status_code == 401


def test_the_caller_s_address_is_believed_from_a_trusted_proxy_only(
    holdings: Store, tmp_path: Path
) -> None:
    settings = make_settings(tmp_path, host="0.0.0.0", trusted_proxies=PROXY)
    door = Doorkeeper(open_accounts(settings), settings)

    def seen(peer: str, forwarded: str) -> str:
        headers = [(b"x-forwarded-for", forwarded.encode())]
        return door.address({"type": "http", "client": (peer, 1), "headers": headers})

    assert seen(PROXY, "10.1.1.1") == "10.1.1.1"
    assert seen(PROXY, "6.6.6.6, 10.1.1.1") == "10.1.1.1"
    assert seen("10.5.5.5", "10.1.1.1") == "10.5.5.5"
    assert door.address({"type": "http", "client": (PROXY, 1), "headers": []}) == PROXY


# -- another layer, and one's own queue -----------------------------------------------------------


def test_a_reader_named_by_a_layer_in_front_is_kept(network: Site) -> None:
    from ui.reader import READER_KEY

    async def token_layer(scope: Any, receive: Any, send: Any) -> None:
        scope[READER_KEY] = Reader(Role.DEPUTY, "令牌")
        await network.app(scope, receive, send)

    client = TestClient(token_layer, SITE)

    assert client.get("/api/status").json()["reader"] == "令牌"


def test_a_question_queue_belongs_to_whoever_used_it_first(network: Site) -> None:
    mine, theirs = network.signed_in("clerk"), network.signed_in("deputy")
    body = {"data": ["问"], "fn_index": 0, "session_hash": "shared123"}

    assert mine.post("/app/gradio_api/run/predict", json=body).status_code == 200
    for call in ("queue/join", "run/predict", "cancel", "reset"):
        assert theirs.post(f"/app/gradio_api/{call}", json=body).status_code == 403
    assert theirs.get("/app/gradio_api/queue/data?session_hash=shared123").status_code == 403
    assert theirs.get("/app/gradio_api/heartbeat/shared123").status_code == 403
    assert mine.post("/app/gradio_api/run/predict", json=body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b"1", b'{"session_hash": 5}', b"[" * 100_000,
        # in no queue: Gradio fails over it, and all who name none would share one state
        b'{"data": [null], "fn_index": 6}', b'{"data": [null], "fn_index": 6, "session_hash": ""}',
        b'{"data": ["\\ud800"], "fn_index": 0, "session_hash": "abc"}',
        # no function of the page: Gradio answers 500 and logs a KeyError
        b'{"data": ["x"], "fn_index": 99999, "session_hash": "abc"}',
        b'{"data": ["x"], "fn_index": -1, "session_hash": "abc"}',
        b'{"data": ["x"], "fn_index": true, "session_hash": "abc"}',
        b'{"data": ["x"], "session_hash": "abc"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", ["queue/join", "run/predict"])
def test_a_broken_question_is_refused(network: Site, call: str, body: bytes) -> None:
    client = network.signed_in("clerk")
    headers = {"Content-Type": "application/json"}

    answer = client.post(f"/app/gradio_api/{call}", content=body, headers=headers)

    assert answer.status_code == 422


def test_a_queue_does_not_go_with_its_owner_into_another_role(
    holdings: Store, tmp_path: Path
) -> None:
    site = make_site(holdings, make_settings(tmp_path, host="0.0.0.0"), Clock())
    body = {"data": ["问"], "fn_index": 0, "session_hash": "kept123"}
    first = site.signed_in("archivist")
    assert first.post("/app/gradio_api/run/predict", json=body).status_code == 200

    site.accounts.grant("archivist", Role.DEPUTY)
    later = site.signed_in("archivist")

    assert later.post("/app/gradio_api/run/predict", json=body).status_code == 403


def test_nobody_begins_queues_without_end(holdings: Store, tmp_path: Path) -> None:
    """Gradio keeps the newest thousand: who begins more empties the open chats of all others."""
    site = make_site(holdings, make_settings(tmp_path, host="0.0.0.0"), Clock())
    client, other = site.signed_in("clerk"), site.signed_in("deputy")

    def begin(who: TestClient, name: str) -> int:
        body = {"data": ["问"], "fn_index": 0, "session_hash": name}
        return who.post("/app/gradio_api/run/predict", json=body).status_code

    assert begin(client, "first") == 200
    codes = [begin(client, f"flood{i}") for i in range(100)]

    assert codes[:30] == [200] * 30
    assert codes[-1] == 429
    assert begin(client, "first") == 200
    assert begin(other, "others") == 200


def test_looking_for_precedents_is_asking(holdings: Store, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, host="0.0.0.0", questions_per_minute=3, ask_purpose="never")
    site = make_site(holdings, settings, Clock())
    client, other = site.signed_in("clerk"), site.signed_in("deputy")

    codes = [client.get("/api/precedents?q=水渠维修").status_code for _ in range(5)]

    assert codes == [200, 200, 200, 429, 429]
    assert other.get("/api/precedents?q=水渠维修").status_code == 200


def test_a_question_too_long_is_refused(network: Site) -> None:
    client = network.signed_in("clerk")

    answer = client.post("/app/gradio_api/queue/join", json={"data": ["x" * 300_000]})

    assert answer.status_code == 413


def test_questions_come_at_a_measured_pace(holdings: Store, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, host="0.0.0.0", questions_per_minute=3)
    site = make_site(holdings, settings, Clock())
    client, other = site.signed_in("clerk"), site.signed_in("deputy")
    body = {"fn_index": 0, "session_hash": "abc"}  # says nothing, and is counted all the same

    codes = [client.post("/app/gradio_api/queue/join", json=body).status_code for _ in range(5)]
    last = client.post("/app/gradio_api/queue/join", json=body)
    body["session_hash"] = "def"

    assert 429 not in codes[:3]
    assert codes[3:] == [429, 429]
    assert int(last.headers["retry-after"]) >= 1
    assert "频繁" in last.json()["error"]
    assert other.post("/app/gradio_api/queue/join", json=body).status_code != 429


def test_an_address_cannot_flood_the_sign_in(network: Site) -> None:
    client = network.browser(address="10.7.7.7")
    codes = [client.post("/login", data={}).status_code for _ in range(75)]

    assert 429 in codes
    assert network.browser(address="10.7.7.8").post("/login", data={}).status_code != 429


# -- who manages whom -----------------------------------------------------------------------------


def act(client: TestClient, action: str, **fields: str) -> Any:
    token = form_token(client.get("/admin/users", headers=HTML).text)
    return client.post(f"/admin/users/{action}", data={"form": token, **fields})


def test_the_administrators_do_not_read(network: Site) -> None:
    for account in ("system", "security", "auditor"):
        client = network.signed_in(account)

        assert client.get("/app/", headers=HTML).status_code == 303
        assert client.post("/app/gradio_api/queue/join", json={}).status_code == 403
        status = client.get("/api/status").json()
        assert (status["records"], status["pages"]) == (0, 0)


@pytest.mark.parametrize("account", ["archivist", "clerk", "deputy"])
def test_readers_do_not_administer(network: Site, account: str) -> None:
    client = network.signed_in(account)
    missing = client.get("/api/records/x")

    assert client.get("/admin/users").content == missing.content
    for action in ("add", "reset", "disable", "enable", "sign-out", "grant", "unlock", "x"):
        answer = client.post(f"/admin/users/{action}", data={"account": "clerk"})
        assert (answer.status_code, answer.content) == (404, missing.content)


@pytest.mark.parametrize(
    ("account", "forbidden"),
    [
        ("system", ("grant", "unlock")),
        ("security", ("add", "reset", "disable", "enable", "sign-out")),
        ("auditor", ("add", "reset", "disable", "enable", "sign-out", "grant", "unlock")),
    ],
)
def test_each_administrator_has_one_part(
    network: Site, account: str, forbidden: tuple[str, ...]
) -> None:
    client = network.signed_in(account)
    page = client.get("/admin/users", headers=HTML)

    assert page.status_code == 200
    for action in forbidden:
        assert f"users/{action}" not in page.text
        assert client.post(f"/admin/users/{action}", data={"account": "clerk"}).status_code == 404


def test_a_new_account_goes_through_both_hands(network: Site) -> None:
    system, security = network.signed_in("system"), network.signed_in("security")
    added = act(system, "add", account="Xinren", name="新某", role="代表", department="")
    password = re.findall(r"<code>([^<]+)</code>", added.text)[1]
    before = sign_in(network.browser(), "xinren", password)
    act(security, "grant", account="xinren", name="新某", role="代表", department="")
    after = sign_in(network.browser(), "xinren", password)

    assert before.status_code == 401
    assert after.headers["location"] == "account"


def test_nobody_takes_over_an_account_alone(network: Site) -> None:
    """This test ensures that a reset by the system administrator does not open the account."""
    system = network.signed_in("system")
    network.accounts.add("victim", "档乙", Role.ARCHIVIST, PASSWORD, approved=True)
    shown = act(system, "reset", account="victim")
    password = re.findall(r"<code>([^<]+)</code>", shown.text)[1]

    assert sign_in(network.browser(), "victim", password).status_code == 401
    act(system, "disable", account="victim")
    act(system, "enable", account="victim")
    assert sign_in(network.browser(), "victim", password).status_code == 401


@pytest.mark.parametrize("action", ["reset", "disable"])
@pytest.mark.parametrize("account", ["system", "security"])
def test_nobody_saws_off_the_branch(network: Site, action: str, account: str) -> None:
    answer = act(network.signed_in("system"), action, account=account)

    assert answer.status_code == 422
    assert network.signed_in(account)


def test_the_security_administrator_does_not_raise_themselves(network: Site) -> None:
    security = network.signed_in("security")

    answer = act(security, "grant", account="security", name="安某", role="档案管理员")

    assert answer.status_code == 422
    assert network.accounts.find("security").role is Role.SECURITY_ADMIN  # type: ignore[union-attr]


def test_unlocking_is_the_security_administrator_s(network: Site) -> None:
    for _ in range(TRIES):
        sign_in(network.browser(address="10.0.3.3"), "other", "wrong")
    security = network.signed_in("security")

    assert "已锁定" in security.get("/admin/users", headers=HTML).text
    act(security, "unlock", account="other")
    assert network.signed_in("other")


def test_names_on_the_page_are_text(network: Site) -> None:
    system = network.signed_in("system")
    act(system, "add", account="hostile", name="<img src=x onerror=alert(1)>", role="代表",
        department='"><script>')  # fmt: skip
    html = system.get("/admin/users", headers=HTML).text

    assert "<img" not in html
    assert "<script>" not in html
    assert "&lt;img" in html


@pytest.mark.parametrize(
    "fields",
    [{}, {"account": "nobody"}, {"account": "clerk", "role": "皇帝", "name": "王科"},
     {"account": "clerk", "role": "代表", "name": ""}],
)  # fmt: skip
def test_a_bad_request_is_told_and_changes_nothing(network: Site, fields: dict[str, str]) -> None:
    before = network.accounts.find("clerk")

    answer = act(network.signed_in("security"), "grant", **fields)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert network.accounts.find("clerk") == before


def test_forms_of_the_accounts_need_their_token(network: Site) -> None:
    system = network.signed_in("system")
    other = form_token(network.signed_in("security").get("/admin/users", headers=HTML).text)

    for token in ("", "x.y", other):
        answer = system.post("/admin/users/disable", data={"account": "clerk", "form": token})
        assert answer.status_code == 403
    assert network.signed_in("clerk")


# -- programs -------------------------------------------------------------------------------------


def test_a_token_for_somebody_ends_with_their_account(network: Site) -> None:
    from ui.api_tokens import ApiTokens

    tokens = ApiTokens(network.accounts.path.parent)
    secret, _ = tokens.add("门户", Role.STAFF, account="clerk")
    more, _ = tokens.add("多给", Role.ARCHIVIST, account="clerk")
    stray, _ = tokens.add("别处", Role.STAFF, account="nobody")
    client = network.browser()

    def called(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return int(client.get("/v1/models", headers=headers).status_code)

    assert called(secret) == 200
    assert called(more) == called(stray) == 401
    network.accounts.set_disabled("clerk", disabled=True)
    try:
        assert called(secret) == 401
    finally:
        network.accounts.set_disabled("clerk", disabled=False)


def test_a_token_opens_the_interface_for_programs_only(network: Site) -> None:
    from ui.api_tokens import ApiTokens

    secret, _ = ApiTokens(network.accounts.path.parent).add("程序", Role.ARCHIVIST)
    headers = {"Authorization": f"Bearer {secret}"}
    client = network.browser()

    assert client.get("/v1/models", headers=headers).status_code == 200
    for address in ("/api/status", "/api/records/x", "/app/config", "/admin/users", "/account"):
        assert client.get(address, headers=headers).status_code == 401


def test_an_open_page_never_takes_a_stranger_for_the_user_of_the_machine() -> None:
    from starlette.requests import HTTPConnection

    from ui.reader import NOBODY_KEY, current_reader

    settings = make_settings(Path())
    stranger = HTTPConnection({"type": "http", "headers": [], NOBODY_KEY: True})

    with pytest.raises(RuntimeError):
        current_reader(stranger, settings)


def test_a_frame_of_another_page_leads_to_its_own_opening_page(network: Site) -> None:
    answer = network.browser().get("/widget/app/", headers=HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, "../")
    assert network.browser().get("/widget/", headers=HTML).status_code == 200
    assert network.signed_in("auditor").get("/widget/app/", headers=HTML).status_code == 403
