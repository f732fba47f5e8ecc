"""Character error of the OFD reader: `python -m tests.bench.measure_ofd FOLDER`.

FOLDER holds `index.json`, a list of `{"file": …, "truth": … or null}`, paths below FOLDER.
"""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections import Counter
from pathlib import Path

from index.packages import PackageError
from index.rendering import RenderError, page_jpeg
from ingest.errors import SourceReadError
from ingest.ofd_text import OfdReader


def normal(text: str) -> str:
    """NFKC without white space and without our own marks between cells."""
    return "".join(unicodedata.normalize("NFKC", text).replace("|", "").split())


def distance(a: str, b: str) -> int:
    """Edit distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        last, row = row, [i]
        for j, y in enumerate(b, start=1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y)))
    return row[-1]


def main(folder: Path) -> None:
    """Print one line for each OFD."""
    for item in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        path = folder / item["file"]
        if path.suffix.lower() != ".ofd":
            continue
        started = time.perf_counter()
        try:
            reader = OfdReader(path, drawable=True)
            pages = [reader.read_page(n) for n in range(1, reader.page_count + 1)]
            read = time.perf_counter() - started
            page_jpeg(path, 1, 1000)
        except (SourceReadError, PackageError, RenderError) as error:
            print(path.name, error)
            continue
        drawn = time.perf_counter() - started - read
        text = normal("".join(page.raw for page in pages))
        told = [note.reason for note in reader.notes]
        line = f"{path.name}: {len(pages)} pages, {len(text)} characters, "
        line += f"read {read * 1000:.0f} ms, first page drawn {drawn * 1000:.0f} ms"
        if any(page.needs_ocr for page in pages):
            line += ", to OCR"
        if item.get("truth"):
            truth = normal((folder / item["truth"]).read_text(encoding="utf-8"))
            missing = Counter(truth) - Counter(text)
            line += f", error {distance(text, truth) / len(truth):.4f}"
            line += f", missing {sum(missing.values())}"
        print(line, *told, sep="; ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
