"""Which step of a chain a catalogue row is, and the keys that tie it to its matter."""

from __future__ import annotations

import pytest

from assistant.chain_roles import ProposalKey, places_agree, read_facts, subject_of
from assistant.matter import StepKind
from index.domain import Record


def record(title: str, **fields: str) -> Record:
    return Record(title, title, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("关于改造红枫路下水道的建议（第15号）", StepKind.PROPOSAL),
        ("关于制定示例市古树保护条例的议案（第2号议案）", StepKind.PROPOSAL),
        ("对市八届人大三次会议第15号建议的答复", StepKind.REPLY),
        ("关于对市八届人大三次会议第15号建议答复的函", StepKind.REPLY),
        ("对市八届人大三次会议第15号建议的再次答复", StepKind.SECOND_REPLY),
        ("市八届人大三次会议第15号建议办理情况征询意见表", StepKind.DEPUTY_OPINION),
        ("关于市八届人大三次会议代表建议办理情况的报告", StepKind.HANDLING_REPORT),
        ("市八届人大三次会议代表建议交办目录", StepKind.ASSIGNMENT),
        ("关于督办第15号建议情况的函", StepKind.SUPERVISION),
        ("关于印发《中华人民共和国水法》执法检查方案的通知", StepKind.PLAN),
        ("市人大常委会执法检查组关于检查《中华人民共和国水法》实施情况的报告", StepKind.INSPECTION),
        ("示例市人大常委会关于《中华人民共和国水法》实施情况的审议意见", StepKind.REVIEW_OPINION),
        ("示例市人民政府关于城乡供水情况审议意见研究处理情况的报告", StepKind.FOLLOW_UP),
        ("市八届人大常委会第九次会议满意度测评结果（城乡供水审议意见研究处理情况）", StepKind.POLL),
        ("示例市人民政府关于城乡供水工作情况的报告", StepKind.WORK_REPORT),
        ("关于《示例市古树保护条例（草案）》的说明", StepKind.DRAFT),
        ("常委会组成人员对《示例市古树保护条例（草案）》的审议意见（一审）", StepKind.FIRST_READING),
        ("法制委员会关于《示例市古树保护条例（草案）》审议结果的报告", StepKind.SECOND_READING),
        ("关于报请批准《示例市古树保护条例》的报告", StepKind.SUBMISSION),
        ("示例省人大常委会关于批准《示例市古树保护条例》的决议", StepKind.APPROVAL),
        ("示例市古树保护条例", StepKind.ADOPTION),
        ("示例市人大常委会关于修改《示例市古树保护条例》的决定", StepKind.AMENDMENT),
        ("示例市人大常委会关于废止《示例市古树保护条例》的决定", StepKind.REPEAL),
        ("示例市人大常委会关于加强水源保护的决议", StepKind.RESOLUTION),
    ],
)  # fmt: skip
def test_a_title_tells_the_step(title: str, kind: StepKind) -> None:
    """This test ensures that the title cues of every chain are read."""
    assert read_facts(record(title)).role is kind


@pytest.mark.parametrize(
    "title",
    [
        "示例市人民代表大会常务委员会任免名单",
        "政府工作报告",
        "关于做好档案整理工作的通知",
        "示例市第八届人民代表大会第一次会议公告（选举结果）",
        "关于接受张某某辞去职务请求的决定",
        "市八届人大常委会第十九次主任会议纪要",
    ],
)
def test_other_papers_are_no_step(title: str) -> None:
    """This test ensures that papers outside the chains do not become matters."""
    assert read_facts(record(title)).role is None


def test_a_volume_is_no_step() -> None:
    """This test ensures that the title of a whole volume is not taken for a paper in it."""
    row = record("示例市人大代表建议办理情况报告", unit_level="案卷")

    assert read_facts(row).role is None


def test_session_and_number_make_the_key() -> None:
    """This test ensures that title and 届次 column give one key, leading zeros aside."""
    key = ProposalKey(8, 3, "建议", "15")

    by_title = read_facts(record("对市八届人大三次会议第015号建议的答复"))
    by_column = read_facts(record("关于修桥的建议（第15号）", meeting="八届人大三次会议"))

    assert by_title.proposals == (key,)
    assert by_column.proposals == (key,)


def test_one_reply_may_serve_several_proposals() -> None:
    """This test ensures that 并案办理 gives every number."""
    facts = read_facts(record("对市八届人大三次会议第15号、第22号建议的答复"))

    assert [key.number for key in facts.proposals] == ["15", "22"]


def test_a_number_without_its_session_is_no_key() -> None:
    """This test ensures that 第15号 of an unknown session ties nothing together."""
    assert read_facts(record("对第15号建议的答复")).proposals == ()


def test_a_long_number_stands_for_itself() -> None:
    """This test ensures that 第20250033号 needs no session."""
    facts = read_facts(record("对第20250033号建议的答复"))

    assert facts.proposals == (ProposalKey(None, None, "建议", "20250033"),)


def test_papers_of_one_matter_have_one_subject() -> None:
    """This test ensures that opinion, follow-up and poll come out under the same subject."""
    titles = (
        "示例市人大常委会关于城乡供水管理情况的审议意见",
        "示例市人民政府关于城乡供水管理情况审议意见研究处理情况的报告",
        "市八届人大常委会第九次会议满意度测评结果（城乡供水管理审议意见研究处理情况）",
        "专题询问实录（城乡供水管理）",
    )

    assert {subject_of(title.replace("（", "(").replace("）", ")")) for title in titles} == {
        "城乡供水管理"
    }


def test_places_that_cannot_be_the_same_do_not_agree() -> None:
    """This test ensures that a county's papers are not tied to the city's."""
    assert places_agree("市", "示例市")
    assert places_agree("", "西塘县")
    assert not places_agree("西塘县", "示例市")


def test_an_audit_and_its_mending_are_one_subject() -> None:
    """This test ensures that the report on mending follows the audit report of the same year."""
    audit = read_facts(Record("1", "关于2021年度市级预算执行和其他财政收支的审计工作报告"))
    mending = read_facts(
        Record(
            "2", "云泽市人民政府关于2021年度市级预算执行和其他财政收支审计查出问题整改情况的报告"
        )
    )

    assert (audit.role, mending.role) == (StepKind.AUDIT, StepKind.RECTIFICATION)
    assert audit.subject == mending.subject
