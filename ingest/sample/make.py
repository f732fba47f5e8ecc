"""Make the sample holdings from `texts/`: `python -m ingest.sample.make --out DIR`.

A tool for makers of the sample, not for users of it: reportlab, fontTools, Pillow, NumPy,
pypdfium2 and openpyxl are imported where they are used. The same fonts give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import math
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.sample.layout import HEIGHT, RED, WIDTH, Sheet, TextLine, Typesetter
from ingest.sample.source import DEFAULT_AUTHOR, MARK, VOLUMES, Form, Record, load

if TYPE_CHECKING:
    from PIL.Image import Image

FACES = {
    "song": ("font", "Noto Serif CJK SC:style=Regular"),
    "bold": ("font_bold", "Noto Serif CJK SC:style=Bold"),
    "hei": ("font_hei", "Noto Sans CJK SC:style=Bold"),
    "kai": ("font_kai", "LXGW WenKai:style=Regular"),
}
"""Face → (option, family asked of fontconfig when the option is not given)."""

SCAN_WIDTH = 1400
SCAN_QUALITY = {Form.SCAN: 46, Form.DUAL: 46, Form.COLOUR_SCAN: 50}
STRAY_NAME = "未编目-来文.txt"
STRAY_TEXT = """关于商请协助查找旧志资料的函

示例市人大常委会办公室：
因续修《示例市志》需要，请协助查找1990年以前历次人民代表大会会议日期的资料，并于2024年7月31日前函复。

示例市地方史志研究中心
2024年6月18日
"""
ITEM_HEADINGS = [
    "序号",
    "档号",
    "文号",
    "责任者",
    "题名",
    "日期",
    "密级",
    "页数",
    "保管期限",
    "机构或问题",
    "开放标识",
    "公开属性",
    "届次",
    "文种",
    "代表",
    "备注",
]
ENTRY_HEADINGS = [
    "档号",
    "顺序号",
    "文号",
    "责任者",
    "题名",
    "日期",
    "页号",
    "保管期限",
    "开放标识",
    "备注",
]
VOLUME_HEADINGS = ["档号", "案卷题名", "起止日期", "页数", "保管期限", "备注"]
_FIXED_TIME = (2024, 12, 31, 0, 0, 0)


# -- fonts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Face:
    """A font file and the number of the font in it."""

    path: Path
    number: int = 0


def find_face(family: str) -> Face:
    """Ask fontconfig for a font.

    Args:
        family: Family and style as fontconfig patterns write them.

    Returns:
        The nearest font installed.

    Raises:
        FileNotFoundError: There is no `fc-match`, or it knows no font.
    """
    program = shutil.which("fc-match")
    if program is None:
        msg = "没有 fc-match，请用 --font 等选项指定字体文件"
        raise FileNotFoundError(msg)
    answer = subprocess.run(
        [program, "-f", "%{file}\n%{index}", family], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if not answer or not answer[0]:
        msg = f"没有找到字体：{family}"
        raise FileNotFoundError(msg)
    return Face(Path(answer[0]), int(answer[1]) & 0xFFFF)


def subset_face(face: Face, characters: set[str], target: Path) -> None:
    """Write the part of a font that `characters` need, with TrueType outlines.

    Args:
        face: The font; PostScript outlines are turned into TrueType ones, which is what reportlab
            embeds.
        characters: What will be set in it.
        target: File to write.

    Raises:
        ValueError: The font lacks a character.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(face.path, fontNumber=face.number, recalcTimestamp=False)
    missing = sorted(c for c in characters if ord(c) not in font.getBestCmap())
    if missing:
        msg = f"字体 {face.path.name} 缺字：{''.join(missing)}"
        raise ValueError(msg)
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx"]
    worker = subset.Subsetter(options)
    worker.populate(unicodes=[ord(c) for c in characters])
    worker.subset(font)
    if "CFF " in font:
        _to_truetype(font)
    font.save(target)


