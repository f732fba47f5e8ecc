"""Embedding models: the `Encoder` protocol and the one adapter of sentence-transformers."""

from __future__ import annotations

import copy
import hashlib
import logging
import threading
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
#: Characters of padding that cost as much as one more pass: 18 ms against .9 ms each, measured.
_WORTH_A_PASS: Final = 20
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
#: What finds the right passage was found to hurt the choice of the sentence in it; what a paper is
#: about is told best by the model as it is.
Compared = Literal["passages", "sentences", "topics"]
#: A question and what it is to be compared with.
Ask = tuple[str, Compared]


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def name(self) -> str:
        """Identity of the model; vectors of different names never mix."""

    @property
    def dim(self) -> int:
        """Width of the vectors."""

    def encode_queries(self, asks: Sequence[Ask]) -> FloatArray:
        """Vectors of questions, each for what it is compared with.

        Returns:
            Shape (n, d), float32, each of length 1. One call for several is cheaper than several.
        """

    def get_ready(self) -> None:
        """Prepare for many questions; what it takes pays from about the hundredth on."""

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
            adapters = {"passages": query_adapter, "sentences": sentence_adapter}
            files = list(dict.fromkeys(a for a in adapters.values() if a is not None))
            number: dict[Path | None, int] = {None: 0} | {f: n for n, f in enumerate(files, 1)}
            self._questions = _QuestionModel(self._model, files)
        except Exception as error:
            msg = f"检索模型 {folder} 无法离线载入：{error}。请检查设置 model，或改回 built-in。"
            raise EncoderError(msg) from error
        self._model.max_seq_length = min(self._model.max_seq_length or _MAX_TOKENS, _MAX_TOKENS)
        self._changes: dict[Compared, int] = {
            "passages": number[query_adapter],
            "sentences": number[sentence_adapter],
            "topics": 0,
        }
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

    def encode_queries(self, asks: Sequence[Ask]) -> FloatArray:
        """Vectors of questions, shape (n, d), float32, each of length 1.

        Args:
            asks: Questions, each with what it is compared with.

        Raises:
            EncoderError: If the model computes something that is no number.
        """
        # One question is too little work to share out: threads that wait for each other burnt ten
        # times its processor time on a busy machine (docs/log.md, fifty at once).
        self._set_threads(1)
        vectors = np.empty((len(asks), self._dim), dtype=np.float32)
        texts = [self._query_prompt + text for text, _ in asks]
        for rows in _alike(texts):
            changes = [self._changes[asks[i][1]] for i in rows]
            some = self._questions.encode([texts[i] for i in rows], changes)
            vectors[rows] = self._unit(some)
        return vectors

    def get_ready(self) -> None:
        """Record the computation for questions, once; some three seconds."""
        self._questions.record()

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
            # The prompt is in the texts already; an empty one keeps the model from adding its own.
            found = self._model.encode(
                texts_of_block,
                batch_size=_BATCH,
                prompt="",
                convert_to_numpy=True,
                show_progress_bar=False,
                normalize_embeddings=True,
            )
            vectors[rows] = self._unit(found)
            if progress is not None:
                progress(min(at + _BLOCK, len(order)), len(order))
        return vectors

    def _unit(self, vectors: npt.ArrayLike) -> FloatArray:
        """Vectors brought to length 1: bfloat16 leaves lengths off by up to 0.4 %."""
        result = np.asarray(vectors, dtype=np.float32)
        if not np.isfinite(result).all():
            msg = f"检索模型 {self._name} 算出了无效的向量。请换 precision=float32 再试。"
            raise EncoderError(msg)
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


def _alike(texts: Sequence[str]) -> list[list[int]]:
    """Numbers of texts to encode together: a pass pads all to the longest of it."""
    groups: list[list[int]] = []
    for i in sorted(range(len(texts)), key=lambda i: len(texts[i])):
        last = groups[-1] if groups else []
        padding = len(last) * (len(texts[i]) - len(texts[last[-1]])) if last else 0
        if not last or len(last) == _BATCH or padding > _WORTH_A_PASS:
            groups.append(last := [])
        last.append(i)
    return groups


