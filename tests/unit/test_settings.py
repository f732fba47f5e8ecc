from __future__ import annotations

from pathlib import Path

import pytest

from index.errors import SettingsError
from index.settings import SETTINGS_FILE, TABLE, Setting, Settings, load_settings


def load(home: Path, flags: dict[str, object] | None = None, **environment: str) -> Settings:
    return load_settings(home, flags, environment)


def test_defaults_hold_when_nothing_is_said(tmp_path: Path) -> None:
    settings = load(tmp_path)

    assert dict(settings.values) == {setting.name: setting.default for setting in TABLE}
    assert set(settings.sources.values()) == {"默认"}


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("port = 1001\nthreads = 3\ncandidates = 50\n", "utf-8")
    settings = load(tmp_path, {"port": 1003}, CHADANG_PORT="1002", CHADANG_THREADS="4")

    assert [settings.number(n) for n in ("port", "threads", "candidates")] == [1003, 4, 50]
    assert settings.sources["port"] == "命令行"
    assert settings.sources["threads"] == "环境变量"
    assert SETTINGS_FILE in settings.sources["candidates"]
    assert settings.sources["host"] == "默认"


def test_a_flag_of_none_says_nothing(tmp_path: Path) -> None:
    settings = load(tmp_path, {"port": None}, CHADANG_PORT="1002")

    assert settings.number("port") == 1002


@pytest.mark.parametrize("source", ["file", "environment", "flag"])
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(tmp_path: Path, source: str) -> None:
    flags: dict[str, object] = {}
    environment = {}
    if source == "file":
        (tmp_path / SETTINGS_FILE).write_text("prot = 1\n", "utf-8")
    elif source == "environment":
        environment["CHADANG_PROT"] = "1"
    else:
        flags["prot"] = "1"

    with pytest.raises(SettingsError, match=r"没有名为 prot 的设置.*port"):
        load(tmp_path, flags, **environment)


@pytest.mark.parametrize("value", ["0", "65536", "-1"])
def test_a_number_out_of_range_names_value_and_range(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"port 的值 {value}.*1–65535"):
        load(tmp_path, {"port": value})


@pytest.mark.parametrize("value", ["八千", "80.5", "", True])
def test_a_number_that_is_none_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(SettingsError, match="port 的值.*类型不对"):
        load(tmp_path, {"port": value})


def test_a_choice_outside_the_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="precision.*float16.*auto、float32、bfloat16"):
        load(tmp_path, {"precision": "float16"})


def test_a_table_in_the_file_is_not_taken_for_text(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("[archive_name]\nx = 1\n", "utf-8")

    with pytest.raises(SettingsError, match="archive_name.*类型不对"):
        load(tmp_path)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("port = = 1\n", "utf-8")

    with pytest.raises(SettingsError, match=r"chadang\.toml 读不懂"):
        load(tmp_path)


def test_a_file_saved_by_windows_notepad_is_read(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text('archive_name = "示例市人大"\n', "utf-8-sig")

    assert load(tmp_path).text("archive_name") == "示例市人大"


def test_home_comes_from_the_flag_then_the_environment_then_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert load_settings(tmp_path / "a", None, {"CHADANG_HOME": "b"}).home == tmp_path / "a"
    assert load_settings(None, None, {"CHADANG_HOME": "b"}).home == tmp_path / "b"
    assert load_settings(None, None, {"CHADANG_HOME": ""}).home == tmp_path / "data"
    assert load_settings(None, None, {}).home == tmp_path / "data"


def test_threads_of_zero_mean_all_cores(tmp_path: Path) -> None:
    assert load(tmp_path).threads >= 1
    assert load(tmp_path, {"threads": 5}).threads == 5


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_every_default_obeys_its_own_bounds(setting: Setting, tmp_path: Path) -> None:
    settings = load(tmp_path, {setting.name: setting.default})

    assert settings.values[setting.name] == setting.default
    assert setting.help
    assert not setting.help.endswith("。")


def test_names_are_unique() -> None:
    assert len({setting.name for setting in TABLE}) == len(TABLE)


def test_a_secret_is_not_repeated_in_an_error(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text('llm_api_key = ["geheim"]\n', "utf-8")

    with pytest.raises(SettingsError, match="llm_api_key.*类型不对") as caught:
        load(tmp_path)
    assert "geheim" not in str(caught.value)


def test_seconds_may_have_decimals(tmp_path: Path) -> None:
    assert load(tmp_path, {"llm_timeout_s": "2.5"}).decimal("llm_timeout_s") == 2.5
    with pytest.raises(SettingsError, match="llm_timeout_s"):
        load(tmp_path, {"llm_timeout_s": "0"})
