"""`chadang review`: records the secrecy gate held back, and a named archivist's decision on them."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from index.settings import Settings

if TYPE_CHECKING:
    from index.held import HeldItem
    from ui.arguments import ChineseParser

SUMMARY: Final = "疑似涉密、等待审核的档案：列出、放行、不予入库"
DETAILS: Final = (
    "题名或首页页首有“绝密、机密、秘密”字样的，先不入库、不建索引，库里只记文件名和原因，等档案管理员看过原件再定。\n"
    "放行后再运行一次 chadang ingest 即入库。标有★的国家秘密不入本系统；确已解密的，放行时写明解密决定的文号。\n"
    "谁、何时、为什么决定的都记下来，只增不改。"
)


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.positionals.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=("list", "release", "withhold"),
        metavar="做什么",
        help="list 列出（默认），release 放行，withhold 不予入库",
    )
    parser.positionals.add_argument("number", nargs="?", type=int, metavar="号", help="待审项的号")
    parser.options.add_argument("--all", action="store_true", help="连已经决定的一起列出")
    parser.options.add_argument("--by", default="", metavar="姓名", help="由谁决定")
    parser.options.add_argument("--reason", default="", metavar="理由", help="为什么")
    parser.options.add_argument(
        "--paper", default="", metavar="文号", help="解密决定的文号；标有★的放行时必须写"
    )


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> bool:
    """Do what the options ask.

    Returns:
        True; what cannot be done is an error.

    Raises:
        DecisionError: If the item, the name, the reason or a needed paper is missing.
        IndexNotFoundError: If nothing was ever taken in.
    """
    from index.held import RELEASED, WITHHELD, DecisionError, HeldItems
    from index.store import Store

    store = Store(settings.database_path)
    try:
        held = HeldItems(store)
        if options.action == "list":
            _list(held.items(undecided=not options.all), say, every=options.all)
            return True
        if options.number is None:
            msg = "请写明是第几号，例如：chadang review release 3 --by 姓名 --reason 理由。"
            raise DecisionError(msg)
        release = options.action == "release"
        now = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        item = held.decide(
            options.number, RELEASED if release else WITHHELD, options.by, options.reason, now,
            paper=options.paper,
        )  # fmt: skip
        say(_told(item))
        say(
            "请再运行一次 chadang ingest 目录，把它入库。" if release
            else "它不会入库；请把文件移出本系统的文件夹。"
        )  # fmt: skip
        return True
    finally:
        store.close()


def _list(items: list[HeldItem], say: Callable[[str], None], *, every: bool) -> None:
    if not items:
        say("没有待审的档案。" + ("" if every else "已决定的见 chadang review list --all。"))
        return
    for item in items:
        say(_told(item))
    say(
        "核对原件后决定：chadang review release 号 --by 姓名 --reason 理由，"
        "或 chadang review withhold 号 --by 姓名 --reason 理由。"
    )


def _told(item: HeldItem) -> str:
    from ui.terminal import printable

    lines = [f"第 {item.number} 号  {item.grade}  {item.place}：{item.reason}"]
    for d in item.decisions:
        paper = f"，依据 {d.paper}" if d.paper else ""
        lines.append(f"    {d.at} {d.by} 决定{d.decision}：{d.reason}{paper}")
    return printable("\n".join(lines))
