"""`chadang register`: list, check, export and purge the use register; feedback, failed searches."""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from index.domain import Reader, Role
from index.errors import ArchiveError
from index.settings import Settings

if TYPE_CHECKING:
    from assistant.register import Register, Search
    from index.store import Store
    from ui.arguments import ChineseParser
    from ui.usage import Use, UseLog

logger = logging.getLogger(__name__)

SUMMARY: Final = "利用登记：列出、核对、导出登记簿、到期清理；反馈和未检得的提问"
DETAILS: Final = (
    "谁在什么时候问了什么、看了哪件哪页、导出了什么，逐条记在馆藏目录的 register.sqlite3 里，只增不改，条条相扣。\n"
    "verify 逐条核对，被改、被删、被插、末尾被截都会指出是第几条；再写上归档登记簿里的末条号和校验值（--against 号:校验值），\n"
    "连整本重写也查得出来。purge 按设置 register_years 清理到期的登记，须写 --by 决定人 和 --yes。"
)
_LISTED: Final = 50


class _WrongError(ArchiveError):
    """The command line makes no sense; the message says how to write it."""


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.positionals.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=("list", "verify", "export", "purge", "feedback", "failed"),
        metavar="做什么",
        help="list 列出（默认），verify 核对，export 导出登记簿，purge 清理到期的，"
        "feedback 反馈，failed 未检得的提问",
    )
    parser.positionals.add_argument(
        "file", nargs="?", type=Path, metavar="文件.xlsx", help="export、feedback、failed 存成表格"
    )
    options = parser.options
    options.add_argument("--since", default="", metavar="日期", help="从这一天起，如 2026-03-01")
    options.add_argument("--until", default="", metavar="日期", help="到这一天止（含）")
    options.add_argument("--person", default="", metavar="姓名", help="利用人、登录名或部门")
    options.add_argument("--record", default="", metavar="档号", help="档号或题名里的字")
    options.add_argument("--action", dest="only", default="", metavar="事项", help="如 阅览原文")
    options.add_argument("--outcome", default="", metavar="结果", help="结果里的字，如 未检索到")
    options.add_argument("--words", default="", metavar="词", help="提问里的字")
    options.add_argument(
        "--limit", type=int, default=_LISTED, metavar="N", help=f"最多列几条（默认 {_LISTED}）"
    )
    options.add_argument("--against", default="", metavar="号:校验值", help="与归档的校验值核对")
    options.add_argument("--handled", type=int, metavar="号", help="把这一号反馈标为已处理")
    options.add_argument("--note", default="", metavar="说明", help="与 --handled 合用：怎样处理的")
    options.add_argument("--by", default="", metavar="姓名", help="由谁决定、由谁处理")
    options.add_argument("--yes", action="store_true", help="确认清理")


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> bool:
    """Do what the options ask.

    Returns:
        Whether it could be done; False when the register turned out broken.

    Raises:
        ArchiveError: If the command line makes no sense or a file cannot be written.
        RegisterError: If the register cannot be read or written.
    """
    from assistant.register import register_of

    register = register_of(settings)
    try:
        actions: dict[str, Callable[[], bool]] = {
            "list": lambda: _list(options, register, say),
            "verify": lambda: _verify(options, register, say),
            "export": lambda: _export(options, register, say),
            "purge": lambda: _purge(options, settings, register, say),
            "feedback": lambda: _feedback(options, register, say),
            "failed": lambda: _failed(options, register, say),
        }
        return actions[options.action]()
    finally:
        register.close()


def use_of(reader: Reader, purpose: str) -> Use:
    """The use of somebody at the command line.

    Raises:
        ArchiveError: If the purpose is none of those there are.
    """
    import secrets

    from ui.purposes import PURPOSES, stated
    from ui.usage import Channel, Use

    if purpose.strip() and not stated(purpose):
        msg = (
            f"--purpose 请写：{'、'.join(PURPOSES)}；选“其他”的请写明，如 --purpose 其他：写家谱。"
        )
        raise _WrongError(msg)
    return Use(reader, Channel.COMMAND, _terminal(), secrets.token_hex(8), stated(purpose))


