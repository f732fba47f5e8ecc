"""The command line as a person meets it: Chinese help, one-line errors, exit codes."""

from __future__ import annotations

import ast
import importlib
import io
import json
import os
import pkgutil
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import assistant
import index
import ingest
import ui
from assistant.domain import Answer, Refusal, RefusalReason, cite
from index.domain import Coverage, Page, Record
from index.errors import ArchiveError
from index.settings import TABLE
from tests.fakes import HashEncoder
from tests.language_model import Endpoint, endpoint, fails, says
from ui import cli
from ui.arguments import in_chinese
from ui.terminal import ProgressLine, printable, result_json, result_text, table

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    "demo", "ingest", "ask", "serve", "eval", "vocabulary", "bench", "jobs", "review", "portals",
    "opening", "backup", "restore", "report", "register", "users", "tokens", "doctor", "settings",
)  # fmt: skip
#: Words that stay as they are in Chinese help.
LATIN_WORDS = re.compile(
    r"chadang|ocr_engine|register_years|register\.\w+|openvino|OpenVINO|onnxruntime|auto|CHADANG\w*|DIR|JSONL?|passages\.jsonl|vocabulary\.csv|CSV|Excel|data|home|host|port|user|department|N|docs/widget\.md|"
    r"--[a-z-]+|-[a-z]\b|\.csv|\.xlsx|\.html"
)
HAN = re.compile(r"[\u4e00-\u9fff]")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder of two small text records."""
    folder = tmp_path / "档案"
    folder.mkdir()
    (folder / "关于预算调整的决议.txt").write_text(
        "示例市人民代表大会常务委员会关于批准2023年市级预算调整方案的决议\n"
        "会议决定，批准2023年市级预算调整方案，一般公共预算支出调整为128.6亿元。\n",
        encoding="utf-8",
    )
    (folder / "关于老旧小区改造的建议.txt").write_text(
        "关于加快老旧小区加装电梯的建议\n建议人：李明。希望市住房和城乡建设局简化审批手续。\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def light_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in this process use an encoder without a model."""
    for name in (
        "index.encoder", "index.passage_index", "assistant.assistant",
        "assistant.retrieval_evaluation",
    ):  # fmt: skip
        module = importlib.import_module(name)
        monkeypatch.setattr(module, "open_encoder", lambda settings: HashEncoder(), raising=False)


# -- help -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_chinese_and_quick(command: str) -> None:
    began = time.perf_counter()
    done = run(*filter(None, [command]), "--help")
    seconds = time.perf_counter() - began

    assert done.returncode == 0
    assert done.stdout.startswith("用法：chadang")
    described = re.sub(r"\{.*?\}|\[.*?\]", "", done.stdout)
    words = set(re.findall(r"[A-Za-z][a-z]{3,}", LATIN_WORDS.sub("", described)))
    # what `chadang review`, `portals`, `opening` and `register` are told to do
    typed = {"list", "release", "withhold", "revoke", "undo", "presets"}
    typed |= {"verify", "export", "purge", "feedback", "failed"}
    typed |= {"role", "reset", "disable", "enable", "unlock", "sign"}  # `users`
    typed |= {"load"}  # and `bench`
    assert words <= set(COMMANDS) | {"reader"} | typed, words
    assert "选项" in done.stdout
    # The target is 0.5 s on an idle machine; the bound only catches a heavy import.
    assert seconds < 5


def test_help_imports_nothing_heavy() -> None:
    heavy = ("numpy", "torch", "faiss", "gradio", "sqlite3", "sentence_transformers", "fastapi")
    program = (
        "import sys\nfrom ui import cli\n"
        "try:\n    cli.main(['ask', '--help'])\nexcept SystemExit:\n    pass\n"
        f"print([n for n in {heavy!r} if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_version_is_told() -> None:
    assert re.fullmatch(r"查档 \d+\.\d+\.\d+\n", run("--version").stdout)


def test_every_command_has_help_and_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    listed = re.findall(r"(?m)^    ([a-z]+) ", capsys.readouterr().out)

    assert tuple(listed) == COMMANDS


# -- misuse -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "缺少参数：命令"),
        (["fly"], "的值 'fly' 不可用"),
        (["ask", "--role", "皇帝", "问"], "--role 的值 '皇帝' 不可用"),
        (["serve", "--port", "八千"], "--port 的值 '八千' 类型不对"),
        (["ask", "--set", "port", "问"], "应写成 名称=值"),
        (["ask", "--nothing", "问"], "不认识的参数：--nothing"),
        (["ask", "--home"], "--home 后面要跟一个值"),
        (["eval", "--limit", "0", "x"], "应是 1 或更大的整数"),
    ],
)
def test_a_wrong_command_line_is_answered_in_one_chinese_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    error = capsys.readouterr().err

    assert stopped.value.code == 2
    assert said in error
    assert error.count("\n") == 1
    assert "--help" in error


