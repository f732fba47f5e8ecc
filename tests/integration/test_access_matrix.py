"""Every route of the application × every role × every class of record, against the access table.

The tables below are written by hand from the access table of the design, not computed from
`may_read`. A route that is not in `ROUTES` fails the first test: put it there with its kind, and
where it gives out text or bytes of a record, its address into `RECORD_ADDRESSES`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.testclient import TestClient

from index.domain import Page, Record, TextSource
from index.store import Store, StoredFile
from tests.account_fakes import PEOPLE, Clock
from tests.integration.test_sign_in import HTML, Site, make_site
from tests.web_fakes import _write_scan, make_settings
from ui.api import record_token
from ui.api_errors import NO_TOKEN, ApiError
from ui.api_gate import is_api_path
from ui.sign_in import NOT_FOR_ADMINISTRATORS, NOT_SIGNED_IN

# -- the table ------------------------------------------------------------------------------------

OPEN: Final = "everybody, says nothing of archive or accounts"
SIGNED: Final = "whoever is signed in, about themselves"
READER: Final = "the chat page: archivist, staff, deputies, public"
RECORD: Final = "by record, see READABLE"
OWN: Final = "an answer, by whoever asked"
CONTENT: Final = "lists and counts over what the reader may read; nothing for administrators"
PROGRAM: Final = "the interface for programs: by token, or whoever is signed in"
ARCHIVIST: Final = "the archivist"
SYSTEM: Final = "the system administrator"
AUDITOR: Final = "the audit administrator"
MANAGER: Final = "the archivist and the three administrators"
ADMINISTRATORS: Final = "the three administrators"
BY_ACTION: Final = "one administrator, by action"

ROUTES: Final = {
    "GET /": READER,
    "GET /app": READER,
    "GET /healthz": OPEN,
    "GET /login": OPEN,
    "POST /login": OPEN,
    "POST /logout": OPEN,
    "GET /setup": OPEN,
    "POST /setup": OPEN,
    "GET /static": OPEN,
    "GET /account": SIGNED,
    "POST /account/{action}": SIGNED,
    "GET /api/session": SIGNED,
    "GET /api/status": SIGNED,
    "GET /api/precedents": CONTENT,
    "GET /api/answers/{answer_id}": OWN,
    "GET /api/answers/{answer_id}/export.{kind}": OWN,
    "GET /api/records/{token}": RECORD,
    "GET /api/pages/{token}/{seq}": RECORD,
    "GET /page/{token}/{name}": RECORD,
    "GET /record/{token}": RECORD,
    "GET /admin/ingest": ARCHIVIST,
    "GET /api/admin/ingest": ARCHIVIST,
    "GET /api/admin/ingest/details": ARCHIVIST,
    "GET /admin/reports/{name}": ARCHIVIST,
    "POST /api/admin/ingest/{action}": ARCHIVIST,
    "GET /admin/users": ADMINISTRATORS,
    "POST /admin/users/{action}": BY_ACTION,
    "GET /api/ping": SIGNED,
    "GET /api/purpose": SIGNED,
    "POST /api/purpose": SIGNED,
    "GET /api/history": SIGNED,
    "POST /api/history/delete": SIGNED,
    "POST /api/history/{conversation_id}/delete": SIGNED,
    "POST /api/history/{conversation_id}/rename": SIGNED,
    "GET /readyz": OPEN,
    "GET /widget": OPEN,
    "GET /widget/": OPEN,
    "GET /widget.js": OPEN,
    "POST /api/widget/session": OPEN,
    "GET /api/v1/docs": OPEN,
    "GET /api/v1/openapi.json": OPEN,
    "POST /api/feedback": OWN,
    "GET /api/answers/{answer_id}/next": OWN,
    "GET /api/answers/{answer_id}/other-words": OWN,
    "GET /api/answers/{answer_id}/sheet.html": OWN,
    "GET /api/answers/{answer_id}/sheet.pdf": OWN,
    "GET /catalogue": CONTENT,
    "GET /precedents": CONTENT,
    "GET /statistics": CONTENT,
    "GET /api/catalogue": CONTENT,
    "GET /api/catalogue/export.{kind}": CONTENT,
    "GET /api/facets": CONTENT,
    "GET /api/precedents/topics": CONTENT,
    "GET /api/statistics": CONTENT,
    "GET /api/statistics/{key}.{kind}": CONTENT,
    "GET /api/records/{token}/strip": RECORD,
    "GET /api/v1/records/{token}": RECORD,
    "GET /api/v1/records/{token}/pages/{n}": RECORD,
    "GET /api/v1/records/{token}/pages/{n}/image": RECORD,
    "POST /api/v1/ask": PROGRAM,
    "POST /api/v1/counts": PROGRAM,
    "POST /api/v1/precedents": PROGRAM,
    "GET /api/v1/search": PROGRAM,
    "GET /api/v1/{rest:path}": PROGRAM,
    "POST /api/v1/{rest:path}": PROGRAM,
    "GET /v1/models": PROGRAM,
    "GET /v1/models/{name}": PROGRAM,
    "POST /v1/chat/completions": PROGRAM,
    "GET /v1/{rest:path}": PROGRAM,
    "POST /v1/{rest:path}": PROGRAM,
    "GET /mcp": PROGRAM,
    "POST /mcp": PROGRAM,
    "GET /admin/failed.xlsx": ARCHIVIST,
    "GET /admin/feedback": ARCHIVIST,
    "GET /admin/feedback.xlsx": ARCHIVIST,
    "POST /api/admin/feedback/{number}": ARCHIVIST,
    "GET /admin/opening": ARCHIVIST,
    "GET /api/admin/opening": ARCHIVIST,
    "GET /api/admin/opening/{number}": ARCHIVIST,
    "POST /api/admin/opening/{action}": ARCHIVIST,
    "GET /admin/vocabulary": ARCHIVIST,
    "GET /api/admin/vocabulary": ARCHIVIST,
    "POST /api/admin/vocabulary/{action}": ARCHIVIST,
    "GET /admin/settings": SYSTEM,
    "GET /api/admin/settings": SYSTEM,
    "GET /admin/doctor": SYSTEM,
    "GET /api/admin/doctor": SYSTEM,
    "POST /api/admin/doctor": SYSTEM,
    "GET /admin/logs": SYSTEM,
    "GET /api/admin/logs": SYSTEM,
    "GET /admin/register": AUDITOR,
    "GET /admin/register.xlsx": AUDITOR,
    "GET /admin": MANAGER,
    "GET /api/admin/overview": MANAGER,
}

#: What the chat page needs of Gradio. Whatever else stands below the mount is closed to everybody.
GRADIO: Final = {
    "GET /app/",
    "GET /app/config",
    "GET /app/config/",
    "GET /app/theme.css",
    "GET /app/assets/{path:path}",
    "GET /app/static/{path:path}",
    "GET /app/gradio_api/heartbeat/{session_hash}",
    "GET /app/gradio_api/startup-events",
    "GET /app/gradio_api/queue/data",
    "GET /app/gradio_api/info",
    "GET /app/gradio_api/app_id",
    "GET /app/gradio_api/app_id/",
    "POST /app/gradio_api/queue/join",
    "POST /app/gradio_api/run/{api_name}",  # only run/predict
    "POST /app/gradio_api/cancel",
    "POST /app/gradio_api/reset",
    "POST /app/gradio_api/reset/",
}

RECORD_ADDRESSES: Final = (
    "/api/records/{}",
    "/api/pages/{}/1",
    "/api/pages/{}/1?start=0&end=2",
    "/page/{}/1.jpg",
    "/record/{}?page=1",
    "/api/records/{}/strip",
    "/api/v1/records/{}",
    "/api/v1/records/{}/pages/1",
    "/api/v1/records/{}/pages/1/image",
    # the same below the prefix of the widget's frame
    "/widget/api/records/{}",
    "/widget/api/pages/{}/1",
    "/widget/page/{}/1.jpg",
    "/widget/record/{}?page=1",
)

#: Class of record → who reads it: a archivist, c clerk of 办公室, o clerk of 法工委, d the deputy
#: 李代表, p public. The three administrators read nothing.
READABLE: Final = {
    "opened": "acodp",
    "published": "acodp",
    "unreviewed": "aco",
    "controlled": "aco",
    "postponed": "aco",
    "old": "aco",
    "work-secret": "ac",
    "work-secret marked open": "ac",
    "petition": "a",
    "petition marked open": "a",
    "appraisal": "a",
    "restricted of the office": "ac",
    "restricted of nobody": "a",
    "own proposal": "acod",
    "own reply": "acod",
    "own restricted proposal": "a",
    "another's proposal": "aco",
    "own opened proposal": "acodp",
    "own name elsewhere": "aco",
}

_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "opened": {"opening": "开放"},
    "published": {"publicity": "主动公开"},
    "unreviewed": {"opening": ""},
    "controlled": {"opening": "控制"},
    "postponed": {"opening": "延期开放"},
    "old": {"date": "1950-01-01", "date_iso": "1950-01-01", "year": 1950},
    "work-secret": {"doc_type": "主任会议纪要", "department": "办公室"},
    "work-secret marked open": {
        "doc_type": "主任会议纪要", "department": "办公室", "opening": "开放",
    },
    "petition": {"doc_type": "信访材料", "department": "办公室"},
    "petition marked open": {"doc_type": "信访材料", "opening": "开放", "publicity": "主动公开"},
    "appraisal": {"doc_type": "干部考察材料", "department": "办公室"},
    "restricted of the office": {"restricted": True, "department": "办公室"},
    "restricted of nobody": {"restricted": True, "opening": "开放"},
    "own proposal": {"doc_type": "代表建议", "proposers": ("张代表", "李代表")},
    "own reply": {"doc_type": "建议答复", "proposers": ("李代表",)},
    "own restricted proposal": {
        "doc_type": "代表建议", "proposers": ("李代表",), "restricted": True,
    },
    "another's proposal": {"doc_type": "代表建议", "proposers": ("张代表",)},
    "own opened proposal": {"doc_type": "代表建议", "proposers": ("李代表",), "opening": "开放"},
    "own name elsewhere": {"doc_type": "会议纪要", "proposers": ("李代表",)},
}  # fmt: skip
#: Account → its letter in `READABLE`.
LETTERS: Final = {"archivist": "a", "clerk": "c", "other": "o", "deputy": "d", "public": "p"}
ACCOUNTS: Final = tuple(person[0] for person in PEOPLE)
MISSING: Final = record_token("0000-没有-0000")


def record_id(kind: str) -> str:
    return f"J001-{kind}"


def secret(kind: str) -> str:
    """Words that stand in no other record."""
    return "密" + hashlib.sha256(kind.encode()).hexdigest()[:12]


def make_classes(home: Path) -> Store:
    store = Store(home / "classes.sqlite3", create=True)
    folder = home / "files"
    folder.mkdir(parents=True)
    scan = folder / "scan.pdf"
    _write_scan(scan)
    digest = hashlib.sha256(scan.read_bytes()).hexdigest()
    for kind, fields in _FIELDS.items():
        name = f"{secret(kind)}.pdf"
        store.put_file(StoredFile(name, digest, 1, 0.0, str(folder), "ok", "", record_id(kind)))
        (folder / name).write_bytes(scan.read_bytes())
        values = {"date": "2019-08-27", "year": 2019, "doc_type": "报告", **fields}
        record = Record(
            record_id(kind), f"题名{secret(kind)}", reference_code=record_id(kind),
            file_path=name, **values,
        )  # fmt: skip
        page = Page(
            record_id(kind), 1, f"正文{secret(kind)}", source=TextSource.OCR, width=595.2,
            height=841.9, file_path=name,
        )  # fmt: skip
        store.replace_record(record, [page], [], "1")
    return store


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    from ui.server import prepare_environment

    home = tmp_path_factory.mktemp("matrix")
    settings = make_settings(
        home,
        host="0.0.0.0",
        public_access=True,
        ask_purpose="never",
        mcp=True,
        api_per_minute=100_000,
        api_burst=10_000,
    )
    prepare_environment(settings)
    return make_site(make_classes(home), settings, Clock())


@pytest.fixture(scope="module")
def clients(site: Site) -> Iterator[dict[str, TestClient]]:
    with site.browser() as running:  # Gradio's queue lives in this one's loop
        clients = {}
        for account in ACCOUNTS:
            clients[account] = site.signed_in(account)
            clients[account].portal = running.portal
        yield clients


# -- the routes -----------------------------------------------------------------------------------


def routes(found: Any, prefix: str = "") -> Iterator[str]:
    """All routes, those of included routers and mounts too, as `METHOD /path`."""
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes, prefix)
        elif getattr(route, "methods", None):
            for method in sorted(set(route.methods) - {"HEAD", "OPTIONS"}):
                yield f"{method} {prefix}{route.path}"
        elif getattr(getattr(route, "app", None), "routes", None):
            yield from routes(route.app.routes, prefix + route.path)
        else:
            assert type(route).__name__ == "Mount", f"unknown kind of route: {route!r}"
            yield f"GET {prefix}{route.path}"


def test_every_route_is_in_the_table(site: Site) -> None:
    """This test ensures that nobody adds a route without saying whom it is for."""
    found = set(routes(site.app.routes))
    ours = {route for route in found if not route.split(" ")[1].startswith("/app/")}

    assert ours == set(ROUTES)
    assert found - ours >= GRADIO


def concrete(route: str) -> tuple[str, str]:
    """A request for a route, with stand-ins for its parameters."""
    method, path = route.split(" ", 1)
    stand_ins = {
        "{answer_id}": "0" * 32, "{kind}": "csv", "{token}": MISSING, "{seq}": "1",
        "{name}": "1.jpg", "{action}": "zzz", "{path:path}": "x.js", "{session_hash}": "abc123",
        "{api_name}": "predict", "{number}": "1", "{n}": "1",
    }  # fmt: skip
    for name, value in stand_ins.items():
        path = path.replace(name, value)
    if "{" in path:
        import re

        path = re.sub(r"\{[^}]*\}", "x1", path)
    return method, "/static/app.css" if path == "/static" else path


def test_without_signing_in_only_the_open_routes_answer(site: Site) -> None:
    stranger = site.browser()
    for route, kind in ROUTES.items():
        answer = stranger.request(*concrete(route))

        if kind is OPEN:
            assert answer.status_code in (200, 303, 400, 403, 404, 503), route
            continue
        assert answer.status_code == 401, route
        if is_api_path(route.split(" ")[1]):
            assert answer.json() == ApiError(NO_TOKEN).body, route
        else:
            assert answer.json() == {"detail": NOT_SIGNED_IN}, route
    for route in GRADIO:
        method, path = concrete(route)
        assert stranger.request(method, path).status_code == 401, route


def test_no_other_part_of_gradio_answers_anybody(
    site: Site, clients: dict[str, TestClient]
) -> None:
    """This test ensures that a new version of Gradio opens nothing by itself."""
    found = {r for r in routes(site.app.routes) if r.split(" ")[1].startswith("/app/")}
    assert len(found - GRADIO) > 30
    for route in sorted(found - GRADIO):
        for client in (site.browser(), clients["archivist"]):
            assert client.request(*concrete(route)).status_code == 403, route
    for name in ("ask", "answer", "predict/"):
        answer = clients["archivist"].post(f"/app/gradio_api/run/{name}", json={})
        assert answer.status_code == 403


@pytest.mark.parametrize("account", ["system", "security", "auditor"])
def test_pages_over_the_holdings_are_not_for_administrators(
    clients: dict[str, TestClient], account: str
) -> None:
    kinds = (READER, CONTENT)
    for route in (*GRADIO, *(r for r, kind in ROUTES.items() if kind in kinds)):
        answer = clients[account].request(*concrete(route))

        assert answer.status_code == 403, route
        assert answer.json() == {"detail": NOT_FOR_ADMINISTRATORS}, route


# -- records --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", READABLE)
@pytest.mark.parametrize("account", ACCOUNTS)
def test_each_record_is_for_exactly_the_roles_of_the_table(
    clients: dict[str, TestClient], account: str, kind: str
) -> None:
    readable = LETTERS.get(account, "-") in READABLE[kind]
    for address in RECORD_ADDRESSES:
        shown = clients[account].get(address.format(record_token(record_id(kind))))
        missing = clients[account].get(address.format(MISSING))

        assert missing.status_code == 404
        if readable:
            assert shown.status_code in (200, 303), address
            if "/api/" in address and not address.endswith("image"):
                assert secret(kind) in shown.text, address
        else:
            assert shown.status_code == 404, address
            assert shown.content == missing.content
            assert _headers(shown) == _headers(missing)


def _headers(answer: Any) -> list[tuple[str, str]]:
    return [(k, v) for k, v in answer.headers.multi_items() if k != "date"]


def _readable(account: str) -> set[str]:
    return {kind for kind, who in READABLE.items() if LETTERS.get(account, "-") in who}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_counts_lists_and_exports_hold_the_readable_only(
    site: Site, clients: dict[str, TestClient], account: str
) -> None:
    """This test ensures that what is hidden shows in no total, list or file."""
    client, readable = clients[account], _readable(account)
    hidden = {secret(kind) for kind in READABLE if kind not in readable}
    status = client.get("/api/status").json()
    assert (status["records"], status["pages"]) == (len(readable), len(readable))
    for answer in lists(client):
        assert answer.status_code in ((200,) if readable else (200, 403)), answer.url
        assert not any(words in answer.text for words in hidden), answer.url
        if "statistics" not in answer.url.path and "facets" not in answer.url.path and readable:
            assert all(secret(kind) in answer.text for kind in readable), answer.url
    if not readable:
        return
    catalogue = client.get("/api/catalogue").json()
    assert (catalogue["total"], len(catalogue["rows"])) == (len(readable), len(readable))
    assert client.get("/api/statistics").json()["items"] == len(readable)
    for values in ("years", "types"):
        counted = client.get("/api/facets").json()[values]
        assert sum(value["records"] for value in counted) == len(readable)
    shown = ask(client, f"s{account}", "有哪些")
    assert not any(words in shown for words in hidden)
    assert f"共有 {len(readable)} 件" in shown
    answer_id = shown.split("(#c-")[1][:32]
    file = client.get(f"/api/answers/{answer_id}/export.csv")
    assert {kind for kind in READABLE if secret(kind) in file.text} == readable
    mine = [
        concrete(route)[1].replace("0" * 32, answer_id)
        for route, kind in ROUTES.items()
        if kind is OWN and route.startswith("GET ")
    ]
    assert len(mine) >= 6
    for address in mine:
        assert client.get(address).status_code == 200, address
        for other, stranger in clients.items():
            if other != account:
                assert stranger.get(address).status_code == 404, (address, other)


def lists(client: TestClient) -> Iterator[Any]:
    """Whatever speaks of several records at once."""
    question = {"question": "有哪些"}
    yield client.get("/api/precedents", params={"q": "有哪些"})
    yield client.get("/api/catalogue")
    yield client.get("/api/catalogue/export.csv")
    yield client.get("/api/facets")
    yield client.get("/api/statistics")
    yield client.post("/api/v1/ask", json={**question, "listings": 100})
    yield client.post("/api/v1/precedents", json={"topic": "有哪些", "listings": 100})
    message = {"role": "user", "content": "有哪些"}
    yield client.post("/v1/chat/completions", json={"model": "chadang", "messages": [message]})
    call = {"name": "ask", "arguments": question}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {
        "MCP-Protocol-Version": "2025-06-18",
        "Accept": "application/json, text/event-stream",
    }
    yield client.post("/mcp", json=body, headers=headers)


def ask(client: TestClient, queue: str, question: str) -> str:
    """Ask as the page does; returns the last message as JSON text."""
    steps = client.get("/app/config").json()
    box = next(c["id"] for c in steps["components"] if c["type"] == "textbox")
    typed = next(d["id"] for d in steps["dependencies"] if [box, "submit"] in d["targets"])
    answers = next(d for d in steps["dependencies"] if d["trigger_after"] == typed)
    session = {"session_hash": queue}
    body = {"data": [question], "fn_index": typed, **session}
    assert client.post("/app/gradio_api/run/predict", json=body).status_code == 200
    types = {component["id"]: component["type"] for component in steps["components"]}
    empty = {"state": None, "checkbox": False, "textbox": ""}
    data = [empty[types[given]] for given in answers["inputs"]]
    body = {"data": data, "fn_index": answers["id"], **session}
    assert client.post("/app/gradio_api/queue/join", json=body).status_code == 200
    with client.stream("GET", "/app/gradio_api/queue/data", params=session) as stream:
        for line in stream.iter_lines():
            event = json.loads(line[5:]) if line.startswith("data:") else {}
            if event.get("msg") == "process_completed":
                return json.dumps(event["output"]["data"][0][-1], ensure_ascii=False)
    raise AssertionError("no answer")


# -- pages by right -------------------------------------------------------------------------------


@pytest.mark.parametrize("account", ACCOUNTS)
def test_pages_by_right_are_absent_for_everybody_else(
    clients: dict[str, TestClient], account: str
) -> None:
    client = clients[account]
    missing = client.get(f"/api/records/{MISSING}").content
    administrators = {"system", "security", "auditor"}
    may = {
        ARCHIVIST: {"archivist"},
        ADMINISTRATORS: administrators,
        SYSTEM: {"system"},
        AUDITOR: {"auditor"},
        MANAGER: {"archivist", *administrators},
    }
    for route, kind in ROUTES.items():
        if kind not in may:
            continue
        method, address = concrete(route)
        answer = client.request(method, address, headers=HTML)

        if account not in may[kind]:
            plain = client.request(method, address, headers={"Accept": "application/json"})
            assert (plain.status_code, plain.content) == (404, missing), route
            if not address.startswith("/api/"):  # opened in a browser, both show the same page
                nothing = f"{address.rpartition('/')[0]}/no-such-page"
                missing_page = client.get(nothing, headers=HTML).content
                assert (answer.status_code, answer.content) == (404, missing_page), route
        elif route.startswith("GET ") and "{" not in route:
            assert answer.status_code == 200, route


ACTIONS: Final = {
    "add": "system", "reset": "system", "disable": "system", "enable": "system",
    "sign-out": "system", "grant": "security", "unlock": "security",
}  # fmt: skip


@pytest.mark.parametrize("account", ACCOUNTS)
def test_each_change_of_an_account_is_for_one_administrator(
    clients: dict[str, TestClient], account: str
) -> None:
    client = clients[account]
    for action, who in ACTIONS.items():
        # without its form token: those who may are told that the form is stale, and nothing changes
        answer = client.post(f"/admin/users/{action}", data={"account": "clerk"})

        assert answer.status_code == (403 if account == who else 404), action


@pytest.mark.parametrize("account", ACCOUNTS)
def test_everybody_sees_their_own_account_only(
    clients: dict[str, TestClient], account: str
) -> None:
    html = clients[account].get("/account", headers=HTML).text

    assert {a for a in ACCOUNTS if f"<dd>{a}</dd>" in html} == {account}
    assert clients[account].get("/api/session").json()["signed_in"]


@pytest.mark.parametrize("account", ["clerk", "deputy", "public"])
def test_asking_for_a_purpose_does_not_tell_hidden_from_missing(
    tmp_path: Path, account: str
) -> None:
    """This test ensures that only what may be read asks why it is wanted."""
    settings = make_settings(tmp_path, host="0.0.0.0", public_access=True, ask_purpose="always")
    client = make_site(make_classes(tmp_path), settings, Clock()).signed_in(account)

    for address in RECORD_ADDRESSES:
        hidden = client.get(address.format(record_token(record_id("petition"))))
        missing = client.get(address.format(MISSING))

        assert (hidden.status_code, hidden.content) == (404, missing.content), address