def uses_of(settings: Settings, store: Store) -> UseLog:
    """What writes the entries of a home; without a purpose it is `--purpose` that is missing."""
    from ui.usage import UseLog

    return UseLog(settings, store)


#: Commands that change something: command and what it was told to do, to 事项 and words.
_NOTED: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("users", "add"): ("用户管理", "增加账号"),
    ("users", "set-role"): ("用户管理", "授予身份"),
    ("users", "reset"): ("用户管理", "重置密码"),
    ("users", "disable"): ("用户管理", "停用账号"),
    ("users", "enable"): ("用户管理", "启用账号"),
    ("users", "unlock"): ("用户管理", "解除锁定"),
    ("users", "sign-out"): ("用户管理", "退出其登录"),
    ("tokens", "add"): ("用户管理", "发接口令牌"),
    ("tokens", "revoke"): ("用户管理", "停用接口令牌"),
    ("portals", "add"): ("用户管理", "增加门户"),
    ("portals", "revoke"): ("用户管理", "停用门户"),
    ("review", "release"): ("涉密审核", "放行"),
    ("review", "withhold"): ("涉密审核", "不予入库"),
    ("ingest", ""): ("入库管理", "开始入库"),
    ("jobs", "pause"): ("入库管理", "暂停入库"),
    ("jobs", "resume"): ("入库管理", "继续入库"),
    ("jobs", "stop"): ("入库管理", "停止入库"),
    ("vocabulary", "add"): ("改设置", "改口语对照表"),
    ("vocabulary", "remove"): ("改设置", "停用口语对照表一行"),
    ("backup", ""): ("入库管理", "备份"),
    ("restore", ""): ("入库管理", "从备份恢复"),
}
#: Options that say which of its things a command does, where no word does.
_DOING: Final = {
    "jobs": ("pause", "resume", "stop", "failed"),
    "vocabulary": ("add", "remove"),
    "ingest": ("check", "failed"),
    "restore": ("check",),
}
#: What a command was about, the first that was given.
_ABOUT: Final = ("account", "name", "number", "source", "file")
_TOLD: Final = (
    "by", "reason", "paper", "role", "department", "result", "preset", "note", "name", "person",
    "account", "purpose", "days", "grant", "add", "remove", "category", "force", "retry",
    "with_sources",
)  # fmt: skip


def is_noted(options: argparse.Namespace) -> bool:
    """Whether a command that has worked changed something that the register tells of.

    An ingest is noted when it begins: one that is killed has taken something in, too.
    """
    return _told_to(options) in _NOTED and options.command != "ingest"


def note_ingest(options: argparse.Namespace, settings: Settings) -> None:
    """Register that an ingest begins, unless the page began it and has registered who."""
    from ui.ingest_process import FROM_PAGE

    if FROM_PAGE not in os.environ:
        note_command(options, settings)


def note_command(options: argparse.Namespace, settings: Settings) -> None:
    """Register what was done at the command line; when that fails, it is logged."""
    from assistant.register import Action, RegisterError, register_of

    action, words = _NOTED[_told_to(options)]
    about = ("name",) if options.command == "tokens" else _ABOUT
    named = next((_said(v) for name in about if (v := getattr(options, name, None))), "")
    detail = {name: _said(v) for name in _TOLD if (v := getattr(options, name, None))}
    by = detail.get("by", "")
    try:
        register_of(settings).write(
            _nobody(by or _terminal()), Action(action), detail=detail, approver=by,
            outcome=f"{words}：{named}" if named else words, channel="命令行", address=_terminal(),
        )  # fmt: skip
    except RegisterError as error:
        logger.error("%s was not registered: %s", action, error)


def _told_to(options: argparse.Namespace) -> tuple[str, str]:
    command = options.command
    word = getattr(options, "what" if command == "tokens" else "action", "")
    given = (name for name in _DOING.get(command, ()) if getattr(options, name, None))
    return command, word or next(given, "")


