"""`chadang opening`: enter the results of opening reviews (开放审核), list them, take them back."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from index.settings import Settings

if TYPE_CHECKING:
    from index.opening_decisions import Batch, OpeningDecisions, Preview, Selection
    from index.store import Store
    from ui.arguments import ChineseParser

SUMMARY: Final = "登记开放审核结果：成批登记、列出、撤销"
DETAILS: Final = (
    "登记谁、哪天、为什么把哪些档案定为开放、控制或延期开放；立即生效，不用重新入库，也不用重建索引。\n"
    "先不写 --yes 看一遍会登记哪些，再加 --yes 登记。只增不改，登记错了用 undo 撤销。\n"
    "重新入库目录不会冲掉登记；目录后来改得与登记相反的，按严的一方，并在 list 里列出。"
)
_SHOWN: Final = 30


def add_options(parser: ChineseParser) -> None:
    """Put the command's options on its parser."""
    parser.positionals.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=("list", "set", "undo", "presets"),
        metavar="做什么",
        help="list 列出（默认），set 登记，undo 撤销，presets 列出成批登记的类别",
    )
    parser.positionals.add_argument(
        "number", nargs="?", type=int, metavar="号", help="登记号：list 时看是哪些件，undo 时必写"
    )
    options = parser.options
    options.add_argument("--preset", default="", metavar="类别", help="依法公布的一类，见 presets")
    options.add_argument("--type", default="", metavar="文种", help="文种，照目录写法")
    options.add_argument("--from", dest="first_year", default="", metavar="年", help="起始年度")
    options.add_argument("--to", dest="last_year", default="", metavar="年", help="终止年度")
    options.add_argument("--title", default="", metavar="词", help="题名里有这个词")
    options.add_argument(
        "--state", default="", metavar="状态", help="现在的状态：未开放、未审核、开放"
    )
    options.add_argument(
        "--codes", type=Path, metavar="文件", help="档号清单，一行一个（UTF-8 文本）"
    )
    options.add_argument(
        "--code", action="append", default=[], metavar="档号", help="一个档号，可写多次"
    )
    options.add_argument("--result", default="", metavar="结果", help="开放、控制、延期开放、撤销")
    options.add_argument("--reason", default="", metavar="理由", help="不写或写错时列出可选的理由")
    options.add_argument("--note", default="", metavar="说明", help="补充说明、批准文号")
    options.add_argument("--by", default="", metavar="姓名", help="由谁审核决定")
    options.add_argument("--on", default="", metavar="日期", help="审核日期，默认今天")
    options.add_argument("--yes", action="store_true", help="确认登记；不写只预览")


