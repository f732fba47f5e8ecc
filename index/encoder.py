"""Embedding models: the `Encoder` protocol and the one adapter of sentence-transformers."""

from __future__ import annotations

import copy
import hashlib
import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from index.builtin_model import DATA_SHA256, MODEL_NAME, find_data_file, unpack
from index.errors import EncoderError

if TYPE_CHECKING:
    from index.settings import Settings

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float32]

#: Longest input in tokens. Passages of 320 characters with title and heading take about 230.
_MAX_TOKENS: Final = 384
_BATCH: Final = 32
#: Low-rank adapter for questions to the built-in model: colloquial to official wording.
#: docs/evaluation.md says how it was trained and what it changed.
_ADAPTER_FILE: Final = Path(__file__).with_name("query_adapter.safetensors")
#: The same for comparing a question with single sentences: what stands in an answer.
_SENTENCE_ADAPTER_FILE: Final = Path(__file__).with_name("sentence_adapter.safetensors")
#: Texts sorted by length within a block of this many; padding then wastes little.
_BLOCK: Final = 1024
#: Passages that are too little work to share out among threads.
_FEW: Final = 4


#: What a question is compared with: passages to find, sentences to quote, what papers are about.
Compared = Literal["passages", "sentences", "topics"]


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def name(self) -> str:
        """Identity of the model; vectors of different names never mix."""

    @property
    def dim(self) -> int:
        """Width of the vectors."""

    def encode_queries(
        self, texts: Sequence[str], compared_with: Compared = "passages"
    ) -> FloatArray:
        """Vectors of questions, shape (n, d), float32, each of length 1.

        Args:
            texts: Questions.
            compared_with: What finds the right passage was found to hurt the choice of the
                sentence in it; what a paper is about is told best by the model as it is.
        """

    def encode_passages(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> FloatArray:
        """Vectors of passages, shape (n, d), float32, each of length 1."""


class SentenceTransformerEncoder:
    """A sentence-transformers model folder on the CPU. Loads on construction, never downloads."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        precision: str = "auto",
        threads: int = 0,
        query_adapter: Path | None = None,
        sentence_adapter: Path | None = None,
    ) -> None:
        """Load the model.

        Args:
            folder: A sentence-transformers folder.
            name: Identity kept with every vector.
            precision: `float32`, `bfloat16`, or `auto`: bfloat16 where the processor computes it
                natively (measured 29 against 14.5 passages a second, cosine to float32 1.0000).
            threads: Computing threads, 0 for the library's choice.
            query_adapter: Low-rank adapter for questions only, made for this very model; None
                encodes questions with the model as it is.
            sentence_adapter: The same for questions that are compared with single sentences.

        Raises:
            EncoderError: If the folder cannot be loaded offline; says where it looked.
        """
        try:
            import torch
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging as transformers_logging

            transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
            transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            if threads:
                torch.set_num_threads(threads)
            dtype = torch.bfloat16 if _use_bfloat16(precision) else torch.float32
            self._model: Any = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                model_kwargs={"dtype": dtype},
            )
            self._query_model = _adapted(self._model, query_adapter)
            self._sentence_model = _adapted(self._model, sentence_adapter)
        except Exception as error:
            msg = f"检索模型 {folder} 无法离线载入：{error}。请检查设置 model，或改回 built-in。"
            raise EncoderError(msg) from error
        models = (self._model, self._query_model, self._sentence_model)
        longest = min(self._model.max_seq_length or _MAX_TOKENS, _MAX_TOKENS)
        for model in models:
            model.max_seq_length = longest
        self._single = {key: _traced(model) for key, model in {id(m): m for m in models}.items()}
        self._threads = threads
        self._set_threads: Callable[[int], None] = torch.set_num_threads
        self._name = name
        self._dim = int(self._model.get_embedding_dimension() or 0)
        prompts: dict[str, str | None] = self._model.prompts or {}
        self._query_prompt = prompts.get("query") or ""
        self._passage_prompt = prompts.get("document") or prompts.get("passage") or ""

    @property
    def name(self) -> str:
        """Identity of the model."""
        return self._name

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return self._dim

    def encode_queries(
        self, texts: Sequence[str], compared_with: Compared = "passages"
    ) -> FloatArray:
        """Vectors of questions, shape (n, d), float32, each of length 1."""
        # One question is too little work to share out: threads that wait for each other burnt ten
        # times its processor time on a busy machine (docs/log.md, fifty at once).
        self._set_threads(1)
        texts = [self._query_prompt + t for t in texts]
        if compared_with == "passages":
            return self._encode(texts, self._query_model)
        if compared_with == "topics":
            return self._encode(texts, self._model)
        learnt = self._encode(texts, self._sentence_model)
        if self._sentence_model is self._model:
            return learnt
        # Halfway between the model and what it learnt: the right sentence came first as often and
        # among the first two more often than with either alone, on questions of other papers.
        both = learnt + self._encode(texts, self._model)
        unit: FloatArray = both / np.linalg.norm(both, axis=1, keepdims=True)
        return unit

    def encode_passages(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> FloatArray:
        """Vectors of passages, shape (n, d), float32, each of length 1.

        Args:
            texts: Passages with their context.
            progress: Called with (done, total) after every block.
        """
        vectors = np.empty((len(texts), self._dim), dtype=np.float32)
        if self._threads:
            self._set_threads(self._threads if len(texts) > _FEW else 1)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for at in range(0, len(order), _BLOCK):
            rows = order[at : at + _BLOCK]
            texts_of_block = [self._passage_prompt + texts[i] for i in rows]
            vectors[rows] = self._encode(texts_of_block, self._model)
            if progress is not None:
                progress(min(at + _BLOCK, len(order)), len(order))
        return vectors

    def _encode(self, texts: list[str], model: Any) -> FloatArray:
        if not texts:
            return np.empty((0, self._dim), dtype=np.float32)
        single = self._single[id(model)] if len(texts) == 1 else None
        # The prompt is in the text already; an empty one keeps the model from adding its own.
        vectors = (
            single(texts[0])
            if single is not None
            else model.encode(
                texts,
                batch_size=_BATCH,
                prompt="",
                convert_to_numpy=True,
                show_progress_bar=False,
                normalize_embeddings=True,
            )
        )
        result = np.asarray(vectors, dtype=np.float32)
        if not np.isfinite(result).all():
            msg = f"检索模型 {self._name} 算出了无效的向量。请换 precision=float32 再试。"
            raise EncoderError(msg)
        # bfloat16 leaves lengths off by up to 0.4 %.
        unit: FloatArray = result / np.linalg.norm(result, axis=1, keepdims=True)
        return unit


def open_encoder(settings: Settings) -> Encoder:
    """The encoder the settings name.

    Raises:
        EncoderError: If the built-in data file or the model folder is missing or unusable.
    """
    choice = settings.text("model")
    if choice == MODEL_NAME:
        configured = settings.text("builtin_model_file")
        data_file = find_data_file(Path(configured) if configured else None)
        folder = unpack(data_file, settings.models_path)
        name = f"{MODEL_NAME}:{DATA_SHA256[:12]}"
    else:
        folder = Path(choice).expanduser()
        if not (folder / "modules.json").is_file():
            msg = (
                f"{folder} 不是 sentence-transformers 模型文件夹（里面没有 modules.json）。"
                "请检查设置 model。"
            )
            raise EncoderError(msg)
        name = f"{folder.name}:{_fingerprint(folder)}"
    adapted = choice == MODEL_NAME and bool(settings.values["query_adapter"])
    return SentenceTransformerEncoder(
        folder,
        name,
        precision=settings.text("precision"),
        threads=settings.threads,
        query_adapter=_ADAPTER_FILE if adapted else None,
        sentence_adapter=_SENTENCE_ADAPTER_FILE if adapted else None,
    )


def _adapted(model: Any, adapter: Path | None) -> Any:
    """A copy of the model for questions with a low-rank adapter merged into its weights.

    The model itself where there is no adapter. The embedding table and the tokenizer (270 MB once
    copied) are shared with the original.

    Source:
        LoRA (Hu et al., 2021): weight + up @ down * alpha / rank.
    """
    import torch
    from safetensors import safe_open

    if adapter is None:
        return model
    shared = (model[0].auto_model.embeddings, model.tokenizer)
    copied = copy.deepcopy(model, {id(part): part for part in shared})
    with safe_open(str(adapter), framework="pt") as stored, torch.no_grad():
        notes = stored.metadata() or {}
        scale = float(notes["alpha"]) / float(notes["rank"])
        for key in stored.keys():  # noqa: SIM118 - not a mapping
            if not key.endswith(".down"):
                continue
            name = key.removesuffix(".down")
            weight = copied[0].auto_model.get_submodule(name).weight
            change = stored.get_tensor(f"{name}.up").float() @ stored.get_tensor(key).float()
            weight.copy_((weight.float() + scale * change).to(weight.dtype))
    return copied


#: Encoded both ways before the traced computation is trusted: short, long, Latin.
_TRIALS: Final = (
    "预算",
    "查一查去年人代会上关于老旧小区加装电梯的建议是怎么答复的，" * 2,
    "GB/T 9704-2012",
)
#: Largest difference in one of a vector's coordinates that bfloat16 may make.
_TRACE_TOLERANCE: Final = 2e-3


def _traced(model: Any) -> Callable[[str], FloatArray] | None:
    """The model's computation for one text, recorded once and replayed without its Python layers.

    One question through sentence-transformers took 26 ms of which 9 were Python, and that under
    the interpreter lock: fifty people at once waited a third longer (docs/log.md).

    Args:
        model: A SentenceTransformer.

    Returns:
        From a text to its vector, shape (1, d); None where the model cannot be recorded or the
        record computes something else, e.g. a folder with modules of its own.
    """
    import torch

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = torch.nn.ModuleList(model.children())

        def forward(self, features: dict[str, Any]) -> Any:
            for step in self.steps:
                features = step(dict(features))
            return features["sentence_embedding"]

    def features(text: str) -> dict[str, Any]:
        made = model.preprocess([text])
        return {name: value for name, value in made.items() if torch.is_tensor(value)}

    def encode(text: str) -> FloatArray:
        with torch.inference_mode():
            vector: FloatArray = run(features(text)).float().numpy()
        return vector

    try:
        model.eval()
        with torch.no_grad(), warnings.catch_warnings():
            # It warns of every length it sees; the trials show that none of them is built in.
            warnings.simplefilter("ignore")
            run = torch.jit.trace(  # type: ignore[no-untyped-call]
                Whole().eval(), (features(_TRIALS[0]),), check_trace=False
            )
        for text in _TRIALS:
            expected = model.encode([text], prompt="", convert_to_numpy=True)
            if not np.allclose(encode(text), expected, atol=_TRACE_TOLERANCE):
                logger.warning("the recorded computation differs; questions are encoded plainly")
                return None
    except Exception as error:  # noqa: BLE001 - torch raises of all kinds; the plain way is there
        logger.warning("the model cannot be recorded (%s); questions are encoded plainly", error)
        return None
    return encode


def _fingerprint(folder: Path) -> str:
    """Twelve hex digits over the names and sizes of a model folder's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(
                f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode()
            )
    return digest.hexdigest()[:12]


def _use_bfloat16(precision: str) -> bool:
    if precision != "auto":
        return precision == "bfloat16"
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