def _said(value: object) -> str:
    if isinstance(value, Path):
        return str(value.expanduser().absolute())
    return "、".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _terminal() -> str:
    """Who sits at the machine: `--name` is only what they say."""
    import getpass

    try:
        return f"本机 {getpass.getuser()}"
    except (OSError, KeyError):
        return "本机"


def _search(options: argparse.Namespace) -> Search:
    from assistant.register import Action, RegisterError, Search
    from ui.register_book import day

    known = [action.value for action in Action]
    only = [word for word in options.only.replace("，", "、").split("、") if word]
    for word in only:
        if word not in known:
            msg = f"没有“{word}”这种事项。可写：{'、'.join(known)}。"
            raise RegisterError(msg)
    return Search(
        day(options.since),
        day(options.until, end=True),
        options.person,
        options.record,
        tuple(only),
        options.outcome,
        options.words,
    )


def _list(options: argparse.Namespace, register: Register, say: Callable[[str], None]) -> bool:
    from ui.register_book import local, records_text
    from ui.terminal import printable

    search = _search(options)
    total = register.count(search)
    if not total:
        say("没有这样的登记。")
        return True
    for entry in reversed(register.entries(search, limit=max(1, options.limit))):
        who = entry.person + (f"（{entry.department}）" if entry.department else "")
        facts = (
            entry.purpose,
            records_text(entry),
            f"“{entry.question}”" if entry.question else "",
            entry.outcome,
            entry.channel,
        )
        line = f"{entry.number}  {local(entry.at)}  {who}  {entry.role}  {entry.action}"
        say(printable("  ".join((line, *filter(None, facts)))))
    shown = min(total, max(1, options.limit))
    say(
        f"共 {total} 条"
        + (f"，这里是最近 {shown} 条；全部请导出或加 --limit。" if shown < total else "。")
    )
    return True


def _verify(options: argparse.Namespace, register: Register, say: Callable[[str], None]) -> bool:
    from assistant.register import RegisterError

    found = register.verify()
    say(("✓ " if found.intact else "✗ ") + found.message)
    if not found.intact:
        say(
            "请保留现场：把馆藏目录里的 register.sqlite3 和 register.head 另存一份，报告审计管理员，再与备份比对。"
        )
        return False
    if options.against:
        number, _, digest = options.against.replace("：", ":").partition(":")
        if not number.isdecimal() or not digest.strip():
            msg = "--against 请写成 号:校验值，照归档的登记簿“说明”一页抄。"
            raise RegisterError(msg)
        kept = register.entry(min(int(number), 2**62))
        if kept is None:
            say(f"✗ 登记簿里没有第 {number} 条，可能已按期清理，也可能整本被换过。")
            return False
        if kept.digest != digest.strip().lower():
            say(f"✗ 第 {number} 条的校验值与归档的不同：登记簿被整段重写过。")
            return False
        say(f"✓ 第 {number} 条的校验值与归档的相同。")
    return True


def _export(options: argparse.Namespace, register: Register, say: Callable[[str], None]) -> bool:
    from assistant.register import Action
    from ui.register_book import register_workbook

    path = _workbook_path(options, "chadang register export 登记簿.xlsx")
    entries = register.entries(_search(options))
    who = options.by.strip() or _terminal()
    content = register_workbook(entries, register.verify(), who, _asked(options))
    register.write(
        _nobody(who), Action.REGISTER, outcome="导出登记簿", channel="命令行", address=_terminal(),
        detail={"rows": len(entries), **dict(_asked(options))},
    )  # fmt: skip
    _save(path, content)
    say(f"已导出 {len(entries)} 条到 {path}。请把“说明”一页的末条登记号和校验值一并归档。")
    return True


