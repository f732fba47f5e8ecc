"""The `chadang` command. Heavy libraries are imported inside each command, so help is quick."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from index.access import READING_ROLES
from index.domain import Role
from index.errors import ArchiveError
from index.settings import ENVIRONMENT_PREFIX, TABLE, Settings, load_settings
from ui import (
    backup_command,
    bench_command,
    check_command,
    filter_options,
    jobs_command,
    opening_command,
    portals_command,
    register_command,
    report_command,
    review_command,
    tokens_command,
    users_command,
    vocabulary_command,
)
from ui.arguments import ChineseParser

if TYPE_CHECKING:
    from assistant.domain import Turn
    from index.domain import Reader
    from index.store import Store
    from ui.usage import Use, UseLog

OK: Final = 0
FAILED: Final = 1
MISUSED: Final = 2
#: `ingest --check` found rows or files that would not be taken in.
PROBLEMS: Final = 3

_LOGGERS: Final = ("assistant", "index", "ingest", "ui")
#: Set before anything heavy is imported: nothing may ask the network, nothing may chatter.
_ENVIRONMENT: Final = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}
#: Note in the store that it holds the sample, with the sample's fingerprint.
_SAMPLE_NOTE: Final = "sample"
_EPILOGUE: Final = """\
先试用：chadang demo
用自己的档案：chadang ingest 目录，然后 chadang serve
出了问题：chadang doctor
退出码：0 成功；1 出错；2 命令写错"""


class _MisusedError(ArchiveError):
    """The command line makes no sense; the message says how to write it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Command line without the program's name; None for the process's own.

    Returns:
        0 when it worked, 1 when it did not. A command line that makes no sense exits with 2.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    os.environ.update(_ENVIRONMENT)
    # Holdings, index and page pictures were readable for every account of the server. The group
    # keeps what the caller's own mask leaves it, so that a file can still be handed on.
    os.umask(os.umask(0o077) | 0o007)
    options = _parser().parse_args(arguments)
    _set_up_logging(verbose=options.verbose)
    try:
        code = int(options.run(options))
        if code == OK and register_command.is_noted(options):
            register_command.note_command(options, _load(options))
        return code
    except _MisusedError as error:
        _fail(str(error), verbose=False)
        return MISUSED
    except ArchiveError as error:
        return _fail(str(error), verbose=options.verbose)
    except KeyboardInterrupt:
        return _fail("已中断。再次运行同一命令会从断点接着做。", verbose=False)
    except BrokenPipeError:
        # The reader of our output went away (`chadang ask … | head`); nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # noqa: BLE001 - the edge of the program
        said = f"程序内部出错：{type(error).__name__}：{error}。"
        return _fail(said + "加上 --verbose 再运行一次可看到详情。", verbose=options.verbose)


def _fail(message: str, *, verbose: bool) -> int:
    if verbose:
        traceback.print_exc()
    print(f"错误：{message}", file=sys.stderr)
    return FAILED


def _set_up_logging(*, verbose: bool) -> None:
    if not verbose:
        # Meant for developers; the tests turn them into errors.
        warnings.simplefilter("ignore")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO if verbose else logging.WARNING)
        logger.propagate = False


# -- the command line -------------------------------------------------------------------------


