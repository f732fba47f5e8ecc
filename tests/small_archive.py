"""A real assistant over a handful of records: no model, no files, ready in a second."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from assistant.assistant import Assistant
from index.domain import Page, Record
from index.passage_index import build_index
from index.settings import load_settings
from index.store import Store
from ingest.splitting import split_record
from tests.fakes import HashEncoder

OPENED: Final = "0012-2019-永久-0007"
LETTER: Final = "0012-2020-永久-0031"
OPENED_QUOTE: Final = "决定批准2019年市级预算调整方案，一般公共预算支出调增3.2亿元。"
CLOSED_QUOTE: Final = "东风水库渠道维修工程由县水利局负责实施，共拨款五千元。"
#: What only the closed record answers, in words that the opened ones do not have.
CLOSED_QUESTION: Final = "东风水库渠道维修工程由谁负责实施？"
OPEN_QUESTION: Final = "2019年市级预算调整方案的一般公共预算支出调增多少？"
COUNT_QUESTION: Final = "一共多少件？"
ABSENT_QUESTION: Final = "火星基地的建设经费是多少？"

_ROWS: Final = (
    (
        OPENED, "示例市人大常委会关于批准2019年市级预算调整方案的决议", "决议", "2019-08-27", "开放",
        "示例市人民代表大会常务委员会关于批准2019年市级预算调整方案的决议\n"
        f"会议同意财政经济委员会提出的审查结果报告，{OPENED_QUOTE}\n本决议自通过之日起施行。\n",
    ),
    (
        LETTER, "关于东风水库渠道维修工程的报告", "报告", "2020-03-12", "",
        f"示例县人民政府关于东风水库渠道维修工程的报告\n{CLOSED_QUOTE}\n特此报告。\n",
    ),
    (
        "0012-2021-永久-0002", "示例市人大常委会2021年工作要点", "要点", "2021-01-20", "开放",
        "示例市人大常委会2021年工作要点\n加强对养老服务工作的监督，听取专项工作报告。\n",
    ),
)  # fmt: skip


def small_assistant(home: Path, *, without: str = "", **flags: object) -> Assistant:
    """The assistant of a new home.

    Args:
        home: An empty folder.
        without: Id of a record to leave out, as if it had never been taken in.
        flags: Settings.
    """
    settings = load_settings(home, flags, environment={})
    store = Store(settings.database_path, create=True)
    for record_id, title, kind, date, opening, text in _ROWS:
        if record_id == without:
            continue
        record = Record(
            record_id, title, reference_code=record_id, doc_type=kind, opening=opening,
            date=date, date_iso=date, year=int(date[:4]),
        )  # fmt: skip
        pages = (Page(record_id, 1, text),)
        store.replace_record(record, pages, split_record(record_id, title, pages, 120), "x")
    encoder = HashEncoder()
    build_index(store, settings, encoder=encoder)
    return Assistant(store, settings, encoder, today=lambda: dt.date(2026, 11, 23))
