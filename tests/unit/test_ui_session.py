from pathlib import Path

from assistant.domain import Answer, Listing, Refusal, RefusalReason, Turn
from index.domain import Coverage, Reader, Record, Role
from tests.web_fakes import make_settings
from ui.framing import frame_ancestors, widget_origins
from ui.gate import content_security_policy
from ui.places import permalink, record_id_of, record_token
from ui.session import RecentAnswers, Session

ANSWER = Answer("问", "问", "", "", (), (Listing(1, Record("A", "题名")),), Coverage(1, 1, 0))
ARCHIVIST = Reader(Role.ARCHIVIST, "甲")


def test_an_answer_belongs_to_the_reader_who_asked() -> None:
    recent = RecentAnswers()

    answer_id = recent.add(ARCHIVIST, ANSWER)

    assert recent.get(answer_id, ARCHIVIST) is ANSWER
    assert recent.get(answer_id, Reader(Role.ARCHIVIST, "乙")) is None
    assert recent.get("0" * 32, ARCHIVIST) is None


def test_the_oldest_answer_is_dropped_first() -> None:
    recent = RecentAnswers(capacity=2)
    first, second = recent.add(ARCHIVIST, ANSWER), recent.add(ARCHIVIST, ANSWER)
    recent.get(first, ARCHIVIST)

    recent.add(ARCHIVIST, ANSWER)

    assert recent.get(first, ARCHIVIST) is ANSWER
    assert recent.get(second, ARCHIVIST) is None


def test_a_conversation_keeps_a_bounded_number_of_turns() -> None:
    session = Session()
    refusal = Refusal("问", "问", "", RefusalReason.NOT_FOUND, "无", Coverage(0, 0, 0))
    for i in range(100):
        session.begin(str(i), "…")
        session.show("答")
        session.remember(Turn(str(i), refusal))

    assert len(session.turns) == 12
    assert session.turns[-1].question == "99"
    assert session.shown[-1] == ("99", "答")
    session.clear()
    assert not session.turns
    assert not session.shown


def test_any_record_id_survives_the_address() -> None:
    for record_id in ("0012-1985-永久-0034", "a/b?c#d%2F", "目录/案卷 3/件 5", "<script>"):
        token = record_token(record_id)

        assert record_id_of(token) == record_id
        assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        assert permalink(record_id, 3, 1, 9) == f"record/{token}?page=3&start=1&end=9"


def test_what_is_no_token_is_no_record() -> None:
    for token in ("", "!!!", "a", "_w", "永久"):
        assert record_id_of(token) in (None, "")


def test_the_widget_may_be_framed_by_well_formed_origins_only(tmp_path: Path) -> None:
    listed = "http://OA.gov.test:80 https://x.test:8443/ https://*.rd.test evil;script-src x.test"
    settings = make_settings(tmp_path, widget_origins=listed)

    origins = widget_origins(settings)

    assert origins == ("http://oa.gov.test", "https://x.test:8443")
    policy = content_security_policy(frame_ancestors(origins))
    assert policy.endswith("; frame-ancestors http://oa.gov.test https://x.test:8443")
    assert "unsafe-eval" not in policy
    assert "script-src 'self';" in policy
    assert frame_ancestors(()) == "frame-ancestors 'none'"
    assert content_security_policy().endswith("; frame-ancestors 'self'")


def test_an_answer_is_replaced_wherever_it_stands_by_now() -> None:
    session = Session()
    session.begin("一", "先")
    session.begin("二", "后")

    session.show_instead("先", "先，连接语")
    session.show_instead("已经不在", "无处可放")

    assert session.shown == [("一", "先，连接语"), ("二", "后")]