def _purge(
    options: argparse.Namespace, settings: Settings, register: Register, say: Callable[[str], None]
) -> bool:
    from assistant.feedback import FeedbackBook
    from assistant.register import Search

    years = settings.decimal("register_years")
    before = dt.datetime.now().astimezone() - dt.timedelta(days=years * 365.25)
    due = register.count(Search(until=before))
    if not due:
        say(f"没有到期的登记（保存 {years:g} 年，即 {before:%Y-%m-%d} 以前的才到期）。")
        return True
    if not options.yes or not options.by.strip():
        say(
            f"{before:%Y-%m-%d} 以前的登记有 {due} 条到期（保存 {years:g} 年）。清理后不能恢复，请先导出归档；"
            "确定清理：chadang register purge --by 决定人 --yes。"
        )
        return False
    removed = register.purge(before, options.by)
    feedback = FeedbackBook(register).purge(before)
    say(f"已清理 {removed} 条登记、{feedback} 条反馈；清理本身已登记。")
    return True


def _feedback(options: argparse.Namespace, register: Register, say: Callable[[str], None]) -> bool:
    from assistant.feedback import FeedbackBook
    from ui.register_book import feedback_workbook, local, said
    from ui.terminal import printable

    book = FeedbackBook(register)
    if options.handled is not None:
        book.handle(options.handled, options.by, options.note)
        say(f"第 {options.handled} 号反馈已标为处理完毕。")
        return True
    if options.file is not None:
        _save(_workbook_path(options, ""), feedback_workbook(book.items()))
        say(f"已导出到 {options.file}。")
        return True
    items = book.items(limit=max(1, options.limit))
    if not items:
        say("还没有反馈。")
    for item in reversed(items):
        done = f"已处理（{item.handled_by}）{item.handled_words}" if item.handled_at else "待处理"
        head = f"第 {item.number} 号  {local(item.at)}  {item.person}  {item.verdict}  {done}"
        body = [f"    问：{item.question}", f"    说明：{item.words}" if item.words else ""]
        body.append("    答：" + " ".join(said(item, "answer").split())[:120])
        say(printable("\n".join([head, *filter(None, body)])))
    return True


def _failed(options: argparse.Namespace, register: Register, say: Callable[[str], None]) -> bool:
    from assistant.failed_searches import failed_searches
    from ui.register_book import day, failed_workbook, local, reasons_text
    from ui.terminal import printable

    found = failed_searches(register, day(options.since), day(options.until, end=True))
    if options.file is not None:
        period = f"{options.since or '开始'} 至 {options.until or '现在'}"
        _save(_workbook_path(options, ""), failed_workbook(found, period))
        say(f"已导出 {len(found)} 个问题到 {options.file}。")
        return True
    for item in found[: max(1, options.limit)]:
        say(
            printable(
                f"{item.count} 次 {item.people} 人  {reasons_text(item)}  "
                f"最近 {local(item.last)}  {item.question}"
            )
        )
    say(f"未检得或未答的共 {len(found)} 个问题。" if found else "这段时间没有未检得的提问。")
    return True


def _asked(options: argparse.Namespace) -> list[tuple[str, str]]:
    named = ("since", "until", "person", "record", "only", "outcome", "words")
    headings = ("起", "止", "利用人", "档号或题名", "事项", "结果", "提问里的字")
    return [
        (h, getattr(options, n))
        for h, n in zip(headings, named, strict=True)
        if getattr(options, n)
    ]


def _nobody(name: str) -> Reader:
    return Reader(Role.ARCHIVIST, name)


def _workbook_path(options: argparse.Namespace, example: str) -> Path:
    path: Path | None = options.file
    if path is None:
        msg = f"请写明存到哪个文件，例如 {example}。"
        raise _WrongError(msg)
    if path.suffix.lower() != ".xlsx":
        msg = f"不能存成“{path.name}”，文件名请以 .xlsx 结尾。"
        raise _WrongError(msg)
    return path.expanduser()


def _save(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        msg = f"写不进 {path}：{error}。请检查路径和权限。"
        raise ArchiveError(msg) from error
