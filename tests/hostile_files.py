"""Broken and hostile files, made on the spot: what a scanner, a bad disk or an enemy leaves behind."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

from tests.ingest_files import pdf, write_self_drawing_pdf, write_text_pdf


def stream(content: bytes, entries: bytes = b"", *, packed: bool = True) -> bytes:
    """A stream object."""
    data = zlib.compress(content, 9) if packed else content
    kind = b"/Filter /FlateDecode " if packed else b""
    return b"<< /Length %d %s%s >>\nstream\n%s\nendstream" % (len(data), kind, entries, data)


def _page(content: bytes, resources: bytes = b"", box: bytes = b"[0 0 595 842]") -> list[bytes]:
    return [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources << %s >> >>"
        % (box, resources),
        content,
    ]


_FONT = b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"


def write_broken_files(folder: Path) -> dict[str, str]:
    """Files that are damaged or not what they say.

    Returns:
        File name → what is expected of it: `named` when it must be named in the report, `any` when
        reading it is as good.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = write_text_pdf(folder / "x.pdf", [["关于城市管理工作情况的报告"] * 20] * 3).read_bytes()
    (folder / "x.pdf").unlink()
    picture = _png(200, 100)
    files: dict[str, tuple[bytes, str]] = {
        "空.pdf": (b"", "named"),
        "空.txt": (b"", "any"),
        "空.png": (b"", "named"),
        "半截.pdf": (whole[: len(whole) // 2], "any"),
        "只有头.pdf": (whole[:9], "named"),
        "网页.pdf": (b"<html><body>404</body></html>", "named"),
        "乱码.txt": (bytes(range(128, 256)) * 40, "any"),
        "二进制.txt": (b"\x00\x01\x02" * 400, "named"),
        "偏移错.pdf": (pdf(_page(stream(b"BT ET")), damage=7), "any"),
        "页树成环.pdf": (
            pdf([
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>",
            ]),
            "any",
        ),
        "亿页.pdf": (
            pdf([
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Kids [3 0 R] /Count 1000000000 >>",
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
            ]),
            "any",
        ),
        "上一段成环.pdf": (
            whole.replace(b"trailer\n<<", b"trailer\n<< /Prev %d" % whole.rfind(b"xref\n0")), "any",
        ),
        "深套.pdf": (
            pdf([b"<< /Type /Catalog /Pages 2 0 R /X " + b"[" * 50_000 + b"]" * 50_000 + b" >>",
                 b"<< /Type /Pages /Kids [] /Count 0 >>"]),
            "any",
        ),
        "巨页.pdf": (
            pdf(_page(stream(b"0 0 999999 999999 re f"), box=b"[0 0 99999999 99999999]")), "any",
        ),
        "截断.jpg": (_jpeg()[:300], "named"),
        "截断.png": (picture[: len(picture) // 2], "named"),
        "谎称.png": (picture[:16] + struct.pack(">II", 90_000, 90_000) + picture[24:], "named"),
        "名为图.png": (b"not a picture at all", "named"),
    }  # fmt: skip
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    return {name: expected for name, (_, expected) in files.items()}


def write_bombs(folder: Path) -> dict[str, str]:
    """Files that want all memory or all time; as `write_broken_files`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_self_drawing_pdf(folder / "自绘.pdf")
    laughs = _page(stream(b"/F Do"), b"/XObject << /F 5 0 R >>")
    for level in range(12):
        laughs.append(
            stream(
                b"/F Do " * 10,
                b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]"
                b" /Resources << /XObject << /F %d 0 R >> >>" % (6 + level),
            )
        )
    laughs.append(stream(b"0 0 1 1 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]"))
    (folder / "层层套.pdf").write_bytes(pdf(laughs))
    long_text = b"BT /F1 12 Tf (" + b"A" * 70_000_000 + b") Tj ET"
    (folder / "长串.pdf").write_bytes(pdf(_page(stream(long_text), _FONT)))
    packed = zlib.compress(zlib.compress(b"\0" * 80_000_000, 9), 9)
    (folder / "双重压缩.pdf").write_bytes(
        pdf(_page(b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream"
                  % (len(packed), packed)))
    )  # fmt: skip
    image = stream(
        b"", b"/Type /XObject /Subtype /Image /Width 100000 /Height 100000 /ColorSpace /DeviceGray"
        b" /BitsPerComponent 1",
    )  # fmt: skip
    drawn = stream(b"q 595 0 0 842 0 0 cm /F Do Q")
    (folder / "十亿点.pdf").write_bytes(pdf([*_page(drawn, b"/XObject << /F 5 0 R >>"), image]))
    (folder / "细条.png").write_bytes(_png(2000, 5))
    (folder / "竖条.png").write_bytes(_png(5, 2000))
    (folder / "白纸炸弹.png").write_bytes(_png(30_000, 20_000))
    return dict.fromkeys((path.name for path in folder.iterdir()), "named")


def _png(width: int, height: int) -> bytes:
    """A white 1-bit PNG; 600 million points take 75 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    row = b"\0" + b"\xff" * ((width + 7) // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def _jpeg() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise((400, 300), 80).save(out, "JPEG")
    return out.getvalue()
