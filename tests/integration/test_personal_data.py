"""Personal data from intake to every way out: text, pictures, answers, searches, old homes."""

from __future__ import annotations

import io
import json
import sqlite3
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from assistant.assistant import Assistant
from assistant.composing import still_stands
from assistant.domain import Answer, Refusal
from assistant.personal_view import as_seen
from index.access import may_see_personal
from index.domain import Reader, Role
from index.errors import IndexMismatchError
from index.highlight import quote_boxes
from index.lexical import LexicalIndex
from index.passage_index import PassageIndex, build_index, read_manifest
from index.personal import MASK
from index.store import Store
from ingest.pipeline import ingest
from tests.fakes import HashEncoder
from tests.ingest_files import open_home, write_text_pdf, write_workbook
from ui import api
from ui.page_images import PageImages
from ui.session import RecentAnswers

ARCHIVIST, DEPUTY = Reader(Role.ARCHIVIST, "管理员"), Reader(Role.DEPUTY, "某代表")
STAFF, PUBLIC = Reader(Role.STAFF, "某人"), Reader(Role.PUBLIC)
PHONE, MOBILE = "0530-2000123", "13900001111"
CODE = "J001-WS·2019-Y-BGS-0001"


def _open(folder, phone: str, mobile: str) -> SimpleNamespace:
    """A small home whose only secrets are one telephone and one mobile number."""
    store, settings = open_home(folder / "home")
    source = folder / "馆藏"
    lines = [
        "关于加装电梯建议的答复",
        "您提出的关于老旧小区加装电梯的建议收悉，现答复如下。",
        "一、我们会同有关部门制定了加装电梯的实施意见，2019年起施行。",
        f"承办人联系电话：{phone}",
    ]
    write_text_pdf(source / f"{CODE}.pdf", [lines, ["第二页没有号码，只有加装电梯的后续安排。"]])
    (source / "来信.txt").write_text(
        f"关于加装电梯的来信\n\n请与我联系，手机{mobile}。\n", encoding="utf-8"
    )
    write_workbook(
        source / "目录.xlsx",
        {"目录": [
            ["档号", "题名", "开放标识", "文件名", "经办人电话"],
            [CODE, "关于加装电梯建议的答复", "开放", f"{CODE}.pdf", phone],
            ["J001-WS·2019-Y-BGS-0002", "关于加装电梯的来信", "开放", "来信.txt", ""],
        ]},
    )  # fmt: skip
    ingest(source, store, settings)
    build_index(store, settings, encoder=HashEncoder())
    assistant = Assistant(store, settings, HashEncoder())
    return SimpleNamespace(store=store, settings=settings, assistant=assistant)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    opened = _open(tmp_path_factory.mktemp("personal"), PHONE, MOBILE)
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """The same holdings with other numbers in them."""
    opened = _open(tmp_path_factory.mktemp("other"), "0530-2999888", "15877776666")
    yield opened
    opened.store.close()


def test_the_store_hands_out_masked_text_unless_asked(home) -> None:
    """This test ensures that pages, passages and records are masked for whoever forgets to ask."""
    page = home.store.page(CODE, 1)
    clear = home.store.page(CODE, 1, clear=True)

    assert PHONE not in page.raw
    assert PHONE in clear.raw
    assert len(page.raw) == len(clear.raw)
    assert all(clear.raw[a:b] == PHONE for a, b in clear.personal)
    texts = [p.text for p, _ in home.store.iterate_passages()]
    texts += [p.text for p in home.store.passages(CODE)]
    assert not any(PHONE in t or MOBILE in t for t in texts)
    assert any(MASK * len(PHONE) in t for t in texts)
    assert dict(home.store.record(CODE).extra)["经办人电话"] == MASK * len(PHONE)
    assert dict(home.store.record(CODE, clear=True).extra)["经办人电话"] == PHONE
    assert home.store.check() == []


@pytest.mark.parametrize("words", [PHONE, "2000123", MOBILE])
@pytest.mark.parametrize("reader", [ARCHIVIST, DEPUTY], ids=["archivist", "deputy"])
def test_nobody_learns_from_a_search_whether_a_number_stands_there(
    home, other, words: str, reader: Reader
) -> None:
    """This test ensures that holdings with and without a number answer the same about it."""

    def seen(where: SimpleNamespace, question: str) -> object:
        result = where.assistant.ask(question, (), reader)
        if isinstance(result, Refusal):
            return result.message
        shown = [c.record.record_id for c in result.citations]
        return shown, [(c.page, c.start, c.end) for c in result.citations], result.lead

    for shape in ("{}", "{}是谁的电话？", "加装电梯 {}", "哪几件里有“{}”？"):
        assert seen(home, shape.format(words)) == seen(other, shape.format(words))
    assert home.store.holders_of(words) == frozenset()
    generation = str(read_manifest(home.settings.index_path)["generation"])
    lexical = LexicalIndex(home.settings.index_path / generation / "lexical")
    assert all(lexical.frequency(term) == 0 for term in ("2000123", MOBILE, "0530"))