def _parser() -> ChineseParser:
    parser = ChineseParser(
        prog="chadang",
        description="查档：人大档案问答，每一句都是可核对的原文引用。",
        epilog=_EPILOGUE,
    )
    parser.options.add_argument(
        "--version", action="version", version=_version(), help="显示版本并退出"
    )
    commands = parser.add_subparsers(
        title="命令", metavar="命令", dest="command", required=True, parser_class=ChineseParser
    )

    def command(
        name: str, run: Callable[[argparse.Namespace], int], summary: str, details: str = ""
    ) -> ChineseParser:
        described = f"{summary}。\n{details}".rstrip()
        added: ChineseParser = commands.add_parser(name, help=summary, description=described)
        added.set_defaults(run=run)
        options = added.options
        options.add_argument(
            "--home",
            type=Path,
            metavar="目录",
            help=f"存放馆藏的目录（默认取环境变量 {ENVIRONMENT_PREFIX}HOME，没有则为 ./data）",
        )
        options.add_argument(
            "--set",
            action="append",
            default=[],
            type=_assignment,
            metavar="名称=值",
            help="改一项设置，可写多次；全部设置见 chadang settings",
        )
        options.add_argument("--verbose", action="store_true", help="显示运行日志和出错详情")
        return added

    demo = command("demo", _demo, "用自带样本试用：入库、建索引、打开网页服务")
    _add_address(demo)

    ingest = command(
        "ingest",
        _ingest,
        "把一个目录里的档案目录表和文件入库，并建好索引",
        "可以反复运行：没变的文件不再处理，中断后接着做。\n"
        "--check 只预览：认出的表头、问题清单、总数，什么也不写。"
        "退出码 0 全部可入库，3 有不会入库的条目或文件，1 出错。\n"
        "目录里一个可入库的文件都没有，入库也以 3 结束。",
    )
    ingest.positionals.add_argument(
        "source", nargs="?", type=Path, metavar="目录", help="要入库的目录；重试时可以不写"
    )
    ingest.options.add_argument("--force", action="store_true", help="没变的文件也重新处理")
    ingest.options.add_argument(
        "--retry", action="store_true", help="重试失败和部分不可读的文件；不写目录则全部重试"
    )
    ingest.options.add_argument(
        "--failed", action="store_true", help="只列出失败的文件和原因，不入库"
    )
    ingest.options.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="文件",
        help="与 --retry 合用：只重试这个文件（写 --failed 列出的名字）；可写多次",
    )
    ingest.options.add_argument(
        "--confirm-removal",
        action="store_true",
        help="目录里的档案大半不见了也照样从库中移除（不加时只提示，不移除）",
    )
    ingest.options.add_argument("--no-index", action="store_true", help="只入库，暂不建索引")
    check_command.add_options(ingest)

    ask = command("ask", _ask, "在命令行提问", "几个问题算同一次对话，后面的可以追问前面的。")
    ask.positionals.add_argument("questions", nargs="*", metavar="问题", help="一个或几个问题")
    ask.options.add_argument("-i", "--interactive", action="store_true", help="连续对话，空行结束")
    ask.options.add_argument(
        "--export",
        type=Path,
        metavar="文件",
        help="把最后一个答复列出的目录条目另存为 .csv 或 .xlsx",
    )
    ask.options.add_argument("--json", action="store_true", help="每个答复输出一行 JSON")
    ask.options.add_argument(
        "--no-llm", action="store_true", help="这一次不用语言模型，只用原文摘录"
    )
    ask.options.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="理解",
        help="不要这样理解，写答复里列出的那一项，如 词:电动车；可写多次",
    )
    ask.options.add_argument(
        "--precedents",
        action="store_true",
        help="查先例：把问题当作主题，按时间列出提过的事项和办理经过",
    )
    ask.options.add_argument(
        "--purpose",
        default="",
        metavar="目的",
        help="利用目的，记入利用登记：工作查考、编史修志、学术研究、落实政策、其他：写明",
    )
    filter_options.add_options(ask)
    _add_reader(ask)

    serve = command("serve", _serve, "打开网页服务")
    _add_address(serve)

    evaluate = command("eval", _evaluate, "用一套题评测问答或检索")
    evaluate.positionals.add_argument(
        "folder", nargs="?", type=Path, metavar="题集", help="题目文件，或放题目的目录"
    )
    evaluate.options.add_argument(
        "--questions", type=Path, metavar="文件", help="题目文件（JSONL）"
    )
    evaluate.options.add_argument(
        "--sample", action="store_true", help="用自带样本和自带题目（样本没入库就先入库）"
    )
    evaluate.options.add_argument("--json", type=Path, metavar="文件", help="把结果另存为 JSON")
    evaluate.options.add_argument("--limit", type=_at_least_one, metavar="N", help="只做前 N 题")
    evaluate.options.add_argument(
        "--retrieval-only", action="store_true", help="只评检索，不用馆藏，用 --passages 的段落"
    )
    evaluate.options.add_argument(
        "--passages", type=Path, metavar="文件", help="段落文件（默认是题目旁的 passages.jsonl）"
    )
    evaluate.options.add_argument(
        "--swapped",
        action="store_true",
        help="可答的题各换掉地方、年份、届次、编号或姓名再问一遍，看是否拒答",
    )
    evaluate.options.add_argument(
        "--hidden",
        action="store_true",
        help="可答的题各藏起能答的那件再问一遍，看会不会拿相近的一件来顶",
    )
    _add_reader(evaluate)

    vocabulary_command.add_options(
        command("vocabulary", _vocabulary, vocabulary_command.SUMMARY, vocabulary_command.DETAILS)
    )

    bench_command.add_options(
        command("bench", _bench, bench_command.SUMMARY, bench_command.DETAILS)
    )
    jobs_command.add_options(command("jobs", _jobs, jobs_command.SUMMARY, jobs_command.DETAILS))
    review_command.add_options(
        command("review", _review, review_command.SUMMARY, review_command.DETAILS)
    )

    portals_command.add_options(
        command("portals", _portals, portals_command.SUMMARY, portals_command.DETAILS)
    )

    opening_command.add_options(
        command("opening", _opening, opening_command.SUMMARY, opening_command.DETAILS)
    )

    backup_command.add_options(
        command("backup", _backup, backup_command.SUMMARY, backup_command.DETAILS)
    )
    backup_command.add_restore_options(
        command("restore", _restore, backup_command.RESTORE_SUMMARY, backup_command.RESTORE_DETAILS)
    )
    report_command.add_options(
        command("report", _report, report_command.SUMMARY, report_command.DETAILS)
    )
    register_command.add_options(
        command("register", _register, register_command.SUMMARY, register_command.DETAILS)
    )

    users_command.add_options(
        command("users", _users, users_command.SUMMARY, users_command.DETAILS)
    )

    tokens_command.add_options(
        command("tokens", _tokens, tokens_command.SUMMARY, tokens_command.DETAILS)
    )

    command(
        "doctor",
        _doctor,
        "检查安装、馆藏、索引和模型是否完好",
        "每项一行：✓ 正常，✗ 有问题并给出下一步，· 是提示（没有读全的文件、等待审核的）。有 ✗ 时退出码为 1。",
    )
    command("settings", _settings, "列出全部设置、当前值和来源")
    return parser


