"""`chadang portals`: the intranet sites that may sign readers in to the widget."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from index.domain import Role
from index.settings import Settings

if TYPE_CHECKING:
    from ui.arguments import ChineseParser
    from ui.portals import Portals

SUMMARY: Final = "可以替读者登录查档小窗的内网门户：增加、列出、停用"
DETAILS: Final = (
    "门户的后台用这里给的密钥签发一分钟的一次性令牌，查档小窗凭它认出读者，不必再登录一次。\n"
    "怎样签发见 docs/widget.md。密钥只显示一次；怀疑泄露就停用，另加一个。\n"
    "门户只能认定公众、代表、机关工作人员，不能认定档案管理员和各类管理员。"
)


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.positionals.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=("list", "add", "revoke"),
        metavar="做什么",
        help="list 列出（默认），add 增加，revoke 停用",
    )
    parser.positionals.add_argument(
        "name", nargs="?", default="", metavar="门户", help="门户名，即令牌里的 iss，例如 oa"
    )
    parser.options.add_argument(
        "--grant",
        action="append",
        default=[],
        choices=[Role.PUBLIC.value, Role.DEPUTY.value, Role.STAFF.value],
        metavar="身份",
        help="它可以认定的身份，可写多次：公众、代表、机关工作人员",
    )
    parser.options.add_argument("--note", default="", metavar="说明", help="给自己看的说明")


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> bool:
    """Do what the options ask.

    Returns:
        True; what cannot be done is an error.

    Raises:
        PortalError: If the name or the roles are not usable; the message says what to do.
    """
    from ui.portals import PortalError, Portals

    portals = Portals(settings.home)
    if options.action == "list":
        _list(portals, say)
        return True
    if not options.name:
        msg = f"请写明门户名，例如：chadang portals {options.action} oa。"
        raise PortalError(msg)
    if options.action == "revoke":
        portals.revoke(options.name)
        say(f"已停用门户 {options.name}，凭它打开的小窗随即失效。")
        return True
    if not options.grant:
        msg = "请写明它可以认定的身份，例如 --grant 机关工作人员；可写多次。"
        raise PortalError(msg)
    secret = portals.add(options.name, tuple(Role(r) for r in options.grant), options.note)
    say(f"已增加门户 {options.name}。请把下面三项交给门户的开发人员；密钥只显示这一次：")
    say(f"  iss（签发者）：{options.name}")
    say(f"  aud（本馆）：{portals.audience}")
    say(f"  密钥：{secret}")
    if not settings.text("widget_origins"):
        say("还要把门户的网址写进设置 widget_origins，否则浏览器不许它嵌入小窗。")
    return True


def _list(portals: Portals, say: Callable[[str], None]) -> None:
    from ui.terminal import printable, table

    known = portals.portals()
    if not known:
        say("还没有门户。增加：chadang portals add 门户名 --grant 机关工作人员。")
        return
    rows = [("门户", "可认定的身份", "增加时间", "状态", "说明")]
    rows += [
        (p.name, "、".join(p.roles), _day(p.added), f"{_day(p.revoked)} 停用" if p.revoked else "在用", p.note)
        for p in known
    ]  # fmt: skip
    say(printable(table(rows)))
    say(f"aud（本馆）：{portals.audience}")


def _day(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d")
