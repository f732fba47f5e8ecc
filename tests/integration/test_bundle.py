"""The offline bundle, made and installed into an empty folder with the network cut."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.wheel]

#: Seconds; making one takes under a minute where the packages are at hand, installing two.
_LIMIT = 1500


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "chadang-offline"
    done = subprocess.run(
        ["sh", str(ROOT / "docs/deploy/bundle.sh"), str(out), sys.executable],
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def _cut(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run without any network: in a namespace of its own where the machine allows it."""
    names = [name for name in os.environ if name.startswith(("PIP_", "CHADANG_", "PYTHON"))]
    kept = {k: v for k, v in os.environ.items() if k not in names}
    # And where it does not: every index pip could ask is nowhere.
    broken = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_CACHE_DIR": "1"}
    unshare = shutil.which("unshare")
    alone = []
    if unshare and subprocess.run([unshare, "-rn", "true"], capture_output=True).returncode == 0:
        alone = [unshare, "-rn"]
    return subprocess.run(
        [*alone, *arguments],
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        env={**kept, **broken, **environment},
        check=False,
    )


def _install(bundle: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    wanted = {"PYTHON": sys.executable, **environment}
    return _cut("sh", str(bundle / "install.sh"), *arguments, **wanted)


def test_it_installs_and_runs_with_the_network_cut(bundle: Path, tmp_path: Path) -> None:
    """This test ensures that install, use, upgrade and rollback need nothing but the folder."""
    target, home = tmp_path / "opt", tmp_path / "srv"
    done = _install(bundle, str(target))
    assert done.returncode == 0, done.stdout + done.stderr
    program = str(target / "venv/bin/chadang")
    first = (target / "venv").readlink()

    assert _cut(program, "--version").stdout.startswith("查档 ")
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "决议.txt").write_text("关于批准2019年预算的决议\n会议决定批准。\n", "utf-8")
    taken = _cut(program, "ingest", str(papers), "--home", str(home))
    assert taken.returncode == 0, taken.stdout + taken.stderr
    doctor = _cut(program, "doctor", "--home", str(home))
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "检索模型可离线载入：built-in" in doctor.stdout
    asked = _cut(program, "ask", "馆藏一共有多少件档案？", "--home", str(home))
    assert "1 件" in asked.stdout, asked.stdout + asked.stderr
    assert (target / "docs/deploy/chadang.service").is_file()

    again = _install(bundle, str(target))
    assert again.returncode == 0, again.stdout + again.stderr
    second = (target / "venv").readlink()
    assert second != first
    assert (target / "venv.before").readlink() == first
    back = _install(bundle, "--rollback", str(target))
    assert back.returncode == 0, back.stderr
    assert (target / "venv").readlink() == first
    assert _cut(program, "--version").returncode == 0


def test_a_changed_or_missing_file_is_not_installed(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy, copy_function=os.link)
    sums = next(copy.glob("wheels/chadang-*.whl"))
    content = sums.read_bytes()
    sums.unlink()
    sums.write_bytes(content[:-1] + b"?")

    done = _install(copy, str(tmp_path / "opt"))

    assert done.returncode == 1
    assert "不全或有改动" in done.stderr
    assert not (tmp_path / "opt").exists()


def test_another_machine_or_python_is_told(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy, copy_function=os.link)
    text = (copy / "FOR").read_text("utf-8")
    for old, new, said in (
        ("machine=", "machine=z80-", "这台机器是"),
        ("python=3.", "python=2.", "安装包要 Python"),
    ):
        (copy / "FOR").unlink()
        (copy / "FOR").write_text(text.replace(old, new), "utf-8")
        done = _install(copy, str(tmp_path / "opt"))
        assert done.returncode == 1
        assert said in done.stderr
    assert not (tmp_path / "opt").exists()
    assert "没有上一个版本" in _install(copy, "--rollback", str(tmp_path / "opt")).stderr
