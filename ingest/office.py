"""Old Word documents (.doc, .wps, .rtf, .odt) turned into .docx by LibreOffice, where installed.

LibreOffice runs as a process of its own: a profile of our own with macros and the network off,
one minute at most.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from index.file_format import FileFormat
from ingest.errors import PasswordError, SourceReadError

#: Part of the restart key and of content hashes: raise it when the reading changes.
OFFICE_READER: Final = "office 1"
SECONDS: Final = 60.0
_PREFIX: Final = "chadang-office-"
NEXT_STEP: Final = "请安装 LibreOffice（命令 soffice）后重新入库，或用 WPS、Word 另存为 docx 或 PDF"
_SUFFIX: Final = {
    FileFormat.DOC: ".doc",
    FileFormat.RTF: ".rtf",
    FileFormat.WORD_XML: ".xml",
    FileFormat.ODT: ".odt",
}
#: Nothing in a document may run or call out: no macros, no linked pictures, a proxy that is not.
_PROFILE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetProxyType" oor:op="fuse"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyName" oor:op="fuse"><value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyPort" oor:op="fuse"><value>9</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyName" oor:op="fuse"><value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyPort" oor:op="fuse"><value>9</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


@lru_cache(maxsize=1)
def soffice() -> str | None:
    """The LibreOffice command of this machine, None when there is none."""
    for name in ("soffice", "libreoffice"):
        found = shutil.which(name)
        if found is not None:
            return found
    for place in (
        "/usr/lib/libreoffice/program/soffice",
        "/opt/libreoffice/program/soffice",
        "/Applications/LibreOffice.app/Contents/MacOS/soffice",
        r"C:\\Program Files\\LibreOffice\\program\\soffice.exe",
    ):
        if Path(place).is_file():
            return place
    return None


@contextmanager
def as_docx(path: Path, format_: FileFormat, *, seconds: float = SECONDS) -> Iterator[Path]:
    """A temporary .docx with the content of an old document.

    Raises:
        PasswordError: If the document is locked.
        SourceReadError: If LibreOffice is missing, cannot read the document or takes too long.
    """
    command = soffice()
    if command is None:
        msg = f"{path.name} 是{format_.value}，要用 LibreOffice 读取，本机没有安装"
        raise SourceReadError(msg, NEXT_STEP)
    if format_ is FileFormat.DOC and _is_locked(path):
        msg = f"{path.name} 设有打开密码，没有读取"
        raise PasswordError(msg, "请用密码打开后另存为无密码的文件，再重新入库")
    _sweep()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        work = Path(folder)
        user = work / "profile" / "user"
        user.mkdir(parents=True)
        (user / "registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
        # By its own suffix LibreOffice would guess, and a `.wps` makes it look for MS Works.
        source = work / ("source" + _SUFFIX.get(format_, ".doc"))
        shutil.copyfile(path, source)
        problem = _run(
            [command, "--headless", "--norestore", "--nolockcheck", "--nodefault",
             f"-env:UserInstallation={(work / 'profile').as_uri()}",
             "--convert-to", "docx:MS Word 2007 XML", "--outdir", str(work / "out"), str(source)],
            work, seconds,
        )  # fmt: skip
        made = work / "out" / "source.docx"
        if not made.is_file():
            msg = f"{path.name} 用 LibreOffice 转换失败（{problem or '没有输出'}）"
            raise SourceReadError(msg, "请用 WPS 或 Word 打开检查，另存为 docx 或 PDF 后重新入库")
        yield made


def _sweep() -> None:
    """Remove what a killed process left behind: copies of archive documents must not lie about."""
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        try:
            if time.time() - folder.stat().st_mtime > 3600:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def _run(command: list[str], work: Path, seconds: float) -> str:
    """Run LibreOffice; what went wrong, empty when nothing did."""
    environment = dict(os.environ)
    environment.update(
        HOME=str(work), http_proxy="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9"
    )
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=work,
        start_new_session=True,
    )
    try:
        code = child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"用时超过 {seconds:.0f} 秒"
    finally:
        _end(child)
    return f"代码 {code}" if code else ""


def _end(child: subprocess.Popen[bytes]) -> None:
    """End LibreOffice with the process it starts for itself."""
    if sys.platform == "win32":
        child.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _is_locked(path: Path) -> bool:
    """Whether a Word 97 document is encrypted.

    Source:
        [MS-DOC] 2.5.1: FibBase.wIdent 0xA5EC, flag fEncrypted is bit 8 of the word at offset 10.
        The stream WordDocument begins at the first sector in all files met.
    """
    with path.open("rb") as file:
        file.seek(512)
        head = file.read(12)
    return head[:2] == b"\xec\xa5" and len(head) == 12 and bool(head[11] & 1)
