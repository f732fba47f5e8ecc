"""Lexical search: BM25 over Chinese characters and character pairs; the one adapter of tantivy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tantivy

from index.access import Permitted
from index.errors import IndexStoreError
from index.text import lexical_tokens, search_form

_TOKENIZER: Final = "whitespace"
_WRITER_BYTES: Final = 64_000_000


@dataclass(frozen=True, slots=True)
class LexicalDocument:
    """What the lexical index needs of a passage.

    Attributes:
        number: Row number of the passage in the store.
        record_number: Row number of its record.
        text: Raw text.
        context: Title and headings.
    """

    number: int
    record_number: int
    text: str
    context: str


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("number", stored=True, indexed=True)
    builder.add_integer_field("record", indexed=True, fast=True)
    for name in ("body", "context"):
        builder.add_text_field(name, tokenizer_name=_TOKENIZER, index_option="freq")
    return builder.build()


class LexicalIndex:
    """BM25 (k1 1.2, b 0.75, as tantivy fixes them) over passages."""

    def __init__(self, folder: Path) -> None:
        """Open a folder written by `build`.

        Raises:
            IndexStoreError: If it is missing or damaged.
        """
        try:
            self._index = tantivy.Index.open(str(folder))
            self._index.reload()
            self._searcher = self._index.searcher()
        except Exception as error:
            msg = f"文字索引 {folder} 读不出来。请运行 chadang ingest 重建索引。"
            raise IndexStoreError(msg) from error
        self._schema = self._index.schema

    def __len__(self) -> int:
        """Number of passages."""
        return int(self._searcher.num_docs)

    def frequency(self, term: str) -> int:
        """Number of passages whose text holds the term."""
        return int(self._searcher.doc_freq("body", term))

    @staticmethod
    def build(folder: Path, documents: Iterable[LexicalDocument]) -> int:
        """Write a new index into an empty folder.

        Returns:
            Number of passages written.

        Raises:
            IndexStoreError: If the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        count = 0
        try:
            target = tantivy.Index(_schema(), path=str(folder))
            writer = target.writer(heap_size=_WRITER_BYTES, num_threads=1)
            for document in documents:
                writer.add_document(
                    tantivy.Document(
                        number=document.number,
                        record=document.record_number,
                        body=" ".join(lexical_tokens(search_form(document.text).text)),
                        context=" ".join(lexical_tokens(search_form(document.context).text)),
                    )
                )
                count += 1
            writer.commit()
            writer.wait_merging_threads()
        except (OSError, ValueError) as error:
            msg = f"无法写出文字索引 {folder}：{error}。请检查磁盘空间和权限。"
            raise IndexStoreError(msg) from error
        return count

    def search(
        self,
        weights: Mapping[str, float],
        top_k: int,
        permitted: Permitted,
        *,
        context_weight: float = 0.5,
    ) -> list[tuple[int, float]]:
        """Rank passages.

        Args:
            weights: Weight of each term (1 for an ordinary one); terms as `lexical_tokens` cuts
                them.
            top_k: Most results, at least 1.
            permitted: Records whose passages may be returned.
            context_weight: Weight of a match in title or headings relative to the text.

        Returns:
            (passage number, BM25 score), best first; scores are positive.
        """
        if not weights or (permitted.numbers is not None and not permitted.numbers):
            return []
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = []
        for term, weight in weights.items():
            for name, factor in (("body", 1.0), ("context", context_weight)):
                if weight * factor > 0:
                    query = tantivy.Query.term_query(self._schema, name, term, "freq")
                    clauses.append(
                        (tantivy.Occur.Should, tantivy.Query.boost_query(query, weight * factor))
                    )
        if permitted.numbers is not None:
            allowed = tantivy.Query.term_set_query(self._schema, "record", list(permitted.numbers))
            ranked = tantivy.Query.boolean_query(clauses)
            clauses = [
                (tantivy.Occur.Must, ranked),
                (tantivy.Occur.Must, tantivy.Query.const_score_query(allowed, 0.0)),
            ]
        result = self._searcher.search(tantivy.Query.boolean_query(clauses), top_k)
        found: list[tuple[int, float]] = []
        for score, address in result.hits:
            number = self._searcher.doc(address)["number"][0]
            found.append((int(number), float(score)))
        return found


def query_terms(text: str) -> dict[str, float]:
    """Terms of a question with weight 1 each; repeated terms count once."""
    return dict.fromkeys(lexical_tokens(search_form(text).text), 1.0)


__all__: Sequence[str] = ["LexicalDocument", "LexicalIndex", "query_terms"]