def _to_truetype(font: Any) -> None:
    """Replace cubic outlines by quadratic ones, in place."""
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib import newTable

    glyph_set = font.getGlyphSet()
    order = font.getGlyphOrder()
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(glyph_set)
        glyph_set[name].draw(Cu2QuPen(pen, max_err=1.5, reverse_direction=True))
        glyphs[name] = pen.glyph()
    font["loca"] = newTable("loca")
    table = font["glyf"] = newTable("glyf")
    table.glyphOrder = order
    table.glyphs = glyphs
    del font["CFF "]
    table.compile(font)
    for name in order:
        advance = font["hmtx"][name][0]
        font["hmtx"][name] = (advance, getattr(glyphs[name], "xMin", 0))
    maxp = font["maxp"] = newTable("maxp")
    maxp.tableVersion = 0x00010000
    for key in [
        "maxTwilightPoints",
        "maxStorage",
        "maxFunctionDefs",
        "maxInstructionDefs",
        "maxStackElements",
        "maxSizeOfInstructions",
        "maxComponentElements",
        "maxPoints",
        "maxContours",
        "maxCompositePoints",
        "maxCompositeContours",
        "maxComponentDepth",
    ]:
        setattr(maxp, key, 0)
    maxp.maxZones = 1
    maxp.numGlyphs = len(order)
    maxp.recalc(font)
    font["post"].formatType = 3.0
    font["head"].glyphDataFormat = 0
    font.sfntVersion = "\000\001\000\000"


def register_faces(faces: dict[str, Face], records: Iterable[Record], folder: Path) -> None:
    """Subset every face to the sample's characters and make it known to reportlab."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont as EmbeddedFont

    characters = set(MARK) | {chr(code) for code in range(0x20, 0x7F)} | set("—　★")
    for record in records:
        characters |= set(record.text) - {"\n"}
    for name, face in faces.items():
        target = folder / f"{name}.ttf"
        subset_face(face, characters, target)
        pdfmetrics.registerFont(EmbeddedFont(name, str(target)))
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))


def measure(face: str, text: str, size: float) -> float:
    """Width of `text` in points."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, face, size))


# -- PDF ---------------------------------------------------------------------------------------