@pytest.mark.parametrize("reader", [ARCHIVIST, STAFF, DEPUTY, PUBLIC], ids=lambda r: r.role.name)
def test_a_quotation_is_clear_for_the_archivist_only(home, reader: Reader) -> None:
    """This test ensures that quotations keep their place and are unmasked by right only."""
    page = home.store.page(CODE, 1)
    start = page.raw.index("承办人")
    result = home.assistant.ask("加装电梯的建议是怎么答复的？", (), reader)
    assert isinstance(result, Answer)
    citation = replace(
        result.citations[0], record=home.store.record(CODE), page=1, start=start,
        end=len(page.raw), quote=page.raw[start:], marker=1,
    )  # fmt: skip
    result = replace(
        result, citations=(citation,), direct="", columns=(), precedents=(), prose=None
    )

    shown = as_seen(result, home.store, reader)

    may = may_see_personal(reader).allowed
    assert (PHONE in shown.citations[0].quote) is may
    stored = home.store.page(CODE, 1, clear=may)
    assert stored.raw[start:] == shown.citations[0].quote
    # what is unmasked never stands before a language model
    assert still_stands(shown.citations[0], home.store, reader) is (not may)


def _client(home, monkeypatch, reader: Reader) -> TestClient:
    monkeypatch.setattr(api, "current_reader", lambda _r, _s: reader)
    app = FastAPI()
    images = PageImages(home.store, home.settings.cache_path / "pages")
    app.include_router(api.build_router(home.assistant, RecentAnswers(), images))
    return TestClient(app, base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize("reader", [ARCHIVIST, STAFF, DEPUTY], ids=lambda r: r.role.name)
def test_page_text_and_catalogue_card_follow_the_right(home, monkeypatch, reader: Reader) -> None:
    """This test ensures that the page view shows a number to the archivist only."""
    client = _client(home, monkeypatch, reader)
    token = api.record_token(CODE)

    page = client.get(f"/api/pages/{token}/1?start=0&end=9").json()
    card = client.get(f"/api/records/{token}").text

    may = reader.role is Role.ARCHIVIST
    assert (PHONE in json.dumps(page)) is may
    assert may or PHONE not in card


def _luminance(content: bytes, box: tuple[float, float, float, float]) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as opened:
        grey = np.asarray(opened.convert("L"), dtype=float)
    height, width = grey.shape
    left, top, right, bottom = box
    return grey[
        int(top * height) : int(np.ceil(bottom * height)),
        int(left * width) : int(np.ceil(right * width)),
    ]


def test_the_number_is_painted_over_in_the_picture(home, monkeypatch) -> None:
    """This test ensures that ink of a number is gone from the picture and all else is there."""
    token = api.record_token(CODE)
    page = home.store.page(CODE, 1)
    (span,) = page.personal
    (box,) = quote_boxes(page, *span)
    at = page.raw.index("2019年起")  # digits are drawn whether or not there is a Chinese font
    (year,) = quote_boxes(page, at, at + 4)
    pictures = {}
    for reader in (ARCHIVIST, DEPUTY):
        response = _client(home, monkeypatch, reader).get(f"/page/{token}/1.jpg?w=1000")
        assert response.status_code == 200
        pictures[reader.role] = (response.content, response.headers["etag"])

    clear, covered = (pictures[r.role][0] for r in (ARCHIVIST, DEPUTY))
    assert pictures[Role.ARCHIVIST][1] != pictures[Role.DEPUTY][1]
    assert _luminance(clear, box).std() > 20
    assert _luminance(covered, box).std() < 6
    assert abs(_luminance(covered, box).mean() - 150) < 10
    assert _luminance(covered, year).std() > 20
    # the masked picture of a page without numbers is the plain one
    second = [
        _client(home, monkeypatch, reader).get(f"/page/{token}/2.jpg?w=640").headers["etag"]
        for reader in (ARCHIVIST, DEPUTY)
    ]
    assert second[0] == second[1]


def test_a_picture_without_places_is_not_shown_to_readers_without_the_right(home) -> None:
    """This test ensures that a picture is held back when nobody knows where its number stands."""
    images = PageImages(home.store, home.settings.cache_path / "pages")
    page = replace(home.store.page(CODE, 1), lines=())

    assert images.jpeg(page, 640, clear=False) is None
    assert images.jpeg(page, 640, clear=True) is not None
    images.close()


def test_an_older_home_is_masked_when_it_is_opened(tmp_path, home) -> None:
    """This test ensures that a store of the version before gets its masks and its index is rebuilt.

    The old index holds the numbers, so it is refused until `chadang ingest` has run.
    """
    folder = tmp_path / "old"
    settings = open_home(folder)[1]
    home.store.meta("x")  # opens the connection
    source = sqlite3.connect(home.settings.database_path)
    target = sqlite3.connect(settings.database_path)
    source.backup(target)
    for statement in (
        "DROP VIEW opening_newest", "DROP TABLE opening_marks", "DROP TABLE opening_batches",
        "DROP TABLE jobs", "DROP TABLE ingest_runs", "DROP TABLE decisions", "DROP TABLE held",
        "ALTER TABLE pages DROP COLUMN personal", "ALTER TABLE passages DROP COLUMN shown",
        "PRAGMA user_version = 1",
    ):  # fmt: skip
        target.execute(statement)
    target.commit()
    target.close()
    source.close()

    store = Store(settings.database_path)
    assert PHONE not in store.page(CODE, 1).raw
    assert not any(PHONE in p.text for p in store.passages(CODE))
    settings.index_path.mkdir(parents=True, exist_ok=True)
    for name in home.settings.index_path.iterdir():
        (settings.index_path / name.name).symlink_to(name)
    with pytest.raises(IndexMismatchError, match="重新运行 chadang ingest"):
        PassageIndex(store, settings, HashEncoder())
    store.close()
