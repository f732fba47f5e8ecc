"""`chadang tokens`: give tokens to programs that call the API, list them, revoke them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from index.access import READING_ROLES
from index.domain import Role
from index.settings import Settings
from ui.purposes import PURPOSES

if TYPE_CHECKING:
    from ui.api_tokens import ApiToken
    from ui.arguments import ChineseParser

SUMMARY: Final = "管理接口令牌：给每个调用接口的系统发令牌、列出、停用"
DETAILS: Final = (
    "chadang tokens add 办公系统 --role 机关工作人员 --department 办公室 --days 365\n"
    "chadang tokens list\n"
    "chadang tokens revoke 办公系统\n"
    "令牌只在发的时候显示一次，库里只存摘要。停用立即生效。"
)
_NEVER: Final = "—"


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.positionals.add_argument(
        "what", choices=("add", "list", "revoke"), metavar="动作", help="add、list 或 revoke"
    )
    parser.positionals.add_argument(
        "name", nargs="?", metavar="名称", help="哪个系统用的；停用时写名称或序号"
    )
    options = parser.options
    roles = [role.value for role in Role if role in READING_ROLES]
    options.add_argument(
        "--role", choices=roles, metavar="身份", help=f"以什么身份查档：{'、'.join(roles)}"
    )
    options.add_argument("--person", default="", metavar="姓名", help="代谁查；代表身份必写")
    options.add_argument("--department", default="", metavar="部门", help="机关工作人员所在部门")
    options.add_argument("--account", default="", metavar="账号", help="代哪个账号查")
    options.add_argument(
        "--purpose", default=PURPOSES[0], metavar="目的",
        help=f"利用目的，记入利用登记：{'、'.join(PURPOSES)}（默认 {PURPOSES[0]}）",
    )  # fmt: skip
    options.add_argument("--days", type=int, metavar="天数", help="有效多少天；不写则不过期")


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> bool:
    """Do what the options ask.

    Returns:
        Whether it could be done.

    Raises:
        TokenError: If it cannot be done; says why.
    """
    from ui.api_tokens import ApiTokens, TokenError

    tokens = ApiTokens(settings.home)
    if options.what == "list":
        _say_all(tokens.all(), say)
        return True
    if not options.name:
        msg = f"请写名称：chadang tokens {options.what} 名称"
        raise TokenError(msg)
    if options.what == "revoke":
        token = tokens.revoke(options.name)
        say(f"已停用第 {token.number} 号令牌“{token.name}”，用它的调用从现在起一律拒绝。")
        return True
    if options.role is None:
        msg = "请写明身份，例如 --role 机关工作人员。令牌只看得到这个身份可阅的档案。"
        raise TokenError(msg)
    role = Role(options.role)
    if options.account:
        from ui.accounts import Accounts

        account = Accounts(settings).find(options.account)
        if account is None or account.role is not role:
            msg = (
                f"没有身份为{role.value}的账号 {options.account}。账号和身份见 chadang users list。"
            )
            raise TokenError(msg)
    secret, token = tokens.add(
        options.name,
        role,
        person=options.person,
        department=options.department,
        account=options.account,
        purpose=options.purpose,
        days=options.days,
    )
    say(f"已发第 {token.number} 号令牌“{token.name}”（{_whom(token)}，{_end(token)}）：")
    say(f"\n  {secret}\n")
    say("请现在抄给调用方：只显示这一次。调用时放在请求头 Authorization: Bearer 之后。")
    return True


def _say_all(tokens: list[ApiToken], say: Callable[[str], None]) -> None:
    import datetime as dt

    from ui.terminal import printable, table

    if not tokens:
        say("还没有令牌。发一个：chadang tokens add 名称 --role 身份")
        return
    now = dt.datetime.now(dt.UTC)
    rows = [("序号", "名称", "开头", "身份", "发放", "到期", "最近使用", "状态")]
    for token in tokens:
        state = "停用" if token.revoked else "在用" if token.valid(now) else "过期"
        rows.append(
            (
                str(token.number), token.name, f"{token.hint}…", _whom(token), _day(token.created),
                _day(token.expires), _moment(token.last_used), state,
            )
        )  # fmt: skip
    say(printable(table(rows)))


def _whom(token: ApiToken) -> str:
    return "、".join(
        filter(None, (token.role.value, token.person, token.department, token.account))
    )


def _end(token: ApiToken) -> str:
    return f"{_day(token.expires)} 到期" if token.expires else "不过期"


def _day(moment: str) -> str:
    return _moment(moment)[:10]


def _moment(moment: str) -> str:
    import datetime as dt

    if not moment:
        return _NEVER
    return f"{dt.datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
