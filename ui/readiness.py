"""Whether questions can be answered, and if not, what is missing; for a load balancer or watchdog."""

from __future__ import annotations

from typing import Final

from index.errors import ArchiveError
from index.passage_index import read_manifest
from ui.api_models import CheckBody, ReadyResponse
from ui.session import Asker

_HOLDINGS: Final = "馆藏"
_INDEX: Final = "索引"
_MODEL: Final = "模型"


def readiness(assistant: Asker) -> ReadyResponse:
    """Look at holdings, index and model. Says nothing of what the holdings are."""
    checks = [_holdings(assistant), _index(assistant), _model(assistant)]
    return ReadyResponse(ready=all(check.ready for check in checks), checks=checks)


def _holdings(assistant: Asker) -> CheckBody:
    if not assistant.store.path.is_file():
        return _bad(_HOLDINGS, "馆藏文件不见了。请检查磁盘，或从备份恢复。")
    try:
        with assistant.store.reading() as db:
            db.execute("SELECT 1 FROM records LIMIT 1").fetchone()
    except ArchiveError:
        return _bad(_HOLDINGS, "馆藏文件打不开。请运行 chadang doctor。")
    return _good(_HOLDINGS)


def _index(assistant: Asker) -> CheckBody:
    if read_manifest(assistant.settings.index_path) is None:
        return _bad(_INDEX, "还没有建索引，或索引文件不见了。请运行 chadang ingest。")
    return _good(_INDEX)


def _model(assistant: Asker) -> CheckBody:
    if not assistant.model:
        return _bad(_MODEL, "检索模型还没有载入。请稍候，或运行 chadang doctor。")
    return _good(_MODEL)


def _good(name: str) -> CheckBody:
    return CheckBody(name=name, ready=True, message="")


def _bad(name: str, message: str) -> CheckBody:
    return CheckBody(name=name, ready=False, message=message)