def _add_address(parser: ChineseParser) -> None:
    parser.options.add_argument("--host", metavar="地址", help="监听地址（设置 host）")
    parser.options.add_argument("--port", type=int, metavar="端口", help="端口（设置 port）")


def _add_reader(parser: ChineseParser) -> None:
    roles = [role.value for role in Role if role in READING_ROLES]
    parser.options.add_argument(
        "--role",
        choices=roles,
        default=Role.ARCHIVIST.value,
        metavar="身份",
        help=f"以什么身份提问：{'、'.join(roles)}（默认 {Role.ARCHIVIST.value}）",
    )
    parser.options.add_argument("--name", metavar="姓名", help="提问人姓名（默认取设置 user）")
    parser.options.add_argument(
        "--department", metavar="部门", help="提问人所在部门（默认取设置 department）"
    )


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        msg = f"“{text}”应写成 名称=值，例如 port=8080"
        raise argparse.ArgumentTypeError(msg)
    return name.strip(), value


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        msg = f"“{text}”应是 1 或更大的整数"
        raise argparse.ArgumentTypeError(msg)
    return number


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"查档 {version('chadang')}"
    except PackageNotFoundError:
        return "查档（未安装，直接从源码运行）"


def _load(options: argparse.Namespace) -> Settings:
    flags: dict[str, object] = dict(options.set)
    if getattr(options, "no_llm", False):
        flags["llm_base_url"] = ""
    for name in ("host", "port"):
        if getattr(options, name, None) is not None:
            flags[name] = getattr(options, name)
    return load_settings(options.home, flags)


def _reader(options: argparse.Namespace, settings: Settings) -> Reader:
    from index.domain import Reader

    return Reader(
        role=Role(options.role),
        name=settings.text("user") if options.name is None else options.name,
        department=(
            settings.text("department") if options.department is None else options.department
        ),
    )


# -- commands ---------------------------------------------------------------------------------


