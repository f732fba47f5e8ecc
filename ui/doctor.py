"""`chadang doctor`: looks at everything an answer depends on; each finding names the next step."""

from __future__ import annotations

import datetime as dt
import importlib.util
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index.errors import ArchiveError
from index.settings import Settings
from index.store import Store

_PACKAGES: Final = (
    "faiss",
    "fastapi",
    "gradio",
    "httpx",
    "langchain_text_splitters",
    "numpy",
    "onnxruntime",
    "opencc",
    "openpyxl",
    "PIL",
    "pypdf",
    "pypdfium2",
    "rapidocr",
    "sentence_transformers",
    "tantivy",
    "torch",
    "uvicorn",
    "zstandard",
)
_PYTHON: Final = (3, 11)
#: The unpacked model takes 0.5 GB; below this much free space an ingest may not finish.
_FREE_BYTES: Final = 1_000_000_000
_NAMED: Final = 5
_BACKUP_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination.

    Attributes:
        good: Whether nothing has to be done.
        what: What was looked at, and what was found.
        next_step: What to do; empty when `good`, unless it is a hint.
        hint: Whether nothing is broken, and somebody has something to look at all the same.
        names: Whether `next_step` names records or files of the holdings.
    """

    good: bool
    what: str
    next_step: str = ""
    hint: bool = False
    names: bool = False

    @property
    def line(self) -> str:
        """The finding as one line for people."""
        if self.hint:
            return f"· {self.what}。{self.next_step}"
        return f"✓ {self.what}" if self.good else f"✗ {self.what}。{self.next_step}"


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at the installation and the home; yields findings as they are made.

    Nothing is changed, except that the built-in model is unpacked if it was not yet.
    """
    yield _python()
    yield _packages()
    yield _home(settings.home)
    yield _disk(settings.home)
    yield _vocabulary(settings.home)
    yield _model(settings)
    yield _language_model(settings)
    try:
        store = Store(settings.database_path)
    except ArchiveError as error:
        yield Finding(False, "馆藏数据库", str(error))
        return
    try:
        for check in (
            _integrity, _holdings, _unreadable_pages, _source_files, _dead_letters, _reviews,
            _openings, _backup,
        ):  # fmt: skip
            yield _guarded(check, store)
        yield _guarded(lambda opened: _index(opened, settings), store)
        yield _guarded(lambda opened: _embeddings(opened, settings), store)
    finally:
        store.close()


def _guarded(check: Callable[[Store], Finding], store: Store) -> Finding:
    """One failing check must not hide the others."""
    try:
        return check(store)
    except Exception as error:  # noqa: BLE001 - whatever it is belongs in the report
        return Finding(False, f"检查时出错（{type(error).__name__}）", str(error))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= _PYTHON:
        return Finding(True, f"Python {version}")
    return Finding(False, f"Python {version} 太旧", "请换用 Python 3.11 或更新的版本。")


def _packages() -> Finding:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        return Finding(False, f"缺少依赖：{'、'.join(missing)}", "请运行 make install。")
    return Finding(True, "依赖齐全")


def _vocabulary(home: Path) -> Finding:
    from assistant.vocabulary_file import VocabularySource

    source = VocabularySource(home)
    rows = f"口语对照表 {len(source.vocabulary)} 行"
    if not source.bad_rows:
        return Finding(True, rows)
    named = "；".join(bad.line for bad in source.bad_rows[:_NAMED])
    step = f"请改正 {source.path.name}，或运行 chadang vocabulary --check {source.path} 看全部。"
    return Finding(False, f"{rows}，另有 {len(source.bad_rows)} 行没有使用：{named}", step)


def _home(home: Path) -> Finding:
    import os

    if not home.is_dir():
        return Finding(
            False, f"馆藏目录 {home} 不存在", "请运行 chadang ingest 目录，或用 --home 指明位置。"
        )
    if not os.access(home, os.W_OK):
        return Finding(False, f"馆藏目录 {home} 不可写", "请检查目录权限。")
    return Finding(True, f"馆藏目录 {home}")