class _QuestionModel:
    """The model for questions: any low-rank change for any row of a batch, in one pass.

    The layers are the model's own, nothing is copied. Three passes of one text, each with its
    change merged into weights of its own, took 141 ms on a slow processor, one pass of three rows
    82, and 170 MB less (docs/log.md).

    Source:
        LoRA (Hu et al., 2021): output + up @ down @ input * alpha / rank.
    """

    def __init__(self, model: Any, adapters: Sequence[Path]) -> None:
        """Bind the changes.

        Args:
            model: A SentenceTransformer.
            adapters: Low-rank changes made for it; the first is number 1, 0 is none.
        """
        self._model = model
        self._whole = _whole(model, adapters) if adapters else None
        self._run: Callable[..., Any] | None = None
        self._recording = threading.Lock()

    def record(self) -> None:
        """Compute without the Python layers from now on, where that can be recorded faithfully."""
        with self._recording:
            if self._run is None:
                self._run = self._recorded()

    def encode(self, texts: Sequence[str], changes: Sequence[int]) -> FloatArray:
        """Vectors, shape (n, d), float32, one for each text with the change of that number."""
        import torch

        run = self._run or self._whole
        if run is None:
            return self._as_it_is(texts)
        with torch.inference_mode():
            vectors: FloatArray = run(*self._inputs(texts, changes)).float().numpy()
        return vectors

    def _as_it_is(self, texts: Sequence[str]) -> FloatArray:
        """By the library itself: a folder of somebody else's may have modules of its own."""
        # The prompt is in the texts already; an empty one keeps the model from adding its own.
        vectors: FloatArray = self._model.encode(
            list(texts), prompt="", convert_to_numpy=True, show_progress_bar=False
        )
        return vectors

    def _inputs(self, texts: Sequence[str], changes: Sequence[int]) -> tuple[Any, Any]:
        import torch

        made = self._model.preprocess(list(texts))
        features = {name: value for name, value in made.items() if torch.is_tensor(value)}
        return features, torch.tensor(changes)

    def _recorded(self) -> Callable[..., Any] | None:
        """The computation without its Python layers; None where it cannot be recorded faithfully.

        One question through sentence-transformers took 26 ms of which 9 were Python, and that
        under the interpreter lock: fifty people at once waited a third longer (docs/log.md).
        """
        import torch

        try:
            whole = self._whole or _whole(self._model, ())
            with torch.no_grad(), warnings.catch_warnings():
                # It warns of every shape it sees; the trials show that none of them is built in.
                warnings.simplefilter("ignore")
                run: Callable[..., Any] = torch.jit.trace(  # type: ignore[no-untyped-call]
                    whole, self._inputs(_TRIALS[0], [0] * len(_TRIALS[0])), check_trace=False
                )
                for texts in _TRIALS:
                    found = run(*self._inputs(texts, [0] * len(texts))).float().numpy()
                    if not np.allclose(found, self._as_it_is(texts), atol=_TRACE_TOLERANCE):
                        logger.warning("the recorded computation differs; encoding plainly")
                        return None
        except Exception as error:  # noqa: BLE001 - torch raises of all kinds; the plain way is there
            logger.warning("the model cannot be recorded (%s); encoding plainly", error)
            return None
        return run


#: Encoded both ways before the recorded computation is trusted: short, long, Latin, several.
_TRIALS: Final = (
    ("预算", "老旧小区加装电梯的建议"),
    ("查一查去年人代会上关于老旧小区加装电梯的建议是怎么答复的，" * 2,),
    ("GB/T 9704-2012", "预算", "去年的人代会"),
)
#: Largest difference in one of a vector's coordinates that bfloat16 may make.
_TRACE_TOLERANCE: Final = 2e-3


def _whole(model: Any, adapters: Sequence[Path]) -> Any:
    """A module from (features, number of each row's change) to vectors, shape (n, d).

    It shares all weights with the model.
    """
    import torch

    # Which change a row takes must reach the layers past the library's own signatures. Kept by
    # thread: two questions may be encoded at the same time.
    chosen = threading.local()

    class Changed(torch.nn.Module):
        """A linear layer with a low-rank change of its own for every row."""

        def __init__(self, layer: Any, down: Any, up: Any) -> None:
            super().__init__()
            self.layer, self.down, self.up = layer, down, up

        def forward(self, rows: Any) -> Any:
            down, up = self.down[chosen.changes], self.up[chosen.changes]
            return torch.baddbmm(self.layer(rows), torch.bmm(rows, down), up)

    class Whole(torch.nn.Module):
        def __init__(self, steps: Any) -> None:
            super().__init__()
            self.steps = torch.nn.ModuleList(steps)

        def forward(self, features: dict[str, Any], changes: Any) -> Any:
            chosen.changes = changes
            for step in self.steps:
                features = step(dict(features))
            return features["sentence_embedding"]

    # Parameters as they are: the copy is of the structure only.
    shared = (model.tokenizer, *model.parameters(), *model.buffers())
    copied = copy.deepcopy(model, {id(part): part for part in shared})
    for name, (down, up) in _stacked(adapters).items():
        parent, _, own = name.rpartition(".")
        layer = copied[0].auto_model.get_submodule(name)
        changed = Changed(layer, down.to(layer.weight.dtype), up.to(layer.weight.dtype))
        setattr(copied[0].auto_model.get_submodule(parent), own, changed)
    return Whole(copied.children()).eval()


def _stacked(adapters: Sequence[Path]) -> dict[str, tuple[Any, Any]]:
    """Of each changed layer what leads in and out, one below the other, number 0 changing nothing.

    Returns:
        By layer name: shape (1 + adapters, inputs, rank) and (1 + adapters, rank, outputs).
    """
    import torch
    from safetensors import safe_open

    parts: dict[str, tuple[list[Any], list[Any]]] = {}
    for adapter in adapters:
        with safe_open(str(adapter), framework="pt") as stored:
            notes = stored.metadata() or {}
            scale = float(notes["alpha"]) / float(notes["rank"])
            for key in stored.keys():  # noqa: SIM118 - not a mapping
                name, _, end = key.rpartition(".")
                downs, ups = parts.setdefault(name, ([], []))
                if end == "down":
                    downs.append(stored.get_tensor(key).float().T)
                else:
                    ups.append(scale * stored.get_tensor(key).float().T)
    uneven = [name for name, (downs, _) in parts.items() if len(downs) != len(adapters)]
    if uneven:
        msg = f"the adapters do not change the same layers: {uneven[0]}"
        raise ValueError(msg)
    return {
        name: (torch.stack([d[0] * 0, *d]), torch.stack([u[0] * 0, *u]))
        for name, (d, u) in parts.items()
    }


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