def _ingest(options: argparse.Namespace) -> int:
    from index.store import Store

    settings = _load(options)
    if options.failed:
        known = Store(settings.database_path)
        jobs_command.say_failed(known, _say)
        known.close()
        return OK
    if options.source is None and not options.retry:
        msg = "请给出要入库的目录：chadang ingest 目录；重试失败的文件：chadang ingest --retry。"
        raise _MisusedError(msg)
    if options.source is not None and not options.source.expanduser().exists():
        msg = f"{options.source} 不存在。请给出存放档案目录表和文件的目录。"
        raise ArchiveError(msg)
    if options.file and not options.retry:
        msg = "--file 要与 --retry 合用，例如 chadang ingest --retry --file 文件。"
        raise _MisusedError(msg)
    if wrong := check_command.misuse(options):
        raise _MisusedError(wrong)
    if options.check:
        if options.source is None:
            msg = "请给出要预览的目录：chadang ingest --check 目录。"
            raise _MisusedError(msg)
        source = options.source.expanduser()
        return PROBLEMS if check_command.run(options, source, settings, _say) else OK
    store = Store(settings.database_path, create=options.source is not None)
    only = _only(options, store)
    sources = _sources(options, store, only)
    if not sources:
        print("没有失败的文件，不用重试。")
    else:
        register_command.note_ingest(options, settings)
    found = True
    for source in sources:
        found &= _take_in(
            source, store, settings, force=options.force, retry=options.retry, only=only,
            confirm_removal=options.confirm_removal,
        )  # fmt: skip
    if options.no_index:
        if store.purge_due:
            print("有不得入库的档案已从库中清除；旧索引里还留有它的字词，建好新索引才会一并清掉。")
        print("按要求没有建索引；提问之前请再运行一次 chadang ingest（不带 --no-index）。")
    else:
        _build(store, settings)
    if not found:
        print("没有找到可以入库的文件。请核对路径；先看一眼：chadang ingest --check 目录")
        return PROBLEMS
    if options.no_index:
        return OK
    print('可以提问了：chadang serve，或 chadang ask "问题"')
    return OK


def _only(options: argparse.Namespace, store: Store) -> frozenset[str]:
    """Absolute paths of the dead letters named by `--file`."""
    from ingest.jobs import dead_letters

    wanted: set[str] = set()
    dead = dead_letters(store) if options.file else []
    for name in options.file:
        found = {job.place for job in dead if name in (job.path, job.place)}
        if not found:
            msg = f"{name} 不在失败的文件之列。失败的文件见 chadang ingest --failed。"
            raise ArchiveError(msg)
        wanted |= found
    return frozenset(wanted)


def _sources(options: argparse.Namespace, store: Store, only: Collection[str]) -> list[Path]:
    """The folder given, or those with files to be read again."""
    if options.source is not None:
        return [options.source.expanduser()]
    from ingest.jobs import dead_letters

    dead = dead_letters(store)
    return sorted({Path(job.source) for job in dead if not only or job.place in only})


def _take_in(
    source: Path,
    store: Store,
    settings: Settings,
    *,
    force: bool = False,
    retry: bool = False,
    only: Collection[str] = (),
    confirm_removal: bool = False,
) -> bool:
    """Take a folder in; False when nothing was found in it."""
    from ingest.pipeline import ingest
    from ingest.progress import ProgressDisplay
    from ingest.report import summary_text
    from ui.terminal import printable

    with ProgressDisplay() as display:
        report = ingest(
            source, store, settings, progress=display.update, force=force, retry=retry, only=only,
            confirm_removal=confirm_removal,
        )  # fmt: skip
    print(printable(summary_text(report)), flush=True)
    _say_next(store, settings)
    return bool(
        report.catalogue_rows or report.records_added or report.records_updated or report.unchanged
    )


def _say_next(store: Store, settings: Settings) -> None:
    """Where the report lies, and the commands for what is left to do."""
    from index.held import WITHHELD, HeldItems
    from ingest.jobs import dead_letters
    from ingest.run_files import filed_reports

    filed = filed_reports(settings.home)
    if filed:
        print(f"报告（可打印、可归档）：{filed[0].html}\n报告（表格）：{filed[0].xlsx}")
    if dead := len(dead_letters(store)):
        print(f"有 {dead} 个文件没有读全：chadang ingest --failed 看原因，--retry 重试。")
    undecided = HeldItems(store).items(undecided=True)
    marked = sum(item.grade == WITHHELD for item in undecided)
    if marked:
        print(f"有 {marked} 件标有国家秘密标志，不予入库，请移出：chadang review list")
    if held := len(undecided) - marked:
        print(f"有 {held} 件等待审核，审核之前不入库：chadang review list")
    sys.stdout.flush()


