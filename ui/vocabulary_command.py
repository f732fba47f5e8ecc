"""`chadang vocabulary`: look at the vocabulary, change the archive's own part, check a file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from index.settings import Settings

if TYPE_CHECKING:
    from assistant.vocabulary import Entry
    from assistant.vocabulary_file import VocabularySource
    from ui.arguments import ChineseParser

SUMMARY: Final = "查看和修改“口语—正式用语”对照表"
DETAILS: Final = (
    "提问里的平常说法（电动车）会连同正式用语（电动自行车）一起查，反过来也一样。\n"
    "自带一份对照表；本馆增删的写在馆藏目录的 vocabulary.csv，也可以用 Excel 直接改，改完立即生效。\n"
    "地名新旧名称写“类别”为“地名”；一段年月的俗称写“时期”，并填起始年、终止年。"
)


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.positionals.add_argument(
        "words", nargs="?", default="", metavar="词", help="只列出含有这个词的；不写则全部列出"
    )
    one = parser.options.add_mutually_exclusive_group()
    one.add_argument("--add", nargs=2, metavar=("口语", "正式用语"), help="增加一对")
    parser.options.add_argument(
        "--category", default="", metavar="类别", help="与 --add 同用，如 地名；不写则为空"
    )
    one.add_argument(
        "--remove",
        nargs="+",
        metavar="词",
        help="停用一对（口语 正式用语）；只写口语则它的全部停用",
    )
    one.add_argument("--check", type=Path, metavar="文件", help="检查一个表，逐行说明哪里不对")
    one.add_argument("--export", type=Path, metavar="文件", help="把现用的对照表全部存成 CSV")


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> bool:
    """Do what the options ask.

    Returns:
        Whether all is well; False when a checked file has bad rows or there was nothing to change.

    Raises:
        VocabularyError: If a pair or a file cannot be used; the message says why.
    """
    from assistant.vocabulary_file import VocabularySource

    source = VocabularySource(settings.home)
    if options.check is not None:
        return _check(options.check, say)
    if options.add:
        colloquial, official = options.add
        if source.add(colloquial, official, options.category):
            say(
                f"已增加：{colloquial} — {official}（写在 {source.path}）。立即生效，不用重建索引。"
            )
            return True
        say(f"表里已经有“{colloquial} — {official}”，没有改动。")
        return True
    if options.remove:
        return _remove(source, options.remove, say)
    if options.export is not None:
        return _export(source.vocabulary.entries, options.export, say)
    _list(source.vocabulary.search(options.words), options.words, say)
    for bad in source.bad_rows:
        say(f"✗ {source.path.name} {bad.line}")
    if source.bad_rows:
        say("以上各行没有使用，其余照常生效。")
    return True


def _remove(source: VocabularySource, words: Sequence[str], say: Callable[[str], None]) -> bool:
    from assistant.vocabulary_file import VocabularyError

    if len(words) > 2:
        msg = "--remove 后面写一个口语词，或一个口语词加一个正式用语。"
        raise VocabularyError(msg)
    colloquial, official = words[0], words[1] if len(words) == 2 else ""
    pair = f"{colloquial} — {official}" if official else colloquial
    if source.remove(colloquial, official):
        say(f"已停用：{pair}（记在 {source.path}）。立即生效；用 --add 可以加回来。")
        return True
    say(f"表里没有“{pair}”，没有改动。可先运行 chadang vocabulary {colloquial} 看看。")
    return False


def _check(path: Path, say: Callable[[str], None]) -> bool:
    from assistant.vocabulary_file import OWN, VocabularyError, read_rows

    try:
        content = path.expanduser().read_bytes()
    except OSError as error:
        msg = f"{path} 读不出来：{error}。请检查路径和权限。"
        raise VocabularyError(msg) from error
    rows = read_rows(content, OWN)
    for bad in rows.bad:
        say(f"✗ {bad.line}")
    say(f"可用 {len(rows.entries)} 行，有问题 {len(rows.bad)} 行。")
    return not rows.bad


def _export(entries: Sequence[Entry], path: Path, say: Callable[[str], None]) -> bool:
    from assistant.vocabulary_file import entry_cells, write_csv

    write_csv(path.expanduser(), map(entry_cells, entries))
    say(f"已存 {len(entries)} 行到 {path}（CSV UTF-8，Excel 可直接打开）。")
    return True


def _list(entries: Sequence[Entry], words: str, say: Callable[[str], None]) -> None:
    from ui.terminal import printable, table

    if not entries:
        say(f"表里没有含“{words}”的词。要增加：chadang vocabulary --add {words} 正式用语")
        return
    rows = [("口语", "正式用语", "年份", "类别", "来源")]
    rows += [
        (
            "、".join(e.colloquial),
            ("" if e.two_way else "→ ") + "、".join(e.official),
            e.years,
            e.category,
            e.source,
        )
        for e in entries
    ]
    say(printable(table(rows)))
    say(f"共 {len(entries)} 行。“→”表示只从口语查到正式用语，不反过来。")