def run(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> bool:
    """Do what the options ask.

    Returns:
        True; what cannot be done is an error.

    Raises:
        OpeningError: If something is missing or no record fits; the message says what to write.
        IndexNotFoundError: If nothing was ever taken in.
    """
    from index.opening_decisions import PRESETS, OpeningDecisions, OpeningError
    from index.store import Store

    if options.action == "presets":
        for preset in PRESETS:
            say(f"{preset.name}  {preset.law}")
        say("用法：chadang opening set --preset 法规 --state 未开放 --result 开放 …")
        return True
    store = Store(settings.database_path)
    try:
        decisions = OpeningDecisions(store)
        now = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        user = settings.text("user")
        if options.action == "list":
            _list(decisions, options.number, say)
        elif options.action == "set":
            _set(decisions, options, settings, store, now, say)
        elif options.number is None:
            msg = "请写明撤销第几号，例如：chadang opening undo 3 --by 姓名 --note 原因。"
            raise OpeningError(msg)
        else:
            number = options.number
            batch = _registered(
                settings, store, "撤销登记", f"第 {number} 号：{options.note}", options.by,
                lambda: decisions.undo(
                    number, decided_by=options.by, note=options.note, entered_by=user, now=now
                ),
            )  # fmt: skip
            say(f"已撤销：{_told(batch)}")
        return True
    finally:
        store.close()


def _set(
    decisions: OpeningDecisions,
    options: argparse.Namespace,
    settings: Settings,
    store: Store,
    now: str,
    say: Callable[[str], None],
) -> None:
    from index.opening import REASONS, Result
    from index.opening_decisions import Grounds, OpeningError

    if options.result not in set(Result):
        msg = f"请用 --result 写明结果：{'、'.join(Result)}。"
        raise OpeningError(msg)
    result = Result(options.result)
    if options.reason not in REASONS[result]:
        msg = f"请用 --reason 写明理由，“{result.value}”可选：{'、'.join(REASONS[result])}。"
        raise OpeningError(msg)
    selection = _selection(options)
    preview = decisions.preview(selection)
    if not options.yes:
        _show(preview, selection, result.value, say)
        return
    grounds = Grounds(result, options.reason, options.by, options.on or now[:10], options.note)
    batch = _registered(
        settings, store, result.value, f"{selection.words}；{options.reason}", options.by,
        lambda: decisions.decide(
            selection, grounds, entered_by=settings.text("user"), now=now, stamp=preview.stamp
        ),
    )  # fmt: skip
    say(f"已登记，立即生效：{_told(batch)}")


def _registered(
    settings: Settings,
    store: Store,
    outcome: str,
    detail: str,
    approver: str,
    decide: Callable[[], Batch],
) -> Batch:
    """Decide with its entry in the use register; without that entry nothing is decided."""
    from assistant.register import Action
    from index.domain import Reader, Role
    from index.errors import ArchiveError
    from ui.register_command import use_of, uses_of

    uses = uses_of(settings, store)
    use = use_of(Reader(Role.ARCHIVIST, settings.text("user")), "")
    uses.did(use, Action.OPENING, outcome, detail, must=True, approver=approver)
    try:
        batch = decide()
    except ArchiveError as error:
        uses.did(use, Action.OPENING, f"{outcome}：未成", str(error), approver=approver)
        raise
    said = f"第 {batch.number} 号，{batch.count} 件"
    uses.did(use, Action.OPENING, outcome, said, approver=approver)
    return batch


def _selection(options: argparse.Namespace) -> Selection:
    from index.opening_decisions import OpeningError, selection_of

    codes = list(options.code)
    if options.codes is not None:
        try:
            codes += options.codes.expanduser().read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{options.codes} 读不出来：{error}。请存成 UTF-8 文本，一行一个档号。"
            raise OpeningError(msg) from error
        if not any(code.strip() for code in codes):
            msg = f"{options.codes} 里没有档号，没有登记。"
            raise OpeningError(msg)
    return selection_of(
        {
            "preset": options.preset,
            "doc_type": options.type,
            "first_year": options.first_year,
            "last_year": options.last_year,
            "title": options.title,
            "state": options.state,
            "codes": codes,
        }
    )


def _show(preview: Preview, selection: Selection, result: str, say: Callable[[str], None]) -> None:
    from ui.terminal import printable, table

    rows = [("档号", "题名", "现在", "目录", "注意")]
    for candidate in preview.candidates[:_SHOWN]:
        record = candidate.record
        state = "开放" if candidate.open else record.opening.strip() or "未审核"
        notes = "；".join(candidate.warnings)
        rows.append((record.record_id, record.title, state, candidate.catalogue, notes))
    say(printable(table(rows)))
    if len(preview.candidates) > _SHOWN:
        say(f"这里列前 {_SHOWN} 件。")
    warned = sum(1 for candidate in preview.candidates if candidate.warnings)
    say(
        f"条件：{printable(selection.words)}。共 {len(preview.candidates)} 件，其中要注意的 {warned} 件。"
    )
    for code in preview.unknown[:_SHOWN]:
        say(f"✗ 馆藏里没有 {printable(code)}")
    say(f"这是预览，没有登记。核对后加上 --by 姓名 --yes，定为“{result}”。")


def _list(decisions: OpeningDecisions, number: int | None, say: Callable[[str], None]) -> None:
    from index.opening_decisions import OpeningError
    from ui.terminal import printable

    batches = decisions.batches()
    if number is not None:
        batch = next((b for b in batches if b.number == number), None)
        if batch is None:
            msg = f"没有第 {number} 号登记。全部见 chadang opening list。"
            raise OpeningError(msg)
        say(_told(batch))
        for record_id, result, in_force in decisions.records_of(number):
            say(printable(f"    {record_id}  {result}{'' if in_force else '（后来另有登记）'}"))
        return
    if not batches:
        say("还没有登记过开放审核结果。登记：chadang opening set --help 看写法。")
    for batch in batches:
        say(_told(batch))
    conflicts = decisions.conflicts()
    for found in conflicts[:_SHOWN]:
        say(
            printable(
                f"✗ {found.record.record_id} 第 {found.batch} 号登记为“{found.result}”，"
                f"但{found.why}；现按严的一方，请重新审核登记。"
            )
        )
    if len(conflicts) > _SHOWN:
        say(f"与目录不一致的共 {len(conflicts)} 件，这里列前 {_SHOWN} 件。")


def _told(batch: Batch) -> str:
    from ui.terminal import printable

    note = f"，{batch.note}" if batch.note else ""
    force = "" if batch.in_force == batch.count else f"，现仍生效 {batch.in_force} 件"
    entered = (
        f"（{batch.entered_by} 登记）" if batch.entered_by not in ("", batch.decided_by) else ""
    )
    return printable(
        f"第 {batch.number} 号  {batch.decided} {batch.decided_by} 定为{batch.result}，"
        f"{batch.count} 件{force}：{batch.selection}；理由：{batch.reason}{note}{entered}"
    )