def _build(store: Store, settings: Settings) -> None:
    from index.passage_index import build_index
    from ui.terminal import ProgressLine

    line = ProgressLine("建索引", "条段落和句子")
    try:
        report = build_index(store, settings, progress=line)
    finally:
        line.close()
    if report.rebuilt:
        print(
            f"索引已建好：{report.passages} 段；新算向量 {report.encoded} 个（段落和其中的句子），"
            f"用时 {report.seconds:.1f} 秒。"
        )
    else:
        print(f"索引已是最新：{report.passages} 段。")


def _ask(options: argparse.Namespace) -> int:
    settings = _load(options)
    questions = [question for question in options.questions if question.strip()]
    if not questions and not options.interactive:
        msg = '请给出问题，例如：chadang ask "2023 年预算收入是多少？"；连续对话用 chadang ask -i。'
        raise _MisusedError(msg)
    kind = "" if options.export is None else _export_kind(options.export)
    from assistant.assistant import open_assistant
    from assistant.domain import Answer, Turn

    filters = filter_options.filters_of(options)
    reader = _reader(options, settings)
    use = register_command.use_of(reader, options.purpose)
    assistant = open_assistant(settings)
    uses = register_command.uses_of(settings, assistant.store)
    conversation: list[Turn] = []

    def answer(question: str) -> None:
        uses.asked(use, question)
        result = assistant.ask(
            question,
            conversation,
            reader,
            options.without,
            precedents=options.precedents,
            filters=filters,
        )
        uses.answered(use, result, options.without)
        conversation.append(Turn(question, result))
        from ui.terminal import composed_text, printable, result_json, result_text

        if options.json:
            if isinstance(result, Answer):
                composed = assistant.compose(result, reader)
                if composed.prose is not None:
                    uses.answered(use, composed)
                    result = composed
            print(json.dumps(result_json(result), ensure_ascii=False), flush=True)
            return
        if len(questions) > 1:
            print(f"问：{printable(question)}\n")
        print(result_text(result) + "\n", flush=True)
        if isinstance(result, Answer):
            composed = assistant.compose(result, reader)
            if composed.prose is not None:
                uses.answered(use, composed)
                print(composed_text(composed) + "\n", flush=True)

    for question in questions:
        answer(question)
    while options.interactive:
        try:
            question = input("问：" if sys.stdin.isatty() else "").strip()
        except EOFError:
            break
        if not question:
            break
        try:
            answer(question)
        except ArchiveError as error:
            print(f"错误：{error}", file=sys.stderr)
    if kind and conversation:
        _export(conversation[-1], assistant.store, use, uses, options.export, kind)
    return OK


def _export_kind(path: Path) -> str:
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("csv", "xlsx"):
        msg = f"不能导出成“{path.name}”。文件名请以 .csv 或 .xlsx 结尾，例如 --export 清单.xlsx。"
        raise _MisusedError(msg)
    return kind


def _export(turn: Turn, store: Store, use: Use, uses: UseLog, path: Path, kind: str) -> None:
    import datetime as dt

    from assistant.catalogue_export import NothingToExportError, exported_records
    from assistant.domain import Answer
    from ui.export import export_answer

    if not isinstance(turn.result, Answer):
        msg = "这一问没有查到，没有可导出的目录条目。"
        raise NothingToExportError(msg)
    now = dt.datetime.now().astimezone()
    content = export_answer(turn.result, store, use.reader, kind, now)
    leaving = exported_records(turn.result, store, use.reader)
    uses.exported(use, leaving, kind, question=turn.question)
    try:
        path.expanduser().write_bytes(content)
    except OSError as error:
        msg = f"写不进 {path}：{error}。请检查路径和权限。"
        raise ArchiveError(msg) from error
    # Not on the standard output: --json writes there for programs.
    print(f"已导出 {len(turn.result.listings)} 条目录到 {path}", file=sys.stderr)


def _serve(options: argparse.Namespace) -> int:
    settings = _load(options)
    from index.store import Store

    # Opened here first, so that an empty home is told before the slow imports.
    Store(settings.database_path).close()
    return _serve_pages(settings)