@pytest.mark.parametrize(
    "arguments", [["ask"], ["ingest"], ["ask", " "], ["eval"], ["eval", "a", "--sample"]]
)
def test_a_command_without_its_subject_exits_with_2(
    arguments: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--sample" in arguments:
        arguments = ["eval", "a", "--questions", "b"]

    assert cli.main([*arguments, "--home", str(home)]) == 2
    assert "请给出" in capsys.readouterr().err


def test_unknown_argparse_messages_are_introduced_in_chinese() -> None:
    assert in_chinese("something new") == "参数有误：something new"


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["ask", "问"], ["serve"]])
def test_an_empty_home_says_how_to_fill_it(
    arguments: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*arguments, "--home", str(home)]) == 1
    error = capsys.readouterr().err

    assert error.startswith("错误：")
    assert "chadang ingest 目录" in error
    assert "Traceback" not in error
    assert not home.exists()


def test_an_unknown_setting_is_one_line_that_lists_the_known(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["settings", "--home", str(home), "--set", "prot=1"]) == 1

    assert "没有名为 prot 的设置" in capsys.readouterr().err


def test_verbose_adds_the_traceback(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ask", "问", "--home", str(home), "--verbose"]) == 1

    assert "Traceback" in capsys.readouterr().err


def test_a_missing_folder_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ingest", "没有这个目录", "--home", str(home)]) == 1

    assert "没有这个目录 不存在" in capsys.readouterr().err
    assert not home.exists()


def test_a_damaged_database_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.mkdir()
    (home / "chadang.sqlite3").write_bytes(b"not a database" * 100)

    assert cli.main(["ask", "问", "--home", str(home)]) == 1
    assert "读写" in capsys.readouterr().err


def all_error_classes() -> list[type[ArchiveError]]:
    for package in (index, ingest, assistant, ui):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.startswith(("ingest.sample.", "ui.__main__")):
                importlib.import_module(module.name)
    found: list[type[ArchiveError]] = []
    waiting = [ArchiveError]
    while waiting:
        error = waiting.pop()
        found.append(error)
        waiting += error.__subclasses__()
    return found


def test_every_error_of_ours_is_in_one_tree_and_documented() -> None:
    errors = all_error_classes()
    defined = {
        f"{name.__module__}.{name.__qualname__}"
        for name in Exception.__subclasses__()
        if name.__module__.partition(".")[0] in ("index", "ingest", "assistant", "ui")
    }

    assert defined <= {"index.errors.ArchiveError"}
    assert [e.__name__ for e in errors if not (e.__doc__ or "").strip()] == []
    assert len({e.__name__ for e in errors}) == len(errors)


def test_every_message_raised_on_purpose_is_chinese() -> None:
    names = {error.__name__ for error in all_error_classes()}
    silent = []
    for package in ("index", "ingest", "assistant", "ui"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.is_relative_to(ROOT / "ingest/sample"):
                continue
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef):
                    silent += [
                        f"{path.name}:{line}" for line in _messages_without_han(function, names)
                    ]

    assert silent == []


def _messages_without_han(function: ast.FunctionDef, errors: set[str]) -> list[int]:
    assigned: dict[str, str] = {}
    lines = []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned[node.targets[0].id] = assigned.get(node.targets[0].id, "") + ast.unparse(node)
    for node in ast.walk(function):
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
            continue
        if ast.unparse(node.exc.func) not in errors or not node.exc.args:
            continue
        message = node.exc.args[0]
        text = ast.unparse(message)
        if isinstance(message, ast.Name):
            text = assigned.get(message.id, "由别处给出")
        elif isinstance(message, (ast.Call, ast.Attribute)):
            continue  # made elsewhere, and tested there
        if not HAN.search(text):
            lines.append(node.lineno)
    return lines


# -- commands ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("light_model")
def test_ingest_then_ask_then_ask_again_as_json(
    texts: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ingest", str(texts), "--home", str(home)]) == 0
    said = capsys.readouterr().out
    assert "新增 2 件" in said
    assert "索引已建好：" in said

    assert cli.main(["ingest", str(texts), "--home", str(home)]) == 0
    assert "索引已是最新" in capsys.readouterr().out

    question = "2023年市级预算调整后一般公共预算支出是多少？"
    assert cli.main(["ask", question, "--home", str(home)]) == 0
    assert "检索范围：" in capsys.readouterr().out

    assert cli.main(["ask", question, "红烧肉怎么做", "--json", "--home", str(home)]) == 0
    lines = capsys.readouterr().out.splitlines()
    results = [json.loads(line) for line in lines]
    assert [result["question"] for result in results] == [question, "红烧肉怎么做"]
    for result in results:
        for citation in result.get("citations", []):
            assert citation["end"] - citation["start"] == len(citation["quote"])


@pytest.mark.usefixtures("light_model")
def test_a_list_is_exported_by_command(
    texts: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["ingest", str(texts), "--home", str(home)])
    target = home / "清单.csv"

    assert (
        cli.main(["ask", "馆藏一共有多少件？", "--export", str(target), "--home", str(home)]) == 0
    )
    assert "已导出 2 条目录" in capsys.readouterr().err
    assert target.read_text(encoding="utf-8-sig").count("\n") >= 3

    assert cli.main(["ask", "红烧肉怎么做", "--export", str(target), "--home", str(home)]) == 1
    assert "没有可导出的目录条目" in capsys.readouterr().err

    assert cli.main(["ask", "多少件", "--export", "清单.doc", "--home", str(home)]) == 2
    assert ".xlsx" in capsys.readouterr().err


def test_a_reading_is_shown_with_what_takes_it_off(
    texts: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["ingest", str(texts), "--home", str(home)])
    capsys.readouterr()

    assert cli.main(["ask", "电动车怎么管？", "--home", str(home)]) == 0
    said = capsys.readouterr().out
    assert "我按“电动车”为“电动自行车”理解。" in said
    assert "--without 词:电动车" in said

    wanted = ["ask", "电动车怎么管？", "--without", "词:电动车", "--json", "--home", str(home)]
    assert cli.main(wanted) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["readings"] == []
    assert result["reading"] == ""


# -- the vocabulary ---------------------------------------------------------------------------


def test_the_vocabulary_is_listed_and_searched(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["vocabulary", "红绿灯", "--home", str(home)]) == 0
    said = capsys.readouterr().out
    assert "交通信号灯" in said
    assert "自带" in said
    assert "共 1 行" in said

    assert cli.main(["vocabulary", "外星人", "--home", str(home)]) == 0
    assert "--add 外星人" in capsys.readouterr().out
    assert not home.exists()


def test_the_vocabulary_is_changed_from_the_command_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--category", "地名", "--home", str(home)]
    assert cli.main(["vocabulary", "--add", "大洼", "太平湖", *place]) == 0
    assert "不用重建索引" in capsys.readouterr().out
    assert cli.main(["vocabulary", "大洼", "--home", str(home)]) == 0
    assert "本馆" in capsys.readouterr().out

    assert cli.main(["vocabulary", "--remove", "大洼", "--home", str(home)]) == 0
    assert "已停用" in capsys.readouterr().out
    assert cli.main(["vocabulary", "--remove", "大洼", "--home", str(home)]) == 1
    assert "没有改动" in capsys.readouterr().out
    assert cli.main(["vocabulary", "--add", "车", "车辆", "--home", str(home)]) == 1
    assert "只有一个字" in capsys.readouterr().err


def test_a_vocabulary_file_is_exported_and_checked(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "表.csv"
    assert cli.main(["vocabulary", "--export", str(file), "--home", str(home)]) == 0
    assert cli.main(["vocabulary", "--check", str(file), "--home", str(home)]) == 0
    assert "有问题 0 行" in capsys.readouterr().out

    file.write_text("口语,正式用语\n红绿灯,交通信号灯\n,无\n", encoding="gb18030")
    assert cli.main(["vocabulary", "--check", str(file), "--home", str(home)]) == 1
    assert "第 3 行：“口语”空着" in capsys.readouterr().out
    assert cli.main(["vocabulary", "--check", str(tmp_path / "无.csv")]) == 1
    assert "读不出来" in capsys.readouterr().err


def test_bad_rows_of_the_own_file_are_named_in_the_list(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    (home / "vocabulary.csv").write_text("口语,正式用语\n车,车辆\n大洼,太平湖\n", "utf-8")

    assert cli.main(["vocabulary", "大洼", "--home", str(home)]) == 0
    said = capsys.readouterr().out
    assert "太平湖" in said
    assert "第 2 行：“车”只有一个字" in said


@pytest.mark.usefixtures("light_model")
def test_a_deputy_on_the_command_line_sees_open_records_only(
    texts: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["ingest", str(texts), "--home", str(home)])
    capsys.readouterr()
    question = ["ask", "预算支出调整为多少亿元？", "--json", "--home", str(home)]

    cli.main([*question, "--role", "代表", "--name", "李明"])
    refused = json.loads(capsys.readouterr().out)

    assert refused["refused"]
    assert refused["coverage"]["records"] == 0
    assert "128.6" not in json.dumps(refused, ensure_ascii=False)


@pytest.mark.usefixtures("light_model")
def test_a_conversation_is_read_from_a_pipe(
    texts: Path, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.main(["ingest", str(texts), "--home", str(home)])
    capsys.readouterr()
    monkeypatch.setattr(
        sys, "stdin", io.StringIO("预算支出是多少？\n谁提的电梯建议？\n\n不会问到\n")
    )

    assert cli.main(["ask", "-i", "--json", "--home", str(home)]) == 0
    asked = [json.loads(line)["question"] for line in capsys.readouterr().out.splitlines()]
    assert asked == ["预算支出是多少？", "谁提的电梯建议？"]


@pytest.mark.usefixtures("light_model")
def test_eval_prints_a_table_and_writes_json(
    texts: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["ingest", str(texts), "--home", str(home)])
    cases = [
        {"id": "q1", "question": "预算支出调整为多少？", "kind": "number",
         "gold": ["关于预算调整的决议.txt"], "must": ["128.6亿元"]},
        {"id": "q2", "question": "红烧肉怎么做？", "kind": "unanswerable", "gold": []},
    ]  # fmt: skip
    folder = tmp_path / "题集"
    folder.mkdir()
    (folder / "questions.jsonl").write_text(
        "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), encoding="utf-8"
    )
    out = tmp_path / "result.json"
    capsys.readouterr()

    assert cli.main(["eval", str(folder), "--json", str(out), "--home", str(home)]) == 0
    assert "record_hit@1" in capsys.readouterr().out
    written = json.loads(out.read_text(encoding="utf-8"))
    assert [row["id"] for row in written["questions"]] == ["q1", "q2"]
    assert {"meta", "overall", "by_kind"} <= set(written)

    assert cli.main(["eval", str(folder), "--limit", "1", "--home", str(home)]) == 0
    assert "问题 1 个" in capsys.readouterr().out


@pytest.mark.usefixtures("light_model")
def test_retrieval_is_measured_on_a_folder_of_passages(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pool"
    folder.mkdir()
    passages = [{"id": str(i), "text": text} for i, text in enumerate(["预算调整方案", "电梯建议"])]
    queries = [{"id": "1", "question": "预算怎么调整", "gold": ["0"]}]
    for name, rows in (("passages", passages), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
        )

    arguments = ["eval", "--retrieval-only", str(folder), "--home", str(home)]
    assert cli.main(arguments) == 0
    assert re.search(r"hit@1\s+1\.000", capsys.readouterr().out)


def test_eval_names_the_files_it_looked_for(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["eval", str(tmp_path), "--home", str(home)]) == 1

    assert "questions.jsonl" in capsys.readouterr().err


@pytest.mark.usefixtures("light_model")
def test_demo_takes_the_sample_in_once_and_serves(
    texts: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[Path] = []
    monkeypatch.setattr("ingest.sample.holdings_dir", lambda: texts)
    monkeypatch.setattr("ui.server.serve", lambda settings, **_: served.append(settings.home))

    assert cli.main(["demo", "--home", str(home)]) == 0
    assert "正在把自带样本入库" in capsys.readouterr().out
    assert (home / "sample" / "关于预算调整的决议.txt").is_file()

    assert cli.main(["demo", "--home", str(home)]) == 0
    again = capsys.readouterr().out
    assert "入库" not in again
    assert served == [home, home]


@pytest.mark.usefixtures("light_model")
def test_demo_never_mixes_the_sample_into_real_holdings(
    texts: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["ingest", str(texts), "--home", str(home)])
    monkeypatch.setattr("ui.server.serve", lambda *_, **__: pytest.fail("must not serve"))

    assert cli.main(["demo", "--home", str(home)]) == 1
    assert "样本不会混进去" in capsys.readouterr().err


@pytest.mark.usefixtures("light_model")
def test_an_interrupted_first_demo_goes_on(
    texts: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ingest.sample.holdings_dir", lambda: texts)
    monkeypatch.setattr("ui.server.serve", lambda *_, **__: None)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("index.passage_index.build_index", interrupted)
        assert cli.main(["demo", "--home", str(home)]) == 1
    assert "已中断" in capsys.readouterr().err

    assert cli.main(["demo", "--home", str(home)]) == 0


@pytest.mark.usefixtures("light_model")
def test_doctor_passes_a_good_home_and_names_what_is_wrong(
    texts: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "--home", str(home)]) == 1
    assert "✗ 馆藏目录" in capsys.readouterr().out

    cli.main(["ingest", str(texts), "--home", str(home)])
    capsys.readouterr()
    assert cli.main(["doctor", "--home", str(home)]) == 0
    healthy = capsys.readouterr().out
    assert "✗" not in healthy
    assert "一切正常" in healthy

    cli.main(["ingest", str(texts), "--home", str(home), "--no-index", "--force"])
    (texts / "关于预算调整的决议.txt").unlink()
    for dense in (home / "index").glob("gen-*/dense.faiss"):
        dense.write_bytes(b"damaged")
    capsys.readouterr()
    assert cli.main(["doctor", "--home", str(home)]) == 1
    ill = capsys.readouterr().out
    assert "原文件找不到" in ill
    assert "关于预算调整的决议.txt" in ill
    assert "✗ 索引" in ill


@pytest.fixture
def quoting_endpoint() -> Iterator[Endpoint]:
    """A language model that repeats a fact of the first quotation."""
    with endpoint(says("批准2023年市级预算调整方案{0}。")) as server:
        yield server


def set_endpoint(server: Endpoint, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("CHADANG_LLM_BASE_URL", server.url)
    patch.setenv("CHADANG_LLM_MODEL", "剧本")
    patch.setenv("CHADANG_LLM_API_KEY", "hush-hush")


@pytest.mark.usefixtures("light_model")
def test_joining_text_follows_the_answer_unless_switched_off(
    texts: Path,
    home: Path,
    quoting_endpoint: Endpoint,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cli.main(["ingest", str(texts), "--home", str(home)])
    set_endpoint(quoting_endpoint, monkeypatch)
    question = "批准的2023年预算调整方案，一般公共预算支出是多少？"
    capsys.readouterr()

    assert cli.main(["ask", question, "--home", str(home)]) == 0
    shown = capsys.readouterr().out
    assert shown.index("128.6亿元") < shown.index("AI 生成，请核对档案原件")
    assert "批准2023年市级预算调整方案。①" in shown

    assert cli.main(["ask", question, "--json", "--home", str(home)]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["prose"]["text"] == "批准2023年市级预算调整方案。①"
    assert body["prose"]["label"] == "AI 生成，请核对档案原件"

    asked = len(quoting_endpoint.requests)
    assert cli.main(["ask", question, "--no-llm", "--home", str(home)]) == 0
    assert "AI 生成" not in capsys.readouterr().out
    assert len(quoting_endpoint.requests) == asked == 2


@pytest.mark.usefixtures("light_model")
def test_doctor_tries_the_language_model(
    texts: Path,
    home: Path,
    quoting_endpoint: Endpoint,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cli.main(["ingest", str(texts), "--home", str(home)])
    capsys.readouterr()
    assert cli.main(["doctor", "--home", str(home)]) == 0
    assert "✓ 语言模型：没有设置" in capsys.readouterr().out

    set_endpoint(quoting_endpoint, monkeypatch)
    assert cli.main(["doctor", "--home", str(home)]) == 0
    assert "✓ 语言模型 剧本 可用" in capsys.readouterr().out

    with endpoint(fails(401, b"no: hush-hush")) as refusing:
        set_endpoint(refusing, monkeypatch)
        assert cli.main(["doctor", "--home", str(home)]) == 1
    captured = capsys.readouterr()
    assert (
        "✗ 语言模型 剧本 不能用。语言模型拒绝了请求（HTTP 401）。请核对 llm_base_url"
        in captured.out
    )
    assert "hush-hush" not in captured.out + captured.err

    monkeypatch.setenv("CHADANG_LLM_BASE_URL", "10.0.0.8:8000")
    assert cli.main(["doctor", "--home", str(home)]) == 1
    assert "✗ 语言模型的设置不能用" in capsys.readouterr().out


def test_settings_lists_value_source_and_help_of_each(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["settings", "--home", str(home), "--set", "port=8080"]) == 0
    lines = capsys.readouterr().out.splitlines()

    for setting in TABLE:
        assert any(line.startswith(setting.name + " ") and setting.help in line for line in lines)
    assert any(re.match(r"port +8080 +命令行", line) for line in lines)


def test_a_secret_is_never_listed(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = [setting for setting in TABLE if setting.secret]
    assert [setting.name for setting in secrets] == ["llm_api_key"]
    for setting in secrets:
        monkeypatch.setenv(f"CHADANG_{setting.name.upper()}", "hush-hush")

    assert cli.main(["settings", "--home", str(home)]) == 0
    assert "hush-hush" not in capsys.readouterr().out


# -- text for the terminal --------------------------------------------------------------------


def answer_with(raw: str) -> Answer:
    record = Record("0012-1-35-2", "题名", reference_code="0012-1-35-2")
    citation = cite(1, record, Page(record.record_id, 1, raw), 1, 0, len(raw), "p1")
    return Answer("问", "问", "", "", (citation,), (), Coverage(3, 9, 2))


def test_an_answer_shows_quotation_reference_and_coverage() -> None:
    text = result_text(answer_with("会议决定，批准该方案。"))

    assert "① 「会议决定，批准该方案。」" in text
    assert "档号 0012-1-35-2，第 1 部分（文本 1/1）" in text
    assert "检索范围：3 件、9 页；另有 2 页无法识别" in text


def test_control_characters_of_a_record_do_not_reach_the_terminal() -> None:
    text = result_text(answer_with("正文\x1b[2J\x07\x9b31m\u202e反\r覆盖"))

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "␛[2J" in text


def test_json_keeps_the_quotation_byte_for_byte() -> None:
    raw = "正文\x1b[2J\r\n第二行  "

    assert result_json(answer_with(raw))["citations"][0]["quote"] == raw


def test_a_refusal_shows_the_sentence_and_what_to_try() -> None:
    refusal = Refusal(
        "问", "问", "", RefusalReason.NOT_FOUND, "未检索到相关记录。", Coverage(3, 9, 0)
    )
    text = result_text(refusal)

    assert text.startswith("未检索到相关记录。")
    assert "换一个说法" in text
    assert result_json(refusal)["reason"] == "未检索到"


def test_columns_line_up_with_chinese_in_them() -> None:
    lines = table([("名称", "值"), ("a", "b")]).splitlines()

    assert lines == ["名称  值", "a     b"]


def test_progress_in_a_file_is_a_line_per_tenth() -> None:
    out = io.StringIO()
    line = ProgressLine("建索引", "段", out)
    for done in range(101):
        line(done, 100)

    assert len(out.getvalue().splitlines()) == 11
    assert out.getvalue().splitlines()[-1] == "建索引 100/100 段"


def test_nothing_to_do_shows_no_progress() -> None:
    out = io.StringIO()
    ProgressLine("建索引", "段", out)(0, 0)

    assert out.getvalue() == ""


def test_printable_keeps_lines_and_tabs() -> None:
    assert printable("甲\t乙\n丙") == "甲\t乙\n丙"


# -- documentation ----------------------------------------------------------------------------


def readme() -> str:
    path = ROOT / "README.md"
    if not path.is_file():
        pytest.skip("README.md is not written yet")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_names_every_command(command: str) -> None:
    assert f"chadang {command}" in readme()


@pytest.mark.parametrize("name", [setting.name for setting in TABLE])
def test_the_readme_names_every_setting(name: str) -> None:
    assert f"`{name}`" in readme()
