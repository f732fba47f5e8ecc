"""Catalogue tables of any content: nothing is dropped in silence, nothing raises but our own error."""

from __future__ import annotations

import csv
import io

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.text import matching_key
from ingest.catalogue import read_catalogue
from ingest.errors import CatalogueError
from ingest.headings import FIELD_OF, find_header
from ingest.table_rows import table_rows

_CELL = st.one_of(
    st.just(""),
    st.sampled_from(
        ["〃", "0012-1-35-1", "0012-1-35", "12", "0012", "1998.3", "36001", "1-5", "合计", "机密", "2018年度工作总结",
         "第35卷说明", "案卷号：36", "案卷号", "填表人：某某", "会议", "代表", "=1+1", "1.2E+17", "\u200b", "题名", "档号"]
    ),
    st.text(max_size=12),
)  # fmt: skip
_TABLE = st.lists(st.lists(_CELL, max_size=7), max_size=12)
_HEAD = st.lists(st.sampled_from([*FIELD_OF, "柜号", ""]), min_size=1, max_size=7)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(above=_TABLE, head=_HEAD, below=_TABLE)
def test_any_table_is_read_or_refused(tmp_path, above, head, below):
    out = io.StringIO()
    csv.writer(out).writerows([*above, head, *below])
    path = tmp_path / "c.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")

    try:
        catalogue = read_catalogue(path, "c.csv")
    except CatalogueError:
        return

    ids = [row.record.record_id for row in catalogue.rows]
    assert len(ids) == len(set(ids))
    told = len(catalogue.rows) + len(catalogue.skipped)
    assert told == catalogue.row_count
    assert "机密" not in {row.record.secrecy for row in catalogue.rows}


@settings(max_examples=300, deadline=None)
@given(below=_TABLE)
def test_every_row_below_the_headings_ends_somewhere(below):
    numbered = [(n, [c.strip() for c in cells]) for n, cells in enumerate(below, 2)]
    header = find_header([(1, ["档号", "题名", "日期", "备注"])])

    rows = table_rows(numbered, header, {}, {})

    seen = {r.number for r in rows.entries} | {n for n, _ in (*rows.remarks, *rows.told)}
    seen |= set(rows.joined)
    for number, cells in numbered:
        texts = [c for c in cells if c]
        headings = sum(matching_key(c) in ("题名", "档号", "会议", "代表", "案卷号") for c in texts)
        assert number in seen or not texts or headings * 2 >= len(texts)