def _serve_pages(settings: Settings, examples: Sequence[str] = ()) -> int:
    """Serve until Ctrl+C, which is how it is meant to end."""
    from ui.server import serve

    try:
        if examples:
            serve(settings, say=_say, examples=examples)
        else:
            serve(settings, say=_say)
    except KeyboardInterrupt:
        pass
    _say("已停止。")
    return OK


def _say(line: str) -> None:
    print(line, flush=True)


def _demo(options: argparse.Namespace) -> int:
    settings = _load(options)
    _prepare_sample(settings)
    return _serve_pages(settings, _sample_examples())


def _prepare_sample(settings: Settings) -> None:
    """Take the shipped sample into home and build its index, unless both are there already."""
    from index.store import Store
    from ingest.sample import holdings_dir

    shipped = holdings_dir()
    fingerprint = _fingerprint(shipped)
    store = Store(settings.database_path, create=True)
    try:
        noted = store.meta(_SAMPLE_NOTE)
        if noted is None and store.counts()["records"]:
            msg = (
                f"{settings.home} 里已有您自己的馆藏，样本不会混进去。打开它请运行 chadang serve；"
                "要看样本请另给一个目录：chadang demo --home 目录。"
            )
            raise ArchiveError(msg)
        # A copy, so that page images still open after the program has moved or been upgraded.
        copy = settings.home / "sample"
        if noted != fingerprint:
            import shutil

            # Noted before the work with a mark that says "begun": an interrupted first start
            # goes on, and is not taken for the user's own holdings.
            store.set_meta(_SAMPLE_NOTE, "begun")
            print("正在把自带样本入库（只做一次）……", flush=True)
            shutil.copytree(shipped, copy, dirs_exist_ok=True)
            _take_in(copy, store, settings)
            _build(store, settings)
            store.set_meta(_SAMPLE_NOTE, fingerprint)
        else:
            _build(store, settings)
    finally:
        store.close()


def _fingerprint(folder: Path) -> str:
    import hashlib

    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _sample_examples() -> tuple[str, ...]:
    """A few answerable questions of the sample, one of each of the commonest kinds."""
    from ingest.sample import questions_file

    chosen: dict[str, str] = {}
    try:
        with questions_file().open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row.get("gold") and not row.get("history"):
                    chosen.setdefault(str(row.get("kind", "")), str(row["question"]))
    except (OSError, ValueError, KeyError):
        return ()
    wanted = ("fact", "number", "list", "lookup", "when", "who")
    return tuple(chosen[kind] for kind in wanted if kind in chosen)[:4]


def _evaluate(options: argparse.Namespace) -> int:
    settings = _load(options)
    if options.sample:
        _prepare_sample(settings)
    questions = _question_file(options)
    if options.retrieval_only:
        text, body = _evaluate_retrieval(questions, options, settings)
    else:
        text, body = _evaluate_answers(questions, options, settings)
    from ui.terminal import printable

    print(printable(text))
    if options.json is not None:
        try:
            options.json.write_text(
                json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
            )
        except OSError as error:
            msg = f"结果写不进 {options.json}：{error}。请检查路径和权限。"
            raise ArchiveError(msg) from error
        print(f"结果已写入 {options.json}")
    return OK


def _evaluate_answers(
    questions: Path, options: argparse.Namespace, settings: Settings
) -> tuple[str, dict[str, object]]:
    from assistant.assistant import open_assistant
    from assistant.evaluation import Case, evaluate
    from assistant.gazetteer import Gazetteer
    from assistant.swaps import hidden, swapped
    from ui.terminal import ProgressLine

    assistant = open_assistant(settings)
    assistant.get_ready()
    line = ProgressLine("评测", "题")

    def change(cases: Sequence[Case]) -> Sequence[Case]:
        if options.hidden:
            return hidden(cases)
        return swapped(cases, Gazetteer(assistant.store.records()))

    try:
        report = evaluate(
            assistant,
            questions,
            _reader(options, settings),
            limit=options.limit,
            change=change if options.swapped or options.hidden else None,
            progress=line,
        )
    finally:
        line.close()
    return report.to_text(), report.to_json()


