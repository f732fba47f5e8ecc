"""The child process that reads files: `python -m ingest.worker pdf|ocr THREADS`.

The kind `pdf` reads the text of files of every format (`ingest.readers`), `ocr` recognises
pictures of pages.

Requests come in on standard input, one JSON object a line; answers go out the same way. Nothing
else may write to standard output, so the libraries' own output is turned to standard error.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from index.domain import TextSource
from ingest.errors import IngestError, PasswordError, SourceReadError
from ingest.page_text import PageText

if TYPE_CHECKING:
    from ingest.ocr import PageRecognizer

_PDF_MEMORY: Final = 2 * 1024**3
_OCR_RESIDENT: Final = 2_500_000_000

Answer = Callable[[Mapping[str, Any]], None]


def main(arguments: list[str]) -> int:
    """Serve requests until standard input closes."""
    kind, threads = arguments[0], int(arguments[1])
    out = _own_output()
    logging.disable(logging.CRITICAL)
    _limit(kind)

    def answer(message: Mapping[str, Any]) -> None:
        out.write(json.dumps(message, ensure_ascii=False) + "\n")
        out.flush()

    serve = _Files() if kind == "pdf" else _Ocr(threads)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            for message in serve(request):
                answer(message)
        except IngestError as error:
            answer(
                {
                    "error": str(error),
                    "next_step": getattr(error, "next_step", ""),
                    "password": isinstance(error, PasswordError),
                }
            )
        except Exception as error:  # noqa: BLE001 - the parent decides what to do about it
            answer(
                {
                    "error": f"{Path(request['path']).name} 读不出来（{type(error).__name__}：{error}）"
                }
            )
        answer({"done": True, "tired": serve.tired})
    return 0


def _own_output() -> TextIO:
    """A private handle on standard output; everything else that prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def _limit(kind: str) -> None:
    """Bound the memory a hostile file can take (OCR maps too much for this; it is watched)."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if kind == "pdf":
        resource.setrlimit(resource.RLIMIT_AS, (_PDF_MEMORY, _PDF_MEMORY))


def _page(file_page: int, read: Callable[[int], PageText]) -> dict[str, Any]:
    """Read one page; whatever goes wrong costs this page only."""
    try:
        return {"page": read(file_page).to_json()}
    except Exception as error:  # noqa: BLE001 - readers raise many kinds for damaged pages
        text = f"第 {file_page} 页读不出来（{type(error).__name__}：{error}）"
        return {"page": PageText(file_page, "", TextSource.NONE, problem=text).to_json()}


class _Files:
    """Text of files of any kind; the last file stays open for its next pages."""

    tired = False

    def __init__(self) -> None:
        from ingest.readers import Reader

        self._reader: Reader | None = None
        self._known: tuple[str, bool] = ("", False)

    def __call__(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        from ingest.readers import open_reader, seconds_to_open

        known = (request["path"], bool(request["careful"]))
        if self._reader is None or known != self._known:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            path = Path(request["path"])
            yield {"longer": seconds_to_open(path)}
            self._reader = open_reader(path, careful=known[1])
            self._known = known
        reader = self._reader
        count = reader.page_count
        notes = [[note.reason, note.next_step] for note in reader.notes]
        yield {"page_count": count, "notes": notes}
        last = min(count, request["last"] or request["first"] + request["chunk"] - 1)
        for file_page in range(request["first"], last + 1):
            yield _page(file_page, reader.read_page)


class _Ocr:
    """Recognition of page pictures."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._recognizer: PageRecognizer | None = None
        self._engine = ""

    def _ready(self, engine: str) -> PageRecognizer:
        """The recogniser with its models loaded, kept for the next pages."""
        from ingest.ocr import PageRecognizer

        if self._recognizer is None or engine != self._engine:
            self._recognizer = PageRecognizer(self._threads, engine)
            self._engine = engine
        return self._recognizer

    @property
    def tired(self) -> bool:
        """Whether the process has grown too large and should be replaced."""
        try:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return False
        return pages * os.sysconf("SC_PAGE_SIZE") > _OCR_RESIDENT

    def __call__(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        from index.rendering import RenderError, open_document

        path = Path(request["path"])
        try:
            with open_document(path) as document:
                count = document.page_count
                yield {"page_count": count}
                last = min(count, request["last"] or request["first"] + request["chunk"] - 1)
                recognizer = self._ready(str(request["options"].get("engine", "auto")))
                read = partial(recognizer.read_page, document, int(request["options"]["dpi"]))
                for file_page in range(request["first"], last + 1):
                    yield _page(file_page, read)
        except RenderError as error:
            raise SourceReadError(str(error), "请检查文件能否打开，必要时重新扫描") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
