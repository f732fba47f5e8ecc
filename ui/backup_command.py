"""`chadang backup` and `chadang restore`."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from index.settings import Settings

if TYPE_CHECKING:
    from index.backup import Manifest
    from ui.arguments import ChineseParser

SUMMARY: Final = "备份馆藏：数据库、设置、对照表、报告存成一个文件"
DETAILS: Final = (
    "服务开着、正在入库也可以备份。写完从头读一遍核对，核对无误才有这个文件。\n"
    "备份里有设置中的密钥和用户的密码摘要，只有文件的主人能读，请妥善保管。\n"
    "索引、模型、页面影像的缓存不在内，恢复时自动重建，不用重新识别、重新算向量。"
)
RESTORE_SUMMARY: Final = "从备份恢复成一个新的馆藏目录"
RESTORE_DETAILS: Final = (
    "先逐个文件核对，全部无误才有新目录；目录已有内容的不覆盖。\n"
    "例：chadang restore 备份.tar.zst --home 新目录"
)


def add_options(parser: ChineseParser) -> None:
    """Put the options of `backup` on its parser."""
    parser.positionals.add_argument(
        "file", type=Path, metavar="文件", help="备份文件，以 .tar.zst（快）或 .tar.gz 结尾"
    )
    parser.options.add_argument(
        "--with-sources",
        action="store_true",
        help="连入库的原文件和目录表一起备份；没有入库的（涉密、待审核）不收",
    )


def add_restore_options(parser: ChineseParser) -> None:
    """Put the options of `restore` on its parser."""
    parser.positionals.add_argument("file", type=Path, metavar="文件", help="备份文件")
    parser.options.add_argument("--check", action="store_true", help="只核对备份，什么也不写")
    parser.options.add_argument("--no-index", action="store_true", help="只恢复，暂不建索引")


def run(
    options: argparse.Namespace, settings: Settings, version: str, say: Callable[[str], None]
) -> bool:
    """Make a backup.

    Raises:
        BackupError: If it cannot be made; the message says why.
    """
    from index.backup import back_up
    from ingest.catalogue import CATALOGUE_SUFFIXES
    from ingest.column_map import MAPPING_FILE
    from ui.terminal import ProgressLine

    line = ProgressLine("备份", "MB")
    try:
        manifest = back_up(
            settings,
            options.file,
            version=version,
            now=dt.datetime.now().astimezone().isoformat(timespec="seconds"),
            with_sources=options.with_sources,
            catalogue_endings=CATALOGUE_SUFFIXES,
            mapping_file=MAPPING_FILE,
            progress=lambda done, total: line(done // 1_000_000, total // 1_000_000),
        )
    finally:
        line.close()
    size = options.file.expanduser().stat().st_size
    say(f"已备份到 {options.file}（{size / 1e6:.1f} MB），写完已读回核对。")
    say(_told(manifest))
    if manifest.sources:
        say("目录表照原样收入；表里如列有涉密条目，请先从表里删去再备份。")
    else:
        say("原文件没有收入，请另行备份，或加 --with-sources。")
    return True


def run_restore(
    options: argparse.Namespace,
    load: Callable[[Path], Settings],
    home: Path,
    say: Callable[[str], None],
) -> bool:
    """Check or restore a backup.

    Args:
        options: The command line.
        load: Settings of a home.
        home: The new home.
        say: Receives what is told.

    Raises:
        BackupError: If the backup cannot be used or the home is taken.
    """
    from index.backup import restore, verify
    from index.errors import ArchiveError
    from ui.terminal import ProgressLine

    if options.check:
        manifest = verify(options.file)
        say(f"{options.file} 完好。")
        say(_told(manifest))
        return True
    line = ProgressLine("恢复", "MB")
    failed = ""

    def finish(folder: Path) -> None:
        nonlocal failed
        if options.no_index:
            return
        from index.passage_index import build_index
        from index.store import Store

        say("文件已核对，正在建索引……")
        try:
            settings = load(folder)
            store = Store(settings.database_path)
            try:
                if store.counts()["records"]:
                    build_index(store, settings)
            finally:
                store.close()
        except ArchiveError as error:
            # The holdings are whole; a model that is not on this machine must not hold them up.
            failed = str(error)

    try:
        manifest = restore(
            options.file,
            home,
            finish=finish,
            progress=lambda done, total: line(done // 1_000_000, total // 1_000_000),
        )
    finally:
        line.close()
    say(f"已恢复到 {home}。")
    say(_told(manifest))
    if failed or options.no_index:
        why = f"索引没有建好：{failed}" if failed else "按要求没有建索引。"
        say(f"{why}提问之前请运行 chadang ingest --retry --home {home}，会建好索引。")
    if not manifest.sources:
        say("原文件不在备份里；页面影像要原文件还在原处才打得开。")
    say(f"检查：chadang doctor --home {home}；打开：chadang serve --home {home}")
    return not failed


def _told(manifest: Manifest) -> str:
    count = manifest.counts
    sources = f"，连同 {len(manifest.sources)} 个文件夹的原文件" if manifest.sources else ""
    return (
        f"馆藏 {count['records']} 件、{count['pages']} 页，{len(manifest.files)} 个文件"
        f"（{manifest.size / 1e6:.1f} MB）{sources}；{manifest.created} 由 {manifest.version} 制作。"
    )
