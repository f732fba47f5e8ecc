"""The process that draws pages for `index.drawing`: `python -m index.drawing_worker`.

Requests come in on standard input, one JSON object a line; answers are a JSON line with `size` (or
`error`) and then the bytes of the picture.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from index.rendering import LockedDocumentError, RenderError, page_jpeg, turned_jpeg

#: Address space. The libraries themselves take about 0.5 GB of it, the largest sound page 0.5 GB.
_MEMORY: Final = 2 * 1024**3
#: Quality of a picture that will be encoded a second time.
_FINE: Final = 92
_GREY: Final = (150, 150, 150)
#: Ink reaches a little beyond the box of a character; in parts of the box's height.
_MARGIN: Final = 0.12


def main() -> int:
    """Serve requests until standard input closes."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the libraries print must not get into the answers
    logging.disable(logging.CRITICAL)
    _limit()
    for line in sys.stdin:
        request = json.loads(line)
        name = Path(request["path"]).name
        header: dict[str, object]
        content = b""
        try:
            turn, quality = int(request["turn"]), request["quality"]
            content = page_jpeg(
                Path(request["path"]), request["page"], request["width"],
                _FINE if turn else quality,
            )  # fmt: skip
            if turn:  # first upright, then the covers, whose places are those of the upright page
                content = turned_jpeg(content, turn, quality)
            if request["covers"]:
                content = _covered(content, request["covers"], request["quality"])
            header = {"size": len(content)}
        except LockedDocumentError as error:
            header = {"error": str(error), "locked": True}
        except RenderError as error:
            header = {"error": str(error)}
        except Exception as error:  # noqa: BLE001 - libraries raise many kinds for damaged pages
            header = {"error": f"{name} 第 {request['page']} 页画不出来（{type(error).__name__}）"}
        if "error" in header:
            content = b""
        out.write(json.dumps(header).encode() + b"\n" + content)
        out.flush()
    return 0


def _covered(content: bytes, covers: Sequence[Sequence[float]], quality: int) -> bytes:
    """The picture with boxes painted over."""
    from PIL import Image, ImageDraw

    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom in covers:
        margin = _MARGIN * min(
            (bottom - top) * picture.height, max(8.0, (right - left) * picture.width)
        )
        draw.rectangle(
            (
                left * picture.width - margin, top * picture.height - margin,
                right * picture.width + margin, bottom * picture.height + margin,
            ),
            fill=_GREY,
        )  # fmt: skip
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _limit() -> None:
    """Bound the memory a hostile file can take."""
    try:
        import resource
    except ImportError:  # not on this system; the time limit holds
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    sys.exit(main())