def text_pdf(sheets: Sequence[Sheet], title: str) -> bytes:
    """Draw pages as a PDF with text and embedded font subsets."""
    buffer = io.BytesIO()
    canvas = _canvas(buffer, title)
    for sheet in sheets:
        for rule in sheet.rules:
            canvas.setStrokeColorRGB(*rule.colour)
            canvas.setLineWidth(rule.thickness)
            (x0, y0), (x1, y1) = rule.start, rule.end
            canvas.line(x0, HEIGHT - y0, x1, HEIGHT - y1)
        for line in sheet.lines:
            _draw_line(canvas, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def image_pdf(images: Sequence[bytes], title: str, layers: Sequence[Sheet] = ()) -> bytes:
    """Wrap JPEG pages as a PDF; with `layers`, put their text invisibly over the images."""
    from reportlab.lib.utils import ImageReader

    buffer = io.BytesIO()
    canvas = _canvas(buffer, title)
    for number, image in enumerate(images):
        canvas.drawImage(ImageReader(io.BytesIO(image)), 0, 0, WIDTH, HEIGHT)
        for line in layers[number].lines if layers else ():
            _draw_hidden(canvas, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _canvas(buffer: io.BytesIO, title: str) -> Any:
    from reportlab import rl_config
    from reportlab.pdfgen.canvas import Canvas

    rl_config.useA85 = 0
    canvas = Canvas(buffer, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor(MARK)
    return canvas


def _draw_line(canvas: Any, line: TextLine) -> None:
    for run in line.runs:
        text = canvas.beginText(run.x, HEIGHT - line.y)
        text.setFont(run.face, line.size)
        text.setFillColorRGB(*line.colour)
        text.setCharSpace(line.gap)
        text.textOut(run.text)
        canvas.drawText(text)


def _draw_hidden(canvas: Any, line: TextLine) -> None:
    for run in line.runs:
        wanted = measure(run.face, run.text, line.size) + line.gap * len(run.text)
        actual = measure("STSong-Light", run.text, line.size)
        text = canvas.beginText(run.x, HEIGHT - line.y)
        text.setFont("STSong-Light", line.size)
        text.setTextRenderMode(3)
        text.setHorizScale(100.0 * wanted / actual)
        text.textOut(run.text)
        canvas.drawText(text)


# -- scans -------------------------------------------------------------------------------------


def scan_pages(record: Record, sheets: Sequence[Sheet], faces: dict[str, Face]) -> list[bytes]:
    """Draw pages, then make them look scanned: skew, paper, ink, noise, JPEG.

    Args:
        record: Whose pages; its code seeds the randomness.
        sheets: The pages.
        faces: Fonts, for the words on the seal.

    Returns:
        One JPEG per page, grey unless the record is a colour scan.
    """
    import pypdfium2

    document = pypdfium2.PdfDocument(text_pdf(sheets, record.code))
    scale = SCAN_WIDTH / WIDTH
    images = []
    for number, sheet in enumerate(sheets):
        seed = hashlib.sha256(f"{record.code}/{number}".encode()).digest()
        chance = random.Random(seed)  # noqa: S311 - for looks, not secrets
        image = document[number].render(scale=scale).to_pil().convert("RGB")
        if sheet.seal is not None:
            _stamp(image, sheet.seal, scale, record.fields["印章"], faces["song"])
        images.append(_scanned(image, chance, record.form))
    document.close()
    return images


def _stamp(image: Image, centre: tuple[float, float], scale: float, words: str, face: Face) -> None:
    """Press a round seal on the page, in place. `words` is `ring|bottom line`."""
    from PIL import Image as Images
    from PIL import ImageChops, ImageDraw, ImageFont

    radius = 56.0 * scale
    size = int(2 * radius + 8)
    middle = size / 2
    ink = Images.new("L", (size, size), 0)
    draw = ImageDraw.Draw(ink)
    box = (middle - radius, middle - radius, middle + radius, middle + radius)
    draw.ellipse(box, outline=255, width=int(3.2 * scale))
    star = [
        (
            middle + radius * (0.30 if k % 2 == 0 else 0.12) * math.sin(k * math.pi / 5),
            middle - radius * (0.30 if k % 2 == 0 else 0.12) * math.cos(k * math.pi / 5),
        )
        for k in range(10)
    ]
    draw.polygon(star, fill=255)
    ring, _, bottom = words.partition("|")
    font = ImageFont.truetype(str(face.path), int(15.5 * scale), index=face.number)
    step = min(26.0, 250.0 / max(len(ring) - 1, 1))
    for k, char in enumerate(ring):
        angle = (k - (len(ring) - 1) / 2) * step
        tile = Images.new("L", (size, size), 0)
        place = (middle, middle - radius * 0.78)
        ImageDraw.Draw(tile).text(place, char, font=font, fill=255, anchor="mm")
        ink = ImageChops.lighter(ink, tile.rotate(-angle, resample=Images.Resampling.BICUBIC))
    if bottom:
        small = ImageFont.truetype(str(face.path), int(11 * scale), index=face.number)
        place = (middle, middle + radius * 0.62)
        ImageDraw.Draw(ink).text(place, bottom, font=small, fill=255, anchor="mm")
    ink = ink.rotate(-4, resample=Images.Resampling.BICUBIC)
    corner = (int(centre[0] * scale - middle), int(centre[1] * scale - middle))
    colour = Images.new("RGB", ink.size, tuple(int(255 * part) for part in RED))
    patch = image.crop((*corner, corner[0] + size, corner[1] + size))
    pressed = ImageChops.multiply(patch, colour)
    patch.paste(pressed, mask=ink.point(lambda value: int(value * 0.8)))
    image.paste(patch, corner)


def _scanned(image: Image, chance: random.Random, form: Form) -> bytes:
    import numpy as np
    from PIL import Image as Images
    from PIL import ImageFilter

    angle = chance.choice((-1, 1)) * chance.uniform(0.25, 0.95)
    if form is Form.DUAL:
        angle *= 0.3  # the hidden text lies straight
    image = image.rotate(angle, resample=Images.Resampling.BICUBIC, fillcolor=(255, 255, 255))
    if form is not Form.COLOUR_SCAN:
        image = image.convert("L")
    image = image.filter(ImageFilter.GaussianBlur(chance.uniform(0.45, 0.7)))
    pixels = np.asarray(image, dtype=np.float32)
    height, width = pixels.shape[:2]
    noise = np.random.default_rng(chance.getrandbits(32))
    paper = np.array((250, 246, 235) if form is Form.COLOUR_SCAN else 243.0, dtype=np.float32)
    ink = chance.uniform(26.0, 48.0)
    page = ink + pixels / 255.0 * (paper - ink)
    across = np.linspace(-1.0, 1.0, width, dtype=np.float32)
    down = np.linspace(-1.0, 1.0, height, dtype=np.float32)
    shade = 1.0 - 0.025 * (chance.uniform(-1, 1) * across[None, :] + across[None, :] ** 4)
    shade = shade - 0.02 * chance.uniform(-1, 1) * down[:, None]
    grain = noise.normal(0.0, 2.2, (height, width)).astype(np.float32)
    if page.ndim == 3:
        shade, grain = shade[..., None], grain[..., None]
    page = page * shade + grain
    for _ in range(chance.randint(12, 30)):  # dust
        x, y = chance.randrange(width - 3), chance.randrange(height - 3)
        page[y : y + chance.randint(1, 3), x : x + chance.randint(1, 2)] -= chance.uniform(40, 110)
    side = chance.choice((slice(0, 5), slice(width - 5, width)))
    page[:, side] *= chance.uniform(0.72, 0.9)  # edge of the scanner's glass
    result = Images.fromarray(np.clip(page, 0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    result.save(buffer, "JPEG", quality=SCAN_QUALITY[form], optimize=True, dpi=(160, 160))
    return buffer.getvalue()


# -- text files and catalogue ------------------------------------------------------------------


def plain_text(record: Record) -> str:
    """Write a record as a typed-out text file."""
    lines = [MARK, ""]
    if "〔" in record.doc_no:
        lines += [record.doc_no, ""]
    for block in record.blocks:
        if block.kind == "row":
            lines.append("　　".join(block.cells))
        elif block.kind == "sign":
            lines.append("　" * 16 + block.text)
        elif block.kind == "mark":
            lines.append("　" * 24 + block.text)
        elif block.kind == "para":
            lines.append("　　" + block.text)
        elif block.kind != "page":
            lines.append(block.text)
    return "\n".join(lines) + "\n"


def write_catalogue(records: Sequence[Record], pages: dict[str, int], target: Path) -> None:
    """Write the catalogue as an office keeps it: title rows, three sheets, mixed dates.

    Args:
        records: All records.
        pages: Code → number of pages of its file.
        target: The workbook to write.
    """
    from openpyxl import Workbook

    book = Workbook()
    items: Any = book.active
    items.title = "归档文件目录"
    items.append(["示例市人民代表大会常务委员会归档文件目录"])
    items.append([f"全宗号：J001　　{MARK}"])
    for row in (1, 2):
        items.merge_cells(start_row=row, end_row=row, start_column=1, end_column=16)
    items.append(list(ITEM_HEADINGS))
    number = 0
    for record in records:
        if record.volume:
            continue
        number += 1
        get = record.fields.get
        values: dict[str, str | int | None] = {
            "序号": number,
            "档号": record.code,
            "文号": record.doc_no,
            "责任者": get("责任者", DEFAULT_AUTHOR),
            "题名": get("题名"),
            "日期": get("日期"),
            "页数": int(get("目录页数", get("页数", str(pages.get(record.code, 1))))),
            "保管期限": record.retention,
            "机构或问题": record.department,
            "开放标识": get("开放"),
            "公开属性": get("公开"),
            "届次": get("届次"),
            "文种": get("文种"),
            "代表": get("代表"),
            "备注": get("备注"),
        }
        items.append([values.get(heading) or None for heading in ITEM_HEADINGS])
    _entries(book.create_sheet("卷内文件目录"), records, pages)
    _volumes(book.create_sheet("案卷目录"), records, pages)
    for sheet in book.worksheets:
        for column, width in zip("ABCDEFGHIJKLMNOP", _widths(sheet.title), strict=False):
            sheet.column_dimensions[column].width = width
    buffer = io.BytesIO()
    book.save(buffer)
    target.write_bytes(_fixed_zip(buffer.getvalue()))


def _widths(title: str) -> Sequence[int]:
    if title == "归档文件目录":
        return (6, 28, 22, 32, 60, 12, 6, 6, 10, 22, 10, 12, 24, 16, 24, 18)
    if title == "卷内文件目录":
        return (16, 8, 20, 32, 60, 12, 8, 10, 10, 18)
    return (14, 50, 22, 8, 10, 20)


def _entries(sheet: Any, records: Sequence[Record], pages: dict[str, int]) -> None:
    sheet.append(["示例市人民代表大会常务委员会卷内文件目录（全宗号0012）"])
    sheet.append(list(ENTRY_HEADINGS))
    starts = first_pages(records, pages)
    entries = [record for record in records if record.volume]
    for at, record in enumerate(entries):
        get = record.fields.get
        start, count = starts[record.code], pages[record.code]
        last = at + 1 == len(entries) or entries[at + 1].volume != record.volume
        sheet.append(
            [
                record.code,
                int(record.code.rpartition("-")[2]),
                record.doc_no or None,
                get("责任者", DEFAULT_AUTHOR),
                get("题名"),
                get("日期"),
                f"{start}-{start + count - 1}" if last and count > 1 else str(start),
                record.retention,
                get("开放"),
                get("备注"),
            ]
        )


def _volumes(sheet: Any, records: Sequence[Record], pages: dict[str, int]) -> None:
    sheet.append(["示例市人民代表大会常务委员会案卷目录（全宗号0012）"])
    sheet.append(list(VOLUME_HEADINGS))
    for volume, (title, retention) in VOLUMES.items():
        inside = [record for record in records if record.volume == volume]
        dates = sorted((_day(r.fields["日期"]), r.fields["日期"]) for r in inside)
        span = dates[0][1] if len(dates) == 1 else f"{dates[0][1]}-{dates[-1][1]}"
        count = sum(pages[record.code] for record in inside)
        sheet.append([volume, title, span, count, retention, f"共{len(inside)}件"])


def _day(date: str) -> tuple[int, ...]:
    return tuple(int(part) for part in date.split("."))


def first_pages(records: Sequence[Record], pages: dict[str, int]) -> dict[str, int]:
    """Return 页号 (first page in its volume) of every 卷内文件."""
    starts: dict[str, int] = {}
    following: dict[str, int] = {}
    for record in records:
        if record.volume:
            starts[record.code] = following.get(record.volume, 1)
            following[record.volume] = starts[record.code] + pages[record.code]
    return starts


def _fixed_zip(data: bytes) -> bytes:
    """Rewrite a workbook with fixed times, so that equal contents give equal bytes."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in sorted(old.namelist()):
            content = old.read(name)
            if name == "docProps/core.xml":
                stamp = rb"\g<1>2024-12-31T00:00:00Z\g<2>"
                content = re.sub(rb"(W3CDTF\">)[^<]*(<)", stamp, content)
            info = zipfile.ZipInfo(name, _FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)
    return buffer.getvalue()


# -- all of it ---------------------------------------------------------------------------------


def make(records: Sequence[Record], faces: dict[str, Face], out: Path) -> dict[str, int]:
    """Write the holdings.

    Args:
        records: The sample's records.
        faces: Fonts by face name, see `FACES`.
        out: Folder to write; made when missing, files in it are overwritten.

    Returns:
        Code → number of pages of its file.
    """
    with tempfile.TemporaryDirectory() as folder:
        register_faces(faces, records, Path(folder))
    pages = {record.code: 1 for record in records if record.form is not Form.MISSING}
    for record in records:
        if record.form.is_pdf:
            pages[record.code] = len(Typesetter(record, measure).run())
    starts = first_pages(records, pages)
    for record in records:
        if not record.path:
            continue
        target = out / record.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not record.form.is_pdf:
            encoding = "gb18030" if record.form is Form.TXT_GB else "utf-8"
            newline = "\r\n" if record.form is Form.TXT_GB else "\n"
            content = plain_text(record).replace("\n", newline)
            target.write_bytes(content.encode(encoding))
            continue
        stamp = starts.get(record.code, 0)
        sheets = Typesetter(record, measure, first_stamp=stamp).run()
        title = record.fields["题名"]
        if record.form is Form.TEXT_PDF:
            target.write_bytes(text_pdf(sheets, title))
            continue
        layers = sheets if record.form is Form.DUAL else ()
        images = scan_pages(record, sheets, faces)
        # The title of a scanner's file says nothing about the record.
        target.write_bytes(image_pdf(images, "" if not layers else title, layers))
    (out / STRAY_NAME).write_text(f"{MARK}\n\n{STRAY_TEXT}", encoding="utf-8")
    write_catalogue(records, pages, out / "目录.xlsx")
    return pages


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest.sample.make", description="由 texts/ 生成示例馆藏（内容纯属虚构）"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="目录", help="写到哪个目录")
    for name, (option, family) in FACES.items():
        parser.add_argument(
            "--" + option.replace("_", "-"),
            type=Path,
            metavar="字体文件",
            help=f"{name} 字体（缺省：{family.partition(':')[0]}）",
        )
    given = parser.parse_args(arguments)
    faces: dict[str, Face] = {}
    for name, (option, family) in FACES.items():
        path: Path | None = getattr(given, option)
        faces[name] = find_face(family) if path is None else Face(path)
    faces = {name: replace(face, path=face.path.resolve()) for name, face in faces.items()}
    pages = make(load(), faces, given.out)
    sys.stdout.write(f"已生成 {len(pages)} 件、{sum(pages.values())} 页：{given.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
