"""What a browser shows for a wrong address: the site's own page, the same for hidden and missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse
from starlette.testclient import TestClient

from tests.account_fakes import Clock
from tests.integration.test_sign_in import HTML, Site, make_site
from tests.web_fakes import HIDDEN, make_settings, make_store
from ui import strings
from ui.error_pages import ErrorPages
from ui.places import record_token

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    from ui.server import prepare_environment

    home = tmp_path_factory.mktemp("network")
    settings = make_settings(home, host="0.0.0.0")
    prepare_environment(settings)
    return make_site(make_store(home), settings, Clock())


@pytest.mark.parametrize(
    "address",
    ["/admin/settings", "/admin/register", "/nothing", "/admin/nothing", "/record/none",
     f"/record/{record_token(HIDDEN)}", "/record/none?page=x", "/logout/x", "/app/file=etc",
     "/api/answers/none/sheet.html", "/<script>alert(1)</script>"],
)  # fmt: skip
def test_hidden_and_missing_open_the_same_page(site: Site, address: str) -> None:
    """This test ensures that no wrong address tells more than another."""
    answer = site.signed_in("clerk").get(address, headers=HTML)

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert strings.PAGE_MISSING in answer.text
    assert strings.PAGE_MISSING_NEXT in answer.text
    assert "<script>" not in answer.text
    assert "Not Found" not in answer.text


def test_a_page_for_others_is_byte_for_byte_the_page_that_is_not_there(site: Site) -> None:
    browser = site.signed_in("deputy")

    hidden = browser.get("/admin/settings", headers=HTML)

    assert hidden.content == browser.get("/admin/nothing", headers=HTML).content
    assert hidden.headers["cache-control"] == "private, no-store"


def test_the_way_on_leads_to_the_question_page_or_to_ones_own(site: Site) -> None:
    reading = site.signed_in("clerk").get("/admin/a/b", headers=HTML).text
    managing = site.signed_in("system").get("/nothing", headers=HTML).text

    assert '<a class="ac-link" href="../../app/">去“问答”</a>' in reading
    assert 'href="../../static/app.css' in reading
    assert '<a class="ac-link" href="admin">去“管理总览”</a>' in managing


def test_programs_and_our_own_scripts_keep_getting_json(site: Site) -> None:
    browser = site.signed_in("clerk")

    for address, headers in (
        ("/admin/settings", JSON),
        ("/api/admin/settings", HTML),
        ("/api/pages/none/1", HTML),
        ("/app/gradio_api/file=x", HTML),
    ):
        answer = browser.get(address, headers=headers)
        assert "detail" in answer.json(), address


def test_a_stranger_is_sent_to_sign_in_wherever_they_went(site: Site) -> None:
    browser = site.browser()

    for address in ("/admin/settings", "/nothing"):
        answer = browser.get(address, headers=HTML)
        assert (answer.status_code, answer.headers["location"].partition("?")[0][-5:]) == (
            303, "login",
        )  # fmt: skip


def test_an_unknown_host_name_reads_as_a_sentence(tmp_path: Path) -> None:
    site = make_site(make_store(tmp_path), make_settings(tmp_path), Clock())

    answer = site.browser("http://elsewhere.test").get("/", headers=HTML)

    assert (answer.status_code, answer.text) == (421, strings.UNKNOWN_HOST)


def _served(tmp_path: Path, app: Any) -> TestClient:
    return TestClient(ErrorPages(app, make_settings(tmp_path), "v1"), raise_server_exceptions=False)


def test_what_breaks_is_told_in_the_sites_own_frame(tmp_path: Path) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("secret words")

    answer = _served(tmp_path, broken).get("/catalogue", headers=HTML)

    assert answer.status_code == 500
    assert strings.PAGE_FAILED in answer.text
    assert "secret words" not in answer.text


def test_the_sentence_of_a_refusal_stands_on_its_page_escaped(tmp_path: Path) -> None:
    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        body = {"detail": "请先<b>选</b>"}
        await JSONResponse(body, 409, headers={"Retry-After": "3"})(scope, receive, send)

    answer = _served(tmp_path, refusing).get("/record/x", headers=HTML)

    assert (answer.status_code, answer.headers["retry-after"]) == (409, "3")
    assert "请先&lt;b&gt;选&lt;/b&gt;" in answer.text
