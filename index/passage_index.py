"""The derived search indexes of one home: built aside, swapped in whole, read as a generation."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from index.access import Permitted
from index.dense import DenseIndex
from index.domain import Hit, Passage
from index.encoder import Ask, Compared, Encoder, open_encoder
from index.errors import IndexMismatchError, IndexNotFoundError, IndexStoreError
from index.fusion import DENSE_WEIGHT, fuse
from index.lexical import LexicalDocument, LexicalIndex
from index.sentences import embedded_sentence, split_sentences
from index.settings import Settings
from index.store import Store
from index.text import search_form

logger = logging.getLogger(__name__)

#: Bumped when files of a generation change meaning.
FORMAT: Final = 2
_CURRENT: Final = "CURRENT"
_MANIFEST: Final = "manifest.json"
_ENCODE_BATCH: Final = 1024
_KEEP: Final = 2
#: Characters of the shortest sentence worth comparing with a question.
SHORTEST_SENTENCE: Final = 6

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What an index build did.

    Attributes:
        generation: Name of the generation now current.
        passages: Passages in it.
        encoded: Passages and sentences that had to be encoded; the others had vectors already.
        seconds: Time taken.
        rebuilt: False when the current generation was up to date and nothing was done.
    """

    generation: str
    passages: int
    encoded: int
    seconds: float
    rebuilt: bool


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One search.

    Attributes:
        text: The question as it goes to the embedding model.
        terms: Weighted terms for the lexical side, see `index.lexical.query_terms`.
        dense_weight: Share of the dense side in the mix, 0..1.
        candidates: Passages taken from each side before mixing.
        context_weight: Weight of a lexical match in title or headings relative to the text.
    """

    text: str
    terms: Mapping[str, float]
    dense_weight: float = DENSE_WEIGHT
    candidates: int = 200
    context_weight: float = 0.5


def passage_context(title: str, heading: str) -> str:
    """What a passage carries besides its own text into both indexes."""
    return f"{title}\n{heading}" if heading else title


def embedded_text(title: str, passage: Passage) -> str:
    """The text that is embedded for a passage: context and search form of the span."""
    context = search_form(passage_context(title, passage.heading)).text
    return f"{context}\n{search_form(passage.text).text}"


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def build_index(
    store: Store,
    settings: Settings,
    progress: Callable[[int, int], None] | None = None,
    encoder: Encoder | None = None,
    *,
    sentences: bool = True,
) -> BuildReport:
    """Bring the indexes up to date with the store.

    Vectors go into the store in batches as they are made, so an interrupted build continues where
    it stopped. Readers keep the generation they opened.

    Args:
        store: The truth.
        settings: Names the model and the index folder.
        progress: Called with (encoded, to encode) passages and sentences.
        encoder: Model to use; None opens the one the settings name.
        sentences: Encode the sentences too, so that answers come at once. Off where only passages
            are searched.

    Raises:
        EncoderError: If the model cannot be loaded.
        IndexStoreError: If the index cannot be written.
    """
    began = time.monotonic()
    current = read_manifest(settings.index_path)
    version = store.content_version
    if current is not None and current["data_version"] == version and encoder is None:
        wanted = settings.text("model")
        if str(current["model_setting"]) == wanted and current["format"] == FORMAT:
            return BuildReport(
                str(current["generation"]), int(str(current["passages"])), 0, 0.0, False
            )
    encoder = encoder or open_encoder(settings)
    titles = {r.record_id: r.title for r in store.records()}
    rows = [
        (passage, record, embedded_text(titles[passage.record_id], passage))
        for passage, record in store.iterate_passages()
    ]
    texts = [text for _, _, text in rows]
    quotable = _sentence_texts(store) if sentences else []
    encoded = _encode_missing(store, encoder, [*texts, *quotable], progress)

    number = 1 + max(
        (int(p.name.split("-")[1]) for p in settings.index_path.glob("gen-*")), default=0
    )
    name = f"gen-{number:06d}"
    folder = settings.index_path / name
    try:
        folder.mkdir(parents=True)
        dense = DenseIndex(encoder.dim)
        for at in range(0, len(rows), 8192):
            hashes = [_text_hash(text) for _, _, text in rows[at : at + 8192]]
            vectors = store.embeddings(hashes, encoder.name)
            dense.add(np.stack([vectors[h] for h in hashes]).astype(np.float32))
        dense.save(folder / "dense.faiss")
        LexicalIndex.build(
            folder / "lexical",
            (
                LexicalDocument(
                    p.number, record, p.text, passage_context(titles[p.record_id], p.heading)
                )
                for p, record, _ in rows
            ),
        )
        np.save(folder / "numbers.npy", np.array([p.number for p, _, _ in rows], dtype=np.int64))
        np.save(folder / "records.npy", np.array([r for _, r, _ in rows], dtype=np.int64))
        manifest = {
            "format": FORMAT,
            "generation": name,
            "model": encoder.name,
            "model_setting": settings.text("model"),
            "dim": encoder.dim,
            "passages": len(rows),
            "data_version": version,
            "checksum": _checksum(folder),
        }
        _write_synced(folder / _MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
        _write_synced(settings.index_path / f"{_CURRENT}.new", name)
        (settings.index_path / f"{_CURRENT}.new").replace(settings.index_path / _CURRENT)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        msg = f"无法写出索引 {folder}：{error}。请检查磁盘空间和权限后重新运行 chadang ingest。"
        raise IndexStoreError(msg) from error
    if store.purge_due:
        # The generation before holds words of what had to go.
        _drop_old(settings.index_path, name, keep=1)
        store.finish_purge(_text_hash(text) for text in (*texts, *quotable))
    else:
        _drop_old(settings.index_path, name)
    return BuildReport(name, len(rows), encoded, time.monotonic() - began, True)


def _encode_missing(
    store: Store,
    encoder: Encoder,
    texts: Sequence[str],
    progress: Callable[[int, int], None] | None,
) -> int:
    by_hash = {_text_hash(text): text for text in texts}
    known = store.embeddings(list(by_hash), encoder.name)
    missing = sorted((h for h in by_hash if h not in known), key=lambda h: len(by_hash[h]))
    if progress is not None:
        progress(0, len(missing))
    for at in range(0, len(missing), _ENCODE_BATCH // 4):
        part = missing[at : at + _ENCODE_BATCH // 4]
        vectors = encoder.encode_passages([by_hash[h] for h in part]).astype(np.float16)
        store.add_embeddings(encoder.name, zip(part, vectors, strict=True))
        if progress is not None:
            progress(at + len(part), len(missing))
    return len(missing)


def _sentence_texts(store: Store) -> list[str]:
    """What is embedded for every sentence that may be quoted, each text once.

    Encoded beforehand, comparing a question with sixty sentences takes milliseconds; encoded when
    the question is asked, it took 450 ms.
    """
    texts: dict[str, None] = {}
    for record in store.records():
        title = search_form(record.title).text
        for page in store.pages(record.record_id):
            sentences = split_sentences(page)
            for at, sentence in enumerate(sentences):
                if len(sentence.form) >= SHORTEST_SENTENCE:
                    texts[embedded_sentence(title, sentences, at)] = None
    return list(texts)


def read_manifest(index_path: Path) -> dict[str, object] | None:
    """Manifest of the current generation, None when there is none."""
    try:
        name = (index_path / _CURRENT).read_text(encoding="ascii").strip()
        manifest = json.loads((index_path / name / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


#: Sets of records this small are not remembered.
_FEW: Final = 50


class PassageIndex:
    """Hybrid search over one generation. Immutable; open a new one after a build."""

    def __init__(self, store: Store, settings: Settings, encoder: Encoder | None = None) -> None:
        """Open the current generation.

        Raises:
            IndexNotFoundError: If nothing was built yet.
            IndexMismatchError: If it was built with another model or format.
            IndexStoreError: If its files are damaged.
        """
        manifest = read_manifest(settings.index_path)
        if manifest is None:
            msg = f"{settings.home} 里还没有索引。请先运行 chadang ingest 目录。"
            raise IndexNotFoundError(msg)
        if manifest["format"] != FORMAT:
            msg = (
                f"索引格式是 {manifest['format']}，本程序需要 {FORMAT}。请重新运行 chadang ingest。"
            )
            raise IndexMismatchError(msg)
        if int(str(manifest["data_version"])) < int(store.meta("index_after") or 0):
            msg = "索引建于遮盖个人信息之前，不能再用。请重新运行 chadang ingest 重建索引。"
            raise IndexMismatchError(msg)
        self.generation = str(manifest["generation"])
        folder = settings.index_path / self.generation
        self._encoder = encoder or open_encoder(settings)
        if manifest["model"] != self._encoder.name:
            msg = (
                f"索引是用模型 {manifest['model']} 建的，现在的模型是 {self._encoder.name}。"
                "请改回原来的 model 设置，或重新运行 chadang ingest 重建索引。"
            )
            raise IndexMismatchError(msg)
        self._store = store
        self._dense = DenseIndex.load(folder / "dense.faiss")
        self._lexical = LexicalIndex(folder / "lexical")
        self._numbers: npt.NDArray[np.int64] = np.load(folder / "numbers.npy")
        self._records: npt.NDArray[np.int64] = np.load(folder / "records.npy")
        self._rows = {int(n): i for i, n in enumerate(self._numbers)}
        self._rarity: dict[str, float] = {}
        self._queries: dict[Ask, FloatArray] = {}
        #: Vectors of texts compared that no build had encoded: names of matters, cut sentences.
        self._encoded: dict[str, npt.NDArray[np.float16]] = {}
        self._allowed: dict[frozenset[int], npt.NDArray[np.bool_]] = {}
        if not len(self._dense) == len(self._numbers) == len(self._records):
            msg = f"索引 {self.generation} 的各部分数目不一致。请重新运行 chadang ingest。"
            raise IndexStoreError(msg)

    @property
    def encoder(self) -> Encoder:
        """The model questions are encoded with."""
        return self._encoder

    def __len__(self) -> int:
        """Number of passages."""
        return len(self._dense)

    def similarity(
        self, question: str, texts: Sequence[str], compared_with: Compared = "sentences"
    ) -> list[float]:
        """Cosine of a question with each of some sentences, given as they are embedded.

        Args:
            question: The question, or what matters are to be about.
            texts: Sentences.
            compared_with: "sentences" ranks by which answers the question, "topics" by which is
                about the same.
        """
        if not texts:
            return []
        cosines = self.sentence_vectors(texts) @ self._query_vector(question, compared_with)
        return [float(x) for x in cosines]

    def sentence_vectors(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of sentences given as they are embedded, shape (n, d), float32, length 1.

        Those the build stored are read, others encoded and remembered. n is at least 1.
        """
        hashes = [_text_hash(text) for text in texts]
        known = self._store.embeddings(hashes, self._encoder.name)
        # Sentences cut differently at the border of a passage were not encoded beforehand.
        known |= {h: self._encoded[h] for h in hashes if h in self._encoded}
        missing = {h: t for h, t in zip(hashes, texts, strict=True) if h not in known}
        if missing:
            vectors = self._encoder.encode_passages(list(missing.values())).astype(np.float16)
            known |= dict(zip(missing, vectors, strict=True))
            if len(self._encoded) > 20_000:
                self._encoded.clear()
            self._encoded |= {h: known[h] for h in missing}
        return np.stack([known[h] for h in hashes]).astype(np.float32)

    def encode_questions(self, asks: Iterable[Ask]) -> None:
        """Encode questions that will be searched for or compared, in one pass; remember them.

        One by one they are encoded when they are needed, at up to twice the time.
        """
        keys = dict.fromkeys((search_form(text).text, wanted) for text, wanted in asks)
        missing = [key for key in keys if key not in self._queries]
        if not missing:
            return
        self._remember(dict(zip(missing, self._encoder.encode_queries(missing), strict=True)))

    def _remember(self, vectors: Mapping[Ask, FloatArray]) -> None:
        if len(self._queries) > 256:
            self._queries.clear()
        self._queries |= vectors

    def _query_vector(self, text: str, compared_with: Compared = "passages") -> FloatArray:
        """The question's vector; recent ones are remembered."""
        key: Ask = (search_form(text).text, compared_with)
        vector = self._queries.get(key)
        if vector is None:
            # Another thread may forget what this one has just had remembered.
            vector = self._encoder.encode_queries([key])[0]
            self._remember({key: vector})
        return vector

    def rarity(self, term: str) -> float:
        """Inverse document frequency ln(1 + n / (1 + df)) of a lexical term, n passages."""
        cached = self._rarity.get(term)
        if cached is None:
            cached = math.log(1 + len(self) / (1 + self._lexical.frequency(term)))
            if len(self._rarity) > 200_000:
                self._rarity.clear()
            self._rarity[term] = cached
        return cached

    def is_current(self, settings: Settings) -> bool:
        """Whether no newer generation has been swapped in."""
        manifest = read_manifest(settings.index_path)
        return manifest is None or manifest["generation"] == self.generation

    def search(self, request: SearchRequest, permitted: Permitted, top_k: int) -> list[Hit]:
        """Find passages for a question.

        Args:
            request: The question, already understood.
            permitted: Records the reader may see; nothing else is ever looked at.
            top_k: Most hits, at least 1.

        Returns:
            Hits, best first. Every hit has a cosine; `bm25` is 0 where the lexical side did not
            find it.
        """
        query = self._query_vector(request.text)
        return self.search_vector(query, request, permitted, top_k)

    def search_vector(
        self, query: FloatArray, request: SearchRequest, permitted: Permitted, top_k: int
    ) -> list[Hit]:
        """As `search`, with the question's vector, shape (d,), given."""
        allowed = self._allowed_rows(permitted)
        scores, rows = self._dense.search(query[None, :], request.candidates, allowed)
        dense = {int(self._numbers[r]): float(s) for s, r in zip(scores[0], rows[0], strict=True)}
        lexical = dict(
            self._lexical.search(
                request.terms,
                request.candidates,
                permitted,
                context_weight=request.context_weight,
            )
        )
        unseen = [n for n in lexical if n not in dense and n in self._rows]
        similar = self._dense.similarities(
            query, np.array([self._rows[n] for n in unseen], dtype=np.int64)
        )
        dense |= {n: float(s) for n, s in zip(unseen, similar, strict=True)}
        fused = fuse(dense, lexical, request.dense_weight)
        order = sorted(fused, key=lambda n: (-fused[n], n))
        hits: list[Hit] = []
        passages = self._store.passages_by_number(order[: top_k + 50])
        for n in order:
            passage = passages.get(n)
            if passage is not None:
                hits.append(Hit(passage, len(hits) + 1, fused[n], dense.get(n), lexical.get(n, 0)))
            if len(hits) == top_k:
                break
        return hits

    def passages_with(
        self, terms: Mapping[str, float], permitted: Permitted, top_k: int
    ) -> list[Passage]:
        """Passages that hold the terms, by words alone, best first.

        Args:
            terms: Weighted terms as `index.text.lexical_tokens` cuts them.
            permitted: Records the reader may see; nothing else is ever looked at.
            top_k: Most passages, at least 1.
        """
        found = self._lexical.search(terms, top_k, permitted, context_weight=0.5)
        passages = self._store.passages_by_number(number for number, _ in found)
        return [passages[number] for number, _ in found if number in passages]

    def _allowed_rows(self, permitted: Permitted) -> npt.NDArray[np.bool_] | None:
        if permitted.numbers is None:
            return None
        rows = self._allowed.get(permitted.numbers)
        if rows is None:
            wanted = np.fromiter(permitted.numbers, dtype=np.int64)
            rows = np.isin(self._records, wanted)
            # Records of one answer are asked for once: they would push the large sets out.
            if len(wanted) > _FEW:
                if len(self._allowed) > 64:
                    self._allowed.clear()
                self._allowed[permitted.numbers] = rows
        return rows


def _checksum(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("dense.faiss", "numbers.npy", "records.npy"):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def verify_generation(index_path: Path) -> str | None:
    """Recompute the checksum of the current generation.

    Returns:
        None when it matches or there is no generation; otherwise what is wrong, in Chinese.
    """
    manifest = read_manifest(index_path)
    if manifest is None:
        return None
    name = str(manifest["generation"])
    try:
        good = _checksum(index_path / name) == manifest["checksum"]
    except OSError as error:
        return f"索引 {name} 缺文件：{error}。请重新运行 chadang ingest。"
    return None if good else f"索引 {name} 的校验和不符，可能已损坏。请重新运行 chadang ingest。"


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _drop_old(index_path: Path, current: str, keep: int = _KEEP) -> None:
    generations = sorted(p for p in index_path.glob("gen-*") if p.name != current)
    for folder in generations[: max(0, len(generations) - (keep - 1))]:
        shutil.rmtree(folder, ignore_errors=True)
