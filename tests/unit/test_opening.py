"""Opening decisions: what they open, what they never open, how they meet the catalogue."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from assistant.register import Action, Register
from index.access import may_decide_opening, may_read, opened
from index.domain import Page, Passage, Reader, Record, Role
from index.errors import IndexStoreError
from index.opening import Result
from index.opening_decisions import Grounds, OpeningDecisions, OpeningError, Selection, selection_of
from index.store import SCHEMA_VERSION, Store
from ui.cli import main

DEPUTY = Reader(Role.DEPUTY, "陈柏舟")
NOW = "2026-11-23T09:00:00+08:00"
OPEN = Grounds(Result.OPEN, "开放审核同意", "张档", "2026-11-20")
CLOSED = Grounds(Result.CONTROLLED, "国家或社会重大利益", "张档", "2026-11-21")


def put(store: Store, code: str, title: str, doc_type: str = "", **fields: object) -> Record:
    record = Record(code, title, reference_code=code, doc_type=doc_type, **fields)  # type: ignore[arg-type]
    text = f"{title}的正文。"
    passage = Passage(f"{code}-p", code, 0, len(text), text)
    store.replace_record(record, [Page(code, 1, text)], [passage], "1")
    return record


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "chadang.sqlite3", create=True)
    put(store, "A-1", "关于停车问题的审议意见", "审议意见", year=2019)
    put(store, "A-2", "示例市养犬管理条例", "法规", year=2020)
    put(store, "A-3", "示例市养犬管理条例（草案）的说明", "法规", year=2020)
    put(store, "A-4", "关于转办群众来信的函", "信访", year=2020)
    put(store, "A-5", "对第47号建议的答复", "建议答复", year=2018, opening="控制")
    return store


def decide(store: Store, grounds: Grounds = OPEN, **selection: object) -> int:
    chosen = Selection(**selection)  # type: ignore[arg-type]
    decisions = OpeningDecisions(store)
    return decisions.decide(chosen, grounds, entered_by="zhang", now=NOW).number


def seen(store: Store, reader: Reader = DEPUTY) -> set[str]:
    return {r.record_id for r in store.records(store.permitted(reader))}


def test_a_decision_opens_at_once_and_everywhere(store: Store) -> None:
    """This test ensures that permission, counts and look-ups follow without a new index."""
    assert seen(store) == set()
    before = store.coverage(store.permitted(DEPUTY)).pages
    content = store.content_version

    decide(store, codes=("A-1",))

    assert seen(store) == {"A-1"}
    assert store.coverage(store.permitted(DEPUTY)).pages == before + 1
    record = store.record("A-1")
    assert record is not None
    assert (record.opening, record.opening_decision) == ("开放", 1)
    assert may_read(DEPUTY, record).allowed
    assert store.find_by_key("id", "a-1", store.permitted(DEPUTY))[0].opening == "开放"
    assert store.content_version == content, "the index need not be built again"
    put(store, "A-9", "新来的一件")
    assert store.content_version == store.data_version > content


def test_a_decision_is_not_written_into_the_catalogue(store: Store) -> None:
    decide(store, codes=("A-1",))
    kept = store.catalogued("A-1")
    record = store.record("A-1")

    assert kept is not None
    assert record is not None
    assert (kept.opening, kept.opening_decision) == ("", 0)
    with pytest.raises(ValueError, match="开放审核"):
        store.replace_record(record, [], [], "2")


def test_taking_the_catalogue_in_again_keeps_the_decision(store: Store) -> None:
    """This test ensures that a blank or unreviewed catalogue does not undo what was decided."""
    decide(store, codes=("A-1",))
    for opening in ("", "未审核", "开放"):
        put(store, "A-1", "关于停车问题的审议意见", "审议意见", year=2019, opening=opening)
        assert "A-1" in seen(store)
        assert OpeningDecisions(store).conflicts() == []
    store.remove_record("A-1")
    assert "A-1" not in seen(store)
    put(store, "A-1", "关于停车问题的审议意见", "审议意见", year=2019)
    assert "A-1" in seen(store)


@pytest.mark.parametrize("changed", [{"opening": "控制"}, {"publicity": "不予公开"}])
def test_of_a_decision_and_a_catalogue_that_disagree_the_stricter_holds(
    store: Store, changed: dict[str, str]
) -> None:
    decide(store, codes=("A-1",))
    put(store, "A-1", "关于停车问题的审议意见", "审议意见", year=2019, **changed)

    assert "A-1" not in seen(store)
    (conflict,) = OpeningDecisions(store).conflicts()
    assert (conflict.record.record_id, conflict.batch, conflict.result) == ("A-1", 1, "开放")
    assert "目录在审核之后改为" in conflict.why

    decide(store, codes=("A-1",))  # having looked at it again
    assert "A-1" in seen(store)
    assert OpeningDecisions(store).conflicts() == []


def test_another_paper_under_the_same_code_is_not_opened(store: Store) -> None:
    """This test ensures that a 档号 given to another paper does not carry the opening over."""
    decide(store, codes=("A-1",))
    put(store, "A-1", "主任会议纪要", "", year=2019)

    assert "A-1" not in seen(store)
    assert "题名已变" in OpeningDecisions(store).conflicts()[0].why


def test_a_decision_closes_what_the_catalogue_opens(store: Store) -> None:
    put(store, "B-1", "关于预算的决议", "决议", opening="开放", publicity="主动公开")
    assert "B-1" in seen(store)

    decide(store, CLOSED, codes=("B-1",))

    assert "B-1" not in seen(store)
    record = store.record("B-1")
    assert record is not None
    assert not opened(record)
    put(store, "B-1", "关于预算的决议", "决议", opening="开放")
    assert "B-1" not in seen(store), "a catalogue that says 开放 again does not open it"


def test_a_title_with_personal_data_is_no_conflict(store: Store) -> None:
    put(store, "B-2", "关于13812345678来电的答复", "答复")
    decide(store, codes=("B-2",))

    assert "B-2" in seen(store)
    assert "13812345678" not in OpeningDecisions(store).preview(Selection(codes=("B-2",))).candidates[0].record.title  # fmt: skip
    clear = store.record("B-2", clear=True)
    assert clear is not None
    assert (clear.opening, "13812345678" in clear.title) == ("开放", True)


def test_restricted_records_stay_closed_and_say_so(store: Store) -> None:
    preview = OpeningDecisions(store).preview(Selection(codes=("A-4",)))
    assert "限制利用（信访）" in preview.candidates[0].warnings[0]

    decide(store, codes=("A-4",))

    assert "A-4" not in seen(store)
    assert "A-4" not in seen(store, Reader(Role.STAFF, "某人"))


def test_a_preset_takes_what_is_published_and_no_working_papers(store: Store) -> None:
    def names(preset: str) -> set[str]:
        found = OpeningDecisions(store).preview(Selection(preset=preset)).candidates
        return {c.record.record_id for c in found}

    put(store, "C-1", "示例市城市供水条例（附公布公告）")
    put(store, "C-2", "市人大常委会执法检查组关于检查《食品安全法》实施情况的报告", "执法检查")
    put(store, "C-3", "关于印发《食品安全法》执法检查方案的通知", "执法检查")
    put(store, "C-4", "对市十五届人大二次会议第47号建议的再次答复")
    put(store, "C-5", "市十五届人大二次会议第47号建议办理情况征询意见表", "代表建议")
    put(store, "C-6", "关于修改《示例市供水条例》的请示")

    assert names("法规") == {"A-2", "C-1"}
    assert names("审议意见") == {"A-1"}
    assert names("执法检查报告") == {"C-2"}
    assert names("建议答复") == {"A-5", "C-4"}
    assert names("公告") == set()


def test_selections_add_up(store: Store) -> None:
    def names(**selection: object) -> set[str]:
        found = OpeningDecisions(store).preview(Selection(**selection)).candidates  # type: ignore[arg-type]
        return {c.record.record_id for c in found}

    assert names(first_year=2020) == {"A-2", "A-3", "A-4"}
    assert names(last_year=2019) == {"A-1", "A-5"}
    assert names(doc_type="法规", title="草案") == {"A-3"}
    assert names(state="未审核") == {"A-1", "A-2", "A-3", "A-4"}
    assert names(codes=("a—1", " A-2 "), first_year=2020) == {"A-2"}
    decide(store, codes=("A-1",))
    assert names(state="开放") == {"A-1"}


def test_undoing_is_another_decision(store: Store) -> None:
    first = decide(store, codes=("A-1", "A-2"))
    second = decide(store, CLOSED, codes=("A-1",))
    decisions = OpeningDecisions(store)

    undone = decisions.undo(second, decided_by="李档", note="登记错了", entered_by="li", now=NOW)
    assert (undone.undoes, undone.count) == (second, 1)
    assert seen(store) == {"A-1", "A-2"}

    decisions.undo(first, decided_by="李档", note="整批错了", entered_by="li", now=NOW)
    assert seen(store) == {"A-1"}, "a record decided about again since is left alone"
    assert [(b.number, b.count, b.in_force) for b in decisions.batches()] == [
        (4, 1, 1), (3, 1, 1), (2, 1, 0), (1, 2, 0),
    ]  # fmt: skip
    with pytest.raises(OpeningError, match="没有生效中"):
        decisions.undo(second, decided_by="李档", note="再来", entered_by="li", now=NOW)


def test_a_batch_is_all_or_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = store.catalogued
    monkeypatch.setattr(store, "catalogued", lambda i: None if i == "A-2" else real(i))

    with pytest.raises(OpeningError, match="已不在馆藏"):
        decide(store, codes=("A-1", "A-2"))

    monkeypatch.undo()
    assert seen(store) == set()
    assert OpeningDecisions(store).batches() == []


def test_what_was_previewed_is_what_is_decided(store: Store) -> None:
    decisions = OpeningDecisions(store)
    preview = decisions.preview(Selection(last_year=2019), without={"A-5"})
    put(store, "D-1", "又来一件", year=2018)

    with pytest.raises(OpeningError, match="再看一次预览"):
        decisions.decide(
            Selection(last_year=2019), OPEN, entered_by="", now=NOW, stamp=preview.stamp,
            without={"A-5"},
        )  # fmt: skip
    assert seen(store) == set()

    stamp = decisions.preview(Selection(last_year=2019), {"A-5", "D-1"}).stamp
    decisions.decide(
        Selection(last_year=2019), OPEN, entered_by="", now=NOW, stamp=stamp, without={"A-5", "D-1"}
    )
    assert seen(store) == {"A-1"}
    with pytest.raises(OpeningError, match="再看一次预览"):  # pressed twice
        decisions.decide(
            Selection(last_year=2019), OPEN, entered_by="", now=NOW, stamp=stamp,
            without={"A-5", "D-1"},
        )  # fmt: skip
    assert len(decisions.batches()) == 1


@pytest.mark.parametrize(
    ("grounds", "said"),
    [
        (Grounds(Result.OPEN, "开放审核同意", " ", "2026-11-20"), "由谁"),
        (Grounds(Result.OPEN, "国家或社会重大利益", "张", "2026-11-20"), "请从这些里选"),
        (Grounds(Result.DELAYED, "其他", "张", "2026-11-20"), "写清楚"),
        (Grounds(Result.OPEN, "开放审核同意", "张", "昨天"), "审核日期"),
        (Grounds(Result.OPEN, "开放审核同意", "张", "2027-01-01"), "还没有到"),
        (Grounds(Result.OPEN, "开放审核同意", "张" * 61, "2026-11-20"), "不超过"),
    ],
)
def test_a_decision_names_who_when_and_why(store: Store, grounds: Grounds, said: str) -> None:
    with pytest.raises(OpeningError, match=said):
        decide(store, grounds, codes=("A-1",))
    assert OpeningDecisions(store).batches() == []


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({}, "至少选一个条件"),
        ({"preset": "什么"}, "没有“什么”这一类"),
        ({"first_year": 2020, "last_year": 2019}, "晚于"),
        ({"codes": ("A-1", "Z-9")}, "没有这些档号：Z-9"),
        ({"title": "没有这样的题名"}, "没有符合条件"),
        ({"state": "随便"}, "没有“随便”"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(
    store: Store, selection: dict[str, object], said: str
) -> None:
    with pytest.raises(OpeningError, match=said):
        decide(store, **selection)


def test_what_a_page_sends_is_looked_at(store: Store) -> None:
    chosen = selection_of({"codes": "A-1\n\n A-2 ", "first_year": "2019", "last_year": None})
    assert chosen == Selection(codes=("A-1", "A-2"), first_year=2019)
    for body in ({"first_year": "19"}, {"codes": [1]}, {"title": [1]}, {"title": "长" * 501}):
        with pytest.raises(OpeningError):
            selection_of(body)


def test_decisions_are_never_changed(store: Store) -> None:
    decide(store, codes=("A-1",))
    for table in ("opening_batches", "opening_marks"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET result = '开放'"):  # noqa: S608
            with pytest.raises(IndexStoreError, match="never"), store.writing() as cursor:
                cursor.execute(statement)
    assert "A-1" in seen(store)


def test_a_home_of_version_2_is_brought_up(store: Store) -> None:
    path = store.path
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("DROP VIEW opening_newest")
        db.execute("DROP TABLE opening_marks")
        db.execute("DROP TABLE opening_batches")
        db.execute("DELETE FROM meta WHERE key = 'content_version'")
        db.execute("PRAGMA user_version = 2")
    db.close()

    again = Store(path)

    with again.reading() as opened_db:
        assert opened_db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    assert again.content_version == again.data_version
    before = again.content_version
    decide(again, codes=("A-1",))
    assert seen(again) == {"A-1"}
    assert (again.content_version, again.data_version) == (before, before + 1)


def test_only_archivists_decide() -> None:
    assert [role for role in Role if may_decide_opening(Reader(role)).allowed] == [Role.ARCHIVIST]


def test_the_command_looks_first_and_registers(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """This test ensures that nothing is decided without --yes, a name and a use entry."""
    home = ["--home", str(tmp_path)]
    codes = tmp_path / "档号.txt"
    codes.write_text("A-1\n\nA-2\n", encoding="utf-8")
    given = ["opening", "set", "--codes", str(codes), "--result", "开放", *home]
    assert main(given) == 1
    assert "开放审核同意" in capsys.readouterr().err, "the reasons are listed"
    given += ["--reason", "开放审核同意"]
    assert main(given) == 0
    assert "没有登记" in capsys.readouterr().out
    assert main([*given, "--yes"]) == 1
    assert OpeningDecisions(store).batches() == []
    assert main([*given, "--yes", "--by", "张档"]) == 0
    assert seen(store) == {"A-1", "A-2"}
    assert main(["opening", "list", "1", *home]) == 0
    assert "A-2  开放" in capsys.readouterr().out
    assert main(["opening", "undo", "1", "--by", "李档", "--note", "错了", *home]) == 0
    assert seen(store) == set()
    assert main(["opening", "presets", *home]) == 0
    register = Register(tmp_path / "register.sqlite3")
    told = [(e.outcome, e.approver) for e in register.entries() if e.action == Action.OPENING]
    # Newest first: before and after each; the preview is none, the try without a name did not do.
    assert told == [
        ("撤销登记", "李档"), ("撤销登记", "李档"), ("开放", "张档"), ("开放", "张档"),
        ("开放：未成", ""), ("开放", ""),
    ]  # fmt: skip
