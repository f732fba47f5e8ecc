"""Read the sample texts. Standard library only.

A text file holds records one after another. A record opens with `=== 档号`, then `键: 值` lines,
then `----`, then its body, one paragraph a line. The first characters of a line say what it is:

    `# ` title line    `@` centred note    `^ ` right-hand mark (class, number)    `= ` no indent
    `> ` signature     `~ ` imprint at the foot    `| ` table row    `=page` page break
    `=noindent ` caption    anything else: a paragraph
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

MARK = "示例市馆藏样本·内容纯属虚构"
DEFAULT_AUTHOR = "示例市人民代表大会常务委员会"
DEPARTMENTS = {
    "BGS": "办公室",
    "CJH": "城乡建设与环境资源保护委员会",
    "CJW": "财政经济委员会",
    "DBW": "代表工作委员会",
    "FZW": "法制委员会",
    "JKW": "教科文卫委员会",
    "JSW": "监察和司法委员会",
    "RSW": "人事工作机构",
    "XFS": "信访室",
}
VOLUMES = {
    "0012-1-8": ("示例市第九届人民代表大会第三次会议文件", "永久"),
    "0012-1-35": ("示例市第十一届人民代表大会第一次会议文件及代表建议办理材料", "永久"),
    "0012-1-36": ("示例市人大常委会1998年代表建议办理情况报告", "长期"),
    "0012-1-41": ("示例市人大常委会1996年述职评议材料", "长期"),
    "0012-2-17": ("示例市人大常委会1999—2000年人事任免材料", "永久"),
    "0012-3-5": ("示例市人大常委会信访室1997年群众来信转办材料", "短期"),
}
_KINDS = {"# ": "title", "^ ": "mark", "= ": "flush", "> ": "sign", "~ ": "imprint", "| ": "row"}


class Form(StrEnum):
    """How a record is rendered."""

    TEXT_PDF = "文字"
    SCAN = "扫描"
    COLOUR_SCAN = "彩扫"
    DUAL = "双层"
    TXT = "文本"
    TXT_GB = "国标文本"
    MISSING = "无文件"

    @property
    def is_pdf(self) -> bool:
        """Whether the record becomes a PDF."""
        return self in (Form.TEXT_PDF, Form.SCAN, Form.COLOUR_SCAN, Form.DUAL)


@dataclass(frozen=True, slots=True)
class Block:
    """One line of a body: `kind` is title note mark flush sign imprint row caption page para."""

    kind: str
    text: str

    @property
    def cells(self) -> list[str]:
        """The cells of a table row."""
        return [cell.strip() for cell in self.text.strip("| ").split("|")]


@dataclass(slots=True)
class Record:
    """One record of the sample with its catalogue fields and body."""

    code: str
    fields: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    @property
    def form(self) -> Form:
        """How the record is rendered."""
        return Form(self.fields["格式"])

    @property
    def volume(self) -> str:
        """The volume a 卷内文件 belongs to; empty for a 件."""
        return self.code.rpartition("-")[0] if self.code.startswith("0012-") else ""

    @property
    def year(self) -> str:
        """Filing year: of the code for a 件, of the date for a 卷内文件."""
        return self.fields["日期"][:4] if self.volume else self.code.partition("·")[2][:4]

    @property
    def retention(self) -> str:
        """保管期限, literal."""
        if self.volume:
            return self.fields.get("期限", VOLUMES[self.volume][1])
        return self.code.split("-")[2]

    @property
    def department(self) -> str:
        """机构 in words, from the code; empty for a 卷内文件."""
        return "" if self.volume else DEPARTMENTS[self.code.split("-")[3]]

    @property
    def doc_no(self) -> str:
        """文号, or empty."""
        return self.fields.get("文号", "")

    @property
    def path(self) -> str:
        """Path of the file below the holdings folder, POSIX form; empty when it has none."""
        if self.form is Form.MISSING:
            return ""
        suffix = ".pdf" if self.form.is_pdf else ".txt"
        if self.volume:
            return f"案卷/{self.volume}/{self.code}{suffix}"
        # Offices that cannot write the middle dot in a file name put a full stop.
        name = self.code if int(self.year) >= 2019 else self.code.replace("·", ".")
        folder = self.fields.get("夹")
        return "/".join(part for part in (self.year, folder, name + suffix) if part)

    @property
    def text(self) -> str:
        """The body as running text: what a reader of the file should find, without furniture."""
        head = [self.fields["红头"]] if "红头" in self.fields else []
        if "〔" in self.doc_no:
            head.append(self.doc_no)
        body = [
            "".join(block.cells) if block.kind == "row" else block.text
            for block in self.blocks
            if block.kind != "page"
        ]
        return "\n".join(head + body)


def parse(text: str) -> list[Record]:
    """Read the records of one source text.

    Args:
        text: The source, see the module's docstring.

    Returns:
        The records in order.

    Raises:
        ValueError: A line before the first record, or a field line without a colon.
    """
    records: list[Record] = []
    in_body = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.rstrip()
        if line.startswith("=== "):
            records.append(Record(line[4:].strip()))
            in_body = False
        elif not line:
            continue
        elif not records:
            msg = f"line {number}: text before the first record"
            raise ValueError(msg)
        elif line == "----" and not in_body:
            in_body = True
        elif not in_body:
            key, colon, value = line.partition(":")
            if not colon:
                msg = f"line {number}: field without colon: {line!r}"
                raise ValueError(msg)
            records[-1].fields[key.strip()] = value.strip()
        else:
            records[-1].blocks.append(_block(line))
    return records


def load(folder: Path | None = None) -> list[Record]:
    """Read all sample texts, in the order of the files' names.

    Args:
        folder: Where the texts are; beside this module when not given.

    Returns:
        The records.

    Raises:
        ValueError: A code occurs twice.
    """
    folder = folder or Path(__file__).resolve().parent / "texts"
    records = [
        record
        for path in sorted(folder.glob("*.txt"))
        for record in parse(path.read_text(encoding="utf-8"))
    ]
    codes = [record.code for record in records]
    if twice := {code for code in codes if codes.count(code) > 1}:
        msg = f"codes used twice: {sorted(twice)}"
        raise ValueError(msg)
    return records


def _block(line: str) -> Block:
    if line == "=page":
        return Block("page", "")
    if line.startswith("=noindent "):
        return Block("caption", line.removeprefix("=noindent ").strip())
    if line.startswith("@"):
        return Block("note", line[1:].strip())
    if (kind := _KINDS.get(line[:2])) is not None:
        return Block(kind, line if kind == "row" else line[2:].strip())
    return Block("para", line.strip())


def squeeze(text: str) -> str:
    """Drop all white space, for comparing texts across renderings."""
    return re.sub(r"\s+", "", text)
