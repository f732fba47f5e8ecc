"""`chadang users`: accounts from the server's own command line, which may do everything."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from getpass import getpass
from typing import TYPE_CHECKING, Final

from index.domain import Role
from index.settings import Settings

if TYPE_CHECKING:
    from ui.accounts import Account, Accounts
    from ui.arguments import ChineseParser

SUMMARY: Final = "登录账号：列出、增加、改身份、重置密码、停用、解除锁定"
DETAILS: Final = (
    "有了账号，网页就要登录（设置 sign_in）。能登录服务器的人可以办理全部事项，办理的人请自行登记。\n"
    "密码：按提示输入，直接回车则自动生成、只显示一次；本人第一次登录时要改掉。\n"
    "系统管理员、安全管理员、审计管理员不得由同一人兼任，也都不查阅档案内容。"
)
_ACTIONS: Final = (
    "list", "add", "set-role", "reset", "disable", "enable", "unlock", "sign-out",
)  # fmt: skip
#: Shown once; the person changes it at the first sign-in.
_INITIAL: Final = "初始密码（只显示这一次）：{}"


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.positionals.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=_ACTIONS,
        metavar="做什么",
        help="list 列出（默认），add 增加，set-role 改身份，reset 重置密码，disable 停用，enable 启用，"
        "unlock 解除锁定，sign-out 退出全部登录",
    )
    parser.positionals.add_argument("account", nargs="?", default="", metavar="登录名")
    roles = [role.value for role in Role]
    parser.options.add_argument(
        "--role", choices=roles, metavar="身份", help=f"身份：{'、'.join(roles)}"
    )
    parser.options.add_argument("--name", metavar="姓名", help="使用人的真实姓名")
    parser.options.add_argument("--department", metavar="部门", help="机关工作人员所在的部门")
    parser.options.add_argument(
        "--generate", action="store_true", help="密码自动生成，不问；只显示一次"
    )


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> bool:
    """Do what the options ask.

    Returns:
        True; what cannot be done is an error.

    Raises:
        AccountError: If the account, the role or the name is missing or does not fit.
        WeakPasswordError: If the password typed is weak.
    """
    from ui.accounts import AccountError, Accounts

    accounts = Accounts(settings)
    if options.action == "list":
        _list(accounts, say)
        return True
    if not options.account:
        msg = f"请写明登录名，例如：chadang users {options.action} 登录名。"
        raise AccountError(msg)
    if options.action == "add":
        _add(options, accounts, say)
    elif options.action == "set-role":
        _set_role(options, accounts, say)
    elif options.action == "reset":
        if accounts.find(options.account) is None:
            accounts.unlock(options.account)  # says that there is none before asking
        password, made = _password(options)
        person = accounts.reset(options.account, password, approved=True)
        say(f"密码已重置：{_told(person)}")
        if made:
            say(_INITIAL.format(password))
    else:
        _switch(options, accounts, say)
    return True


def _add(options: argparse.Namespace, accounts: Accounts, say: Callable[[str], None]) -> None:
    from ui.accounts import AccountError

    if options.role is None or not options.name:
        msg = "请写明身份和姓名，例如：chadang users add zhangsan --role 档案管理员 --name 张三。"
        raise AccountError(msg)
    first = not accounts.any()
    password, made = _password(options)
    person = accounts.add(
        options.account,
        options.name,
        Role(options.role),
        password,
        department=options.department or "",
        approved=True,
    )
    say(f"已增加：{_told(person)}")
    if made:
        say(_INITIAL.format(password))
    if first:
        say("这是第一个账号：从现在起，打开网页要登录（设置 sign_in = auto 时）。")


def _set_role(options: argparse.Namespace, accounts: Accounts, say: Callable[[str], None]) -> None:
    from ui.accounts import AccountError

    if options.role is None:
        msg = "请写明身份，例如：chadang users set-role zhangsan --role 机关工作人员 --department 办公室。"
        raise AccountError(msg)
    person = accounts.grant(
        options.account, Role(options.role), name=options.name, department=options.department
    )
    say(f"身份已授予：{_told(person)}")


def _switch(options: argparse.Namespace, accounts: Accounts, say: Callable[[str], None]) -> None:
    if options.action in ("disable", "enable"):
        person = accounts.set_disabled(options.account, disabled=options.action == "disable")
        say(f"{'已停用' if person.disabled else '已启用'}：{_told(person)}")
        if not person.disabled and not person.approved:
            say("它的身份还没有核准：chadang users set-role 登录名 --role 身份。")
        return
    person = accounts.unlock(options.account)
    if options.action == "unlock":
        say(f"已解除锁定：{_told(person)}")
        return
    accounts.sign_out_everywhere(person.account)
    say(f"已退出全部登录：{_told(person)}")


def _list(accounts: Accounts, say: Callable[[str], None]) -> None:
    from ui.terminal import printable, table

    people = accounts.people()
    if not people:
        say("还没有账号。增加：chadang users add 登录名 --role 身份 --name 姓名")
        return
    rows = [("登录名", "姓名", "身份", "部门", "状态", "最近登录")]
    for person in people:
        states = (
            ("已停用", person.disabled),
            ("待核准", not person.approved and not person.disabled),
            ("已锁定", accounts.locked(person.account)),
            ("未改初始密码", person.must_change and person.active),
        )
        state = "、".join(name for name, on in states if on) or "可用"
        last = dt.datetime.fromtimestamp(person.signed_in_at).astimezone()
        seen = f"{last:%Y-%m-%d %H:%M}" if person.signed_in_at else "没有登录过"
        row = (person.account, person.name, person.role.value, person.department, state, seen)
        rows.append(row)
    say(printable(table(rows)))


def _password(options: argparse.Namespace) -> tuple[str, bool]:
    """The password to set, and whether it was made here and has to be shown."""
    from ui.accounts import AccountError
    from ui.passwords import new_password

    if options.generate:
        return new_password(), True
    if not sys.stdin.isatty():
        typed = sys.stdin.readline().rstrip("\r\n")
        return (typed, False) if typed else (new_password(), True)
    typed = getpass("密码（直接回车则自动生成）：")
    if not typed:
        return new_password(), True
    if getpass("再输一次：") != typed:
        msg = "两次输入的密码不一样，请重新运行。"
        raise AccountError(msg)
    return typed, False


def _told(person: Account) -> str:
    from ui.terminal import printable

    parts = (person.account, person.name, person.role.value, person.department)
    return printable("  ".join(filter(None, parts)))