def _disk(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    said = f"磁盘剩余 {free / 1e9:.1f} GB"
    if free < _FREE_BYTES:
        return Finding(False, said, "空间不足 1 GB，入库和建索引可能失败，请先清理磁盘。")
    return Finding(True, said)


def _model(settings: Settings) -> Finding:
    from index.encoder import open_encoder

    if settings.text("model") == "built-in" and not settings.home.is_dir():
        return Finding(True, "检索模型：馆藏目录建好后再检查")
    try:
        encoder = open_encoder(settings)
        width = encoder.encode_queries([("预算", "passages")]).shape[1]
    except ArchiveError as error:
        return Finding(False, "检索模型载入失败", str(error))
    return Finding(True, f"检索模型可离线载入：{encoder.name}（{width} 维）")


def _language_model(settings: Settings) -> Finding:
    """One short request to the endpoint, exactly as an answer would make it."""
    from assistant.composing import Fault, LanguageModelError

    if not settings.text("llm_base_url").strip():
        return Finding(True, "语言模型：没有设置，答复只用原文摘录")
    from assistant.llm import LanguageModel, public_addresses

    said = f"语言模型 {settings.text('llm_model').strip()}"
    try:
        model = LanguageModel(settings)
    except ArchiveError as error:
        return Finding(False, "语言模型的设置不能用", str(error))
    began = time.monotonic()
    try:
        model.write("只照要求回答，不解释。", "请只回答两个字：正常")
    except LanguageModelError as error:
        steps = {
            Fault.UNREACHABLE: "请核对 llm_base_url 的主机和端口，并确认模型服务已启动",
            Fault.REFUSED: "请核对 llm_base_url（通常以 /v1 结尾）、llm_model 和 llm_api_key",
            Fault.REDIRECTED: "请把 llm_base_url 直接写成最终的地址",
            Fault.SILENT: "请看模型服务是否过载，或加大 llm_silence_s",
            Fault.SLOW: "请看模型服务是否过载，或加大 llm_timeout_s",
        }
        step = steps.get(error.fault, "请查看模型服务自己的日志")
        return Finding(False, f"{said} 不能用", f"{error}{step}。在此期间答复照常，只用原文摘录。")
    finally:
        model.close()
    seconds = time.monotonic() - began
    outside = public_addresses(model.host)
    warning = (
        f"；注意 {outside[0]} 不是内网地址段，请确认它在本单位网络之内，档案文字不得外送"
        if outside
        else ""
    )
    return Finding(True, f"{said} 可用，{seconds:.1f} 秒应答{warning}")


def _integrity(store: Store) -> Finding:
    findings = store.check()
    if findings:
        return Finding(False, f"数据库有 {len(findings)} 处问题", _some(findings), names=True)
    return Finding(True, "数据库完好，段落与原文逐字一致")


def _holdings(store: Store) -> Finding:
    counts = store.counts()
    if not counts["records"]:
        return Finding(False, "还没有馆藏", "请运行 chadang ingest 目录。")
    said = "馆藏 {records} 条（有页面的 {records_with_pages} 条）、{pages} 页、{passages} 段"
    return Finding(True, said.format_map(counts))


def _unreadable_pages(store: Store) -> Finding:
    count = store.counts()["unreadable_pages"]
    if not count:
        return Finding(True, "所有页面都有文字")
    named = [
        f"{record.record_id} 第 {page.seq} 页"
        for record in store.records()
        for page in store.pages(record.record_id)
        if not page.raw.strip()
    ]
    # Blank pages are among them, so it is nothing broken.
    return Finding(
        True,
        f"有 {count} 页没有识别出文字，检索不到",
        f"{_some(named)}。请查看影像，可提高设置 ocr_dpi 后用 --force 重新入库；空白页可不理会。",
        hint=True,
        names=True,
    )


def _dead_letters(store: Store) -> Finding:
    from ingest.jobs import dead_letters

    dead = dead_letters(store)
    if not dead:
        return Finding(True, "没有读坏的文件")
    named = _some([f"{job.path}（{job.state.value}）" for job in dead])
    step = f"{named}。原因见 chadang ingest --failed，改好后 chadang ingest --retry。"
    return Finding(True, f"有 {len(dead)} 个文件没有读全", step, hint=True, names=True)


def _reviews(store: Store) -> Finding:
    from index.held import HeldItems

    items = HeldItems(store).items(undecided=True)
    if not items:
        return Finding(True, "没有等待审核的档案")
    named = _some([f"第 {item.number} 号 {item.place}" for item in items])
    step = f"{named}。审核之前不入库：chadang review list。"
    return Finding(True, f"有 {len(items)} 件等待审核", step, hint=True, names=True)


def _openings(store: Store) -> Finding:
    from index.opening_decisions import OpeningDecisions

    conflicts = OpeningDecisions(store).conflicts()
    if not conflicts:
        return Finding(True, "开放审核登记与目录没有矛盾")
    named = _some([f"{c.record.record_id}：{c.why}" for c in conflicts])
    step = f"{named}。现按严的一方，请重新审核登记：chadang opening list。"
    return Finding(
        True, f"有 {len(conflicts)} 件的开放审核登记与目录矛盾", step, hint=True, names=True
    )


def _backup(store: Store) -> Finding:
    made = store.meta("last_backup")
    how = "例：chadang backup /备份盘/chadang-日期.tar.zst"
    if made is None:
        return Finding(True, "还没有做过备份", f"{how}。", hint=True)
    days = (dt.datetime.now().astimezone() - dt.datetime.fromisoformat(made)).days
    if days > _BACKUP_DAYS:
        return Finding(True, f"上次备份在 {days} 天前", f"请再备份一次，{how}。", hint=True)
    return Finding(True, f"上次备份 {made[:10]}")


def _source_files(store: Store) -> Finding:
    files = [file for file in store.files().values() if file.state in ("ok", "partial")]
    missing = [file.path for file in files if not (Path(file.root) / file.path).is_file()]
    if missing:
        return Finding(
            False,
            f"有 {len(missing)} 个原文件找不到，这些件的页面影像打不开",
            f"{_some(missing)}。请把文件放回原处，或从新位置重新入库。",
            names=True,
        )
    return Finding(True, f"{len(files)} 个原文件都在")


def _index(store: Store, settings: Settings) -> Finding:
    from index.passage_index import read_manifest, verify_generation

    build = "请运行 chadang ingest 目录（没变的文件不会重做）。"
    manifest = read_manifest(settings.index_path)
    if manifest is None:
        return Finding(False, "还没有索引", build)
    damage = verify_generation(settings.index_path)
    if damage is not None:
        return Finding(False, "索引损坏", damage)
    if manifest["data_version"] != store.content_version:
        return Finding(False, f"索引 {manifest['generation']} 落后于馆藏", build)
    if manifest["model_setting"] != settings.text("model"):
        return Finding(
            False,
            f"索引是用模型 {manifest['model_setting']} 建的，现在设置的是 {settings.text('model')}",
            f"请改回原来的设置，或重建索引：{build}",
        )
    return Finding(True, f"索引 {manifest['generation']} 与馆藏一致，{manifest['passages']} 段")


def _embeddings(store: Store, settings: Settings) -> Finding:
    from index.passage_index import read_manifest

    manifest = read_manifest(settings.index_path)
    passages = store.counts()["passages"]
    covered = int(str(manifest["passages"])) if manifest is not None else 0
    if covered < passages:
        return Finding(
            False,
            f"有 {passages - covered} 段还没有向量",
            "请运行 chadang ingest 目录，会接着算完。",
        )
    return Finding(True, "每一段都有向量")


def _some(items: list[str]) -> str:
    shown = "；".join(items[:_NAMED])
    return f"{shown}；等共 {len(items)} 项" if len(items) > _NAMED else shown