def _evaluate_retrieval(
    questions: Path, options: argparse.Namespace, settings: Settings
) -> tuple[str, dict[str, object]]:
    from assistant.retrieval_evaluation import evaluate_retrieval
    from ui.terminal import ProgressLine

    passages = options.passages or questions.parent / "passages.jsonl"
    lines: dict[str, ProgressLine] = {}

    def progress(stage: str, done: int, total: int) -> None:
        if stage not in lines:
            lines[stage] = ProgressLine(stage, "段" if stage == "编码" else "题")
        lines[stage](done, total)

    try:
        report = evaluate_retrieval(
            questions, passages, settings, limit=options.limit, progress=progress
        )
    finally:
        for line in lines.values():
            line.close()
    return report.to_text(), report.to_json()


def _question_file(options: argparse.Namespace) -> Path:
    """The question file named by option, position, or `--sample`."""
    given = [path for path in (options.questions, options.folder) if path is not None]
    if len(given) + options.sample != 1:
        msg = "请给出一份题目：chadang eval --questions 文件，或 chadang eval --sample。"
        raise _MisusedError(msg)
    if options.sample:
        from ingest.sample import questions_file

        return questions_file()
    path: Path = given[0].expanduser()
    if not path.is_dir():
        return path
    names = ("queries.jsonl", "questions.jsonl")
    for name in names if options.retrieval_only else reversed(names):
        if (path / name).is_file():
            return path / name
    msg = f"{path} 里没有 {' 或 '.join(names)}。请用 --questions 指明题目文件。"
    raise ArchiveError(msg)


def _doctor(options: argparse.Namespace) -> int:
    from ui.doctor import examine

    settings = _load(options)
    healthy = True
    for finding in examine(settings):
        print(finding.line, flush=True)
        healthy = healthy and finding.good
    print("一切正常。" if healthy else "有 ✗ 的项目请按提示处理。")
    return OK if healthy else FAILED


def _vocabulary(options: argparse.Namespace) -> int:
    return OK if vocabulary_command.run(options, _load(options), _say) else FAILED


def _bench(options: argparse.Namespace) -> int:
    bench_command.run(options, _load(options), _say)
    return OK


def _jobs(options: argparse.Namespace) -> int:
    return OK if jobs_command.run(options, _load(options), _say) else FAILED


def _review(options: argparse.Namespace) -> int:
    return OK if review_command.run(options, _load(options), _say) else FAILED


def _users(options: argparse.Namespace) -> int:
    return OK if users_command.run(options, _load(options), _say) else FAILED


def _register(options: argparse.Namespace) -> int:
    return OK if register_command.run(options, _load(options), _say) else FAILED


def _portals(options: argparse.Namespace) -> int:
    return OK if portals_command.run(options, _load(options), _say) else FAILED


def _opening(options: argparse.Namespace) -> int:
    return OK if opening_command.run(options, _load(options), _say) else FAILED


def _backup(options: argparse.Namespace) -> int:
    return OK if backup_command.run(options, _load(options), _version(), _say) else FAILED


def _restore(options: argparse.Namespace) -> int:
    home = options.home
    if home is None and not options.check:
        msg = "请写明恢复到哪里，例如：chadang restore 备份.tar.zst --home 新目录。"
        raise _MisusedError(msg)
    done = backup_command.run_restore(
        options,
        lambda folder: load_settings(folder, dict(options.set)),
        home or Path(),
        _say,
    )
    return OK if done else FAILED


def _report(options: argparse.Namespace) -> int:
    return OK if report_command.run(options, _load(options), _say) else FAILED


def _tokens(options: argparse.Namespace) -> int:
    return OK if tokens_command.run(options, _load(options), _say) else FAILED


def _settings(options: argparse.Namespace) -> int:
    from ui.settings_view import bounds, shown_value
    from ui.terminal import printable, table

    settings = _load(options)
    print(f"馆藏目录：{settings.home}\n")
    rows = [("名称", "当前值", "来源", "说明")]
    for setting in TABLE:
        value, allowed = shown_value(setting, settings), bounds(setting)
        said = setting.help + (f"（{allowed}）" if allowed else "")
        rows.append((setting.name, value or "（空）", settings.sources[setting.name], said))
    print(printable(table(rows)))
    print(
        "\n写法：命令行 --set 名称=值；环境变量 CHADANG_名称（大写）；馆藏目录里的 chadang.toml。"
    )
    return OK


if __name__ == "__main__":
    sys.exit(main())
