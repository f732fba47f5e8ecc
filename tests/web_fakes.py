"""Holdings and an assistant for tests of the pages: small, real store, fixed answers."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from assistant.domain import (
    OPENED,
    Answer,
    Citation,
    Listing,
    Prose,
    ProseSegment,
    QuestionError,
    Reading,
    Refusal,
    RefusalReason,
    Table,
    TableRow,
    Turn,
    cite,
)
from assistant.filters import NO_FILTERS, Filters
from assistant.matter import Basis, Matter, MatterKind, Step, StepKind
from assistant.search import SearchFilter
from assistant.suggestions import Suggestion
from index.domain import Coverage, Line, Page, Reader, Record, TextSource
from index.settings import Settings, load_settings
from index.store import Store, StoredFile
from tests.hostile import HOSTILE as SAMPLES

SCANNED = "0012-1985-永久-0034"
TYPED = "0012-2019-永久-0007"
HIDDEN = "0012-1999-长期-0101"
CATALOGUE_ONLY = "0012-2020-30年-0055"
HOSTILE = "0012-2021-永久-<script>alert(1)</script>"

READINGS = (
    Reading("词:水库", "水库", "“水利工程”"),
    Reading("时间:去年", "去年", "2025年", '<b>"备注"</b>'),
)
HOSTILE_TEXT = "\n".join(SAMPLES)

_SCANNED_LINES = (
    "关于批转一九八五年度水利工程经费的通知",
    "各公社管委会、县直各单位：",
    "　　经县人民政府第十二次常务会议研究决定，从一九八五年预备",
    "费中拨款五千元，用于东风水库渠道维修。工程由县水利局负责实",
    "施，县财政局监督使用，不得挪作他用。",
    "　　会议认为，渠道年久失修，影响下游三个生产队灌溉，应当在",
    "春耕以前完工。完工后由县水利局会同县财政局组织验收，验收结",
    "果报县人民政府备案。",
    "示例县人民政府",
    "一九八五年三月十二日",
)
SCANNED_QUOTE = "从一九八五年预备\n费中拨款五千元，用于东风水库渠道维修。"
TYPED_TEXT = (
    "示例市人民代表大会常务委员会\n关于批准2019年市级预算调整方案的决议\n\n"
    "（2019年8月27日示例市第十六届人民代表大会常务委员会第二十三次会议通过）\n\n"
    "　　示例市第十六届人民代表大会常务委员会第二十三次会议听取了市财政局局长受市人民政府委托所作的"
    "《关于示例市2019年市级预算调整方案（草案）的报告》，对预算调整方案进行了审查。\n"
    "　　会议同意市人民代表大会财政经济委员会提出的审查结果报告，"
    "决定批准2019年市级预算调整方案，一般公共预算支出调增3.2亿元。\n"
    + "".join(f"　　附注{i}：各部门应当严格执行预算，不得擅自调整。\n" for i in range(1, 40))
)
TYPED_QUOTE = "决定批准2019年市级预算调整方案，一般公共预算支出调增3.2亿元。"


def make_settings(home: Path, **flags: object) -> Settings:
    """Settings of a test home."""
    values: dict[str, object] = {"archive_name": "示例市人大常委会档案馆", **flags}
    return load_settings(home, values, environment={})


def make_store(home: Path) -> Store:
    """A store with a scanned, a typed, a hostile, a hidden and a catalogue-only record."""
    store = Store(home / "chadang.sqlite3", create=True)
    folder = home / "files"
    folder.mkdir(parents=True, exist_ok=True)
    scan = folder / "scan.pdf"
    pages = _write_scan(scan)
    digest = hashlib.sha256(scan.read_bytes()).hexdigest()
    store.put_file(StoredFile("scan.pdf", digest, 1, 0.0, str(folder), "ok", "", SCANNED))
    store.replace_record(
        Record(
            SCANNED,
            "关于批转一九八五年度水利工程经费的通知",
            reference_code=SCANNED,
            author="示例县人民政府",
            doc_no="示政发〔1985〕12号",
            date="1985-03-12",
            date_iso="1985-03-12",
            year=1985,
            doc_type="通知",
            opening="开放",
            file_path="scan.pdf",
            source_file="目录.xlsx（文书档案）",
            source_row=12,
        ),
        pages,
        [],
        "1",
    )
    for record_id, title, text, opening, number in (
        (TYPED, "示例市人大常委会关于批准2019年市级预算调整方案的决议", TYPED_TEXT, "开放", "示人发〔2019〕15号"),
        (HIDDEN, "关于某同志来信的处理意见", "不得公开的内容", "", ""),
        (HOSTILE, "关于<b>加粗</b>的[请示](http://evil.test)", HOSTILE_TEXT, "开放", "〔2021〕*3*号"),
    ):  # fmt: skip
        store.replace_record(
            Record(
                record_id,
                title,
                reference_code=record_id,
                author="示例市人大常委会",
                doc_no=number,
                date="2019-08-27",
                doc_type="信访" if record_id == HIDDEN else "决议",
                opening=opening,
            ),
            [Page(record_id, 1, text), Page(record_id, 2, "第二页的内容。")],
            [],
            "1",
        )
    store.replace_record(
        Record(
            CATALOGUE_ONLY,
            "示例市第十六届人民代表大会第四次会议文件目录",
            reference_code=CATALOGUE_ONLY,
            date="2020",
            opening="开放",
            source_file="目录.xlsx（文书档案）",
            source_row=3,
            extra=(("柜号<b>", "3-2"),),
        ),
        [],
        [],
        "1",
    )
    return store


def _write_scan(path: Path) -> list[Page]:
    width, height = 1240, 1754
    font = ImageFont.truetype(_font_file(), 34)
    image = Image.new("RGB", (width, height), "#f3efe6")
    draw = ImageDraw.Draw(image)
    lines: list[Line] = []
    raw, top = "", 170
    for number, text in enumerate(_SCANNED_LINES):
        left = 160 if number not in (0, 8, 9) else 300 if number == 0 else 720
        draw.text((left, top), text, fill="#2a2622", font=font)
        right = left + 34 * len(text)
        box = (left / width, (top - 4) / height, right / width, (top + 42) / height)
        lines.append(Line(len(raw), len(raw) + len(text), box, confidence=0.93))
        raw += text + "\n"
        top += 76 if number != 0 else 120
    second = Image.new("RGB", (width, height), "#f3efe6")
    ImageDraw.Draw(second).text((160, 170), "附件：工程预算表", fill="#2a2622", font=font)
    image.save(path, "PDF", resolution=150, save_all=True, append_images=[second])
    common = {"source": TextSource.OCR, "width": 595.2, "height": 841.9, "file_path": "scan.pdf"}
    second_line = Line(0, 8, (0.13, 0.095, 0.35, 0.12), confidence=0.6)
    return [
        Page(SCANNED, 1, raw, confidence=0.93, lines=tuple(lines), inner_label="1", **common),
        Page(
            SCANNED,
            2,
            "附件：工程预算表\n",
            confidence=0.6,
            lines=(second_line,),
            file_page=2,
            **common,
        ),
    ]


def _font_file() -> str:
    for name in ("NotoSerifCJK-Regular.ttc", "NotoSansCJK-Regular.ttc", "NotoSerifCJK-Bold.ttc"):
        path = Path("/usr/share/fonts/opentype/noto") / name
        if path.is_file():
            return str(path)
    return "DejaVuSans.ttf"


class FakeAssistant:
    """Answers fixed questions from the store of `make_store`."""

    generation = "g-0001"
    model = "假模型"

    def __init__(self, store: Store, settings: Settings, *, composes: bool = False) -> None:
        self.store = store
        self.settings = settings
        self.composes = composes
        self.readers: list[Reader] = []
        self.conversations: list[tuple[Turn, ...]] = []
        self.filters: list[Filters] = []

    def search(
        self, words: str, reader: Reader, most: int, wanted: SearchFilter | None = None
    ) -> tuple[tuple[Citation, ...], Coverage]:
        """The page of every readable record, whatever was asked."""
        wanted = wanted or SearchFilter()
        permitted = self.store.permitted(reader)
        found = []
        for record in self.store.records(permitted):
            page = self.store.page(record.record_id, 1)
            if page is None or not wanted.accepts(record.year, record.doc_type):
                continue
            count = self.store.page_count(record.record_id)
            found.append(cite(len(found) + 1, record, page, count, 0, len(page.raw), "p"))
        return tuple(found[:most]), self.store.coverage(permitted)

    def compose(self, answer: Answer, reader: Reader) -> Answer:
        """Joining text after a second; none for 无话, a failure for 出错."""
        time.sleep(1)
        if "出错" in answer.question:
            raise RuntimeError("broken")
        if "无话" in answer.question:
            return answer
        segments = (
            ProseSegment("维修经费五千元", 1),
            ProseSegment("，*决定*如下：", 2, quoted=True),
        )
        return replace(answer, prose=Prose(segments, "剧本"))

    def ask(
        self,
        question: str,
        conversation: Sequence[Turn],
        reader: Reader,
        without: Collection[str] = (),
        *,
        precedents: bool = False,
        filters: Filters = NO_FILTERS,
    ) -> Answer | Refusal:
        self.filters.append(filters)
        result = self._answer(question, conversation, reader, precedents=precedents)
        readings = tuple(r for r in READINGS if r.words in question and r.key not in without)
        return replace(result, readings=(*filters.without(without).readings(), *readings))

    def next_questions(
        self, answer: Answer, reader: Reader, filters: Filters = NO_FILTERS
    ) -> tuple[Suggestion, ...]:
        """Two questions that lead on."""
        return (
            Suggestion("后来怎么办的？", "同一事项后来的记录"),
            Suggestion("《<b>通知</b>》的附件写了什么？", "这一件的附件"),
        )

    def other_words(
        self,
        result: Answer | Refusal,
        reader: Reader,
        filters: Filters = NO_FILTERS,
        *,
        precedents: bool = False,
    ) -> tuple[Suggestion, ...]:
        """One wording, none for 无词."""
        if "无词" in result.question:
            return ()
        return (Suggestion("水利工程经费是多少？", "“水库”换成“水利工程”"),)

    def _answer(
        self,
        question: str,
        conversation: Sequence[Turn],
        reader: Reader,
        *,
        precedents: bool,
    ) -> Answer | Refusal:
        self.readers.append(reader)
        self.conversations.append(tuple(conversation))
        coverage = self.store.coverage(self.store.permitted(reader))
        if "慢" in question:
            time.sleep(4)
        if "太长" in question:
            raise QuestionError("问题太长，请不超过 *500* 字。")
        if "坏" in question:
            raise RuntimeError("broken")
        if "没有" in question or not self.store.records(self.store.permitted(reader)):
            return Refusal(
                question,
                question,
                "",
                RefusalReason.NOT_FOUND,
                "馆藏中未检索到能回答这个问题的内容。",
                coverage,
            )
        if "哪些" in question or "多少件" in question:
            records = self.store.records(self.store.permitted(reader))
            listings = tuple(Listing(i, r) for i, r in enumerate(records, start=1))
            table = None
            if "各年" in question:
                rows = (TableRow(("1985年", "1"), (1,)), TableRow(("2019年", "3"), (2, 3, 4)))
                table = Table(("年份", "件数"), rows)
            lead = f"目录中共有 {len(listings)} 件。"
            reading = "按全部年度的目录统计"
            answer = Answer(question, question, reading, lead, (), listings, coverage, table=table)
            return replace(answer, counted_of=len(records), unit="件")
        spans = [(SCANNED, 1, SCANNED_QUOTE), (TYPED, 1, TYPED_QUOTE), (SCANNED, 2, "工程预算表")]
        if "恶意" in question:
            spans = [(HOSTILE, 1, HOSTILE_TEXT)]
        citations = []
        for marker, (record_id, seq, quote) in enumerate(spans, start=1):
            record, page = self.store.record(record_id), self.store.page(record_id, seq)
            assert record is not None
            assert page is not None
            start = page.raw.index(quote)
            count = self.store.page_count(record_id)
            citations.append(
                cite(marker, record, page, count, start, start + len(quote), f"p{marker}")
            )
        if precedents:
            return Answer(
                question,
                question,
                "",
                "主题“水渠维修”检得 1 宗，按时间先后排列。",
                tuple(citations),
                (),
                coverage,
                kind="先例",
                precedents=(_matter(citations),),
            )
        return Answer(
            question,
            question,
            "按“1985年”“东风水库渠道维修”“经费”理解",
            "" if "恶意" in question else "找到 2 件档案写到这件事。",
            tuple(citations),
            (),
            coverage,
            kind=OPENED if "打开" in question else "",
            related=tuple(
                r for r in (self.store.record(HOSTILE), self.store.record(CATALOGUE_ONLY)) if r
            ),
        )


def _matter(citations: Sequence[Citation]) -> Matter:
    first, second, third = citations
    steps = (
        Step(StepKind.PROPOSAL, first.record, first.marker, date="1985-03-12"),
        Step(StepKind.ASSIGNMENT, searched="“第7号建议”"),
        Step(
            StepKind.REPLY, second.record, second.marker, (), (third.marker,), "2019-08-27",
            Basis.GUESS, "题名相近",
        ),
    )  # fmt: skip
    return Matter(MatterKind.PROPOSAL, "关于维修水渠的<b>建议</b>", "第7号建议", steps, ("水渠",))


def main() -> None:
    """Serve the fake holdings: `python -m tests.web_fakes HOME PORT [word …]`.

    Words: `composes` (with a language model), `purpose` (asks what for), `accounts` (one signs in
    with the accounts of `tests.account_fakes`), `setup` (sign-in, and no account yet), a path
    (shown below it by a proxy).
    """
    from ui.server import serve

    home, port, words = Path(sys.argv[1]), int(sys.argv[2]), set(sys.argv[3:])
    flags: dict[str, object] = {"port": port}
    if below := [word for word in words if word.startswith("/")]:
        flags |= {"root_path": below[0], "trusted_proxies": "127.0.0.1"}
    if "purpose" in words:
        flags["ask_purpose"] = "always"
    if words & {"accounts", "setup"}:
        flags["sign_in"] = "accounts"
    settings = make_settings(home, **flags)
    if "accounts" in words:
        from tests.account_fakes import add_people, open_accounts

        add_people(open_accounts(settings))
    store = make_store(home)
    assistant = FakeAssistant(store, settings, composes="composes" in sys.argv)
    serve(settings, assistant, say=lambda line: print(line, flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
