"""The language model's adapter against an endpoint that misbehaves in every known way."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.composing import Fault, LanguageModelError
from assistant.llm import REST_S, LanguageModel, public_addresses
from index.errors import SettingsError
from index.settings import load_settings
from tests.fakes import FakeClock
from tests.language_model import (
    DONE,
    Act,
    Endpoint,
    Stage,
    endpoint,
    event,
    fails,
    is_silent,
    says,
    sends,
)

Open = Callable[..., LanguageModel]


@pytest.fixture
def open_model(tmp_path: Path) -> Iterator[Open]:
    opened: list[LanguageModel] = []

    def make(
        server: Endpoint, clock: Callable[[], float] = time.monotonic, **values: object
    ) -> LanguageModel:
        opened.append(LanguageModel(server.settings(tmp_path, **values), clock, lambda _s: None))
        return opened[-1]

    yield make
    for model in opened:
        model.close()


def fault_of(model: LanguageModel) -> Fault:
    with pytest.raises(LanguageModelError) as caught:
        model.write("系统", "用户")
    return caught.value.fault


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_streamed_reply_is_put_together(open_model: Open, size: int) -> None:
    """This test ensures that a reply cut anywhere comes back whole."""
    with endpoint(says("每户限养一只[[甲乙]]。\n完。", size)) as server:
        reply = open_model(server, llm_api_key="钥匙".encode().hex()).write("系统", "用户")

        assert reply == "每户限养一只[[甲乙]]。\n完。"
        (request,) = server.requests
        assert request.path == "/v1/chat/completions"
        assert request.headers["Authorization"] == "Bearer " + "钥匙".encode().hex()
        assert request.headers["Accept-Encoding"] == "identity"
        assert request.body["model"] == "剧本"
        assert request.body["stream"] is True


def plain_json(stage: Stage) -> None:
    """A server that does not stream."""
    message = {"role": "assistant", "content": "每户\n限养一只。"}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {}}
    stage.head(kind="application/json")
    stage.send(json.dumps(body, ensure_ascii=False, indent=1).encode())


GOOD = {
    "not streamed": plain_json,
    "CRLF": sends(event("每户\n限养一只。").replace(b"\n\n", b"\r\n\r\n"), event(finish="stop")),
    "no last blank line": sends(event("每户\n限养一只。"), event(finish="stop").strip()),
    "bytes one at a time": sends(
        *(bytes([b]) for b in event("每户\n限养一只。") + event(finish="stop") + DONE)
    ),
    "usage at the end": sends(
        event("每户\n限养一只。", "stop"), b'data: {"choices": [], "usage": {"x": 1}}\n\n', DONE
    ),
    "thoughts beside": sends(event("", reasoning_content="想"), event("每户\n限养一只。"), DONE),
}


@pytest.mark.parametrize("act", GOOD.values(), ids=GOOD)
def test_every_known_way_of_answering_well_is_understood(open_model: Open, act: Act) -> None:
    with endpoint(act) as server:
        assert open_model(server).write("系统", "用户") == "每户\n限养一只。"


def endless(stage: Stage) -> None:
    stage.head()
    for _ in range(100_000):
        stage.send(event("长" * 500))


def endless_line(stage: Stage) -> None:
    stage.head()
    for _ in range(10_000):
        stage.send(b"data: " + b"x" * 65536)


def drips(stage: Stage) -> None:
    stage.head()
    for _ in range(200):
        stage.send(b": \n")
        time.sleep(0.05)


BAD = {
    "unknown address": (fails(404), Fault.REFUSED),
    "wrong key": (fails(401), Fault.REFUSED),
    "redirect": (fails(302, Location="http://192.0.2.1/steal"), Fault.REDIRECTED),
    "redirect that keeps the body": (
        fails(307, Location="http://192.0.2.1/steal"),
        Fault.REDIRECTED,
    ),
    "no content": (fails(204, b""), Fault.REFUSED),
    "not JSON": (sends(b"data: {half\n\n"), Fault.GARBLED),
    "a web page": (sends(b"<html>welcome</html>"), Fault.GARBLED),
    "empty": (sends(), Fault.GARBLED),
    "JSON of another kind": (sends(b'data: [1, "x"]\n\n'), Fault.GARBLED),
    "choices of another kind": (sends(b'data: {"choices": [7]}\n\n'), Fault.GARBLED),
    "delta of another kind": (sends(b'data: {"choices": [{"delta": 7}]}\n\n'), Fault.GARBLED),
    "content of another kind": (sends(event(content=[{"text": "x"}])), Fault.GARBLED),
    "nested too deep": (sends(b"data: " + b"[" * 100_000 + b"\n\n"), Fault.GARBLED),
    "error in the stream": (sends(b'data: {"error": {"message": "oom"}}\n\n'), Fault.GARBLED),
    "bad UTF-8": (sends(event("好"), b'data: {"choices": "\xff\xfe"}\n\n'), Fault.GARBLED),
    "half a character at the end": (
        sends(event("好", "stop").replace(b"\n\n", b"") + b"\xe5"),
        Fault.GARBLED,
    ),
    "a tool call": (
        sends(event(tool_calls=[{"function": {"name": "rm", "arguments": "{}"}}]), DONE),
        Fault.GARBLED,
    ),
    "filtered": (sends(event("好"), event(finish="content_filter"), DONE), Fault.GARBLED),
    "half a stream": (sends(event("每户限养"), event("一只")), Fault.CUT_OFF),
    "half an event": (sends(event("每户"), event("限养")[:-20]), Fault.GARBLED),
    "endless": (endless, Fault.TOO_LONG),
    "an endless line": (endless_line, Fault.TOO_LONG),
    "compressed": (
        lambda stage: stage.head(Content_Encoding="gzip"),
        Fault.GARBLED,
    ),
}


@pytest.mark.parametrize(("act", "fault"), BAD.values(), ids=BAD)
def test_every_known_way_of_answering_badly_is_one_error(
    open_model: Open, act: Act, fault: Fault
) -> None:
    """This test ensures that what cannot be trusted is nothing, and is not asked for again."""
    with endpoint(act) as server:
        assert fault_of(open_model(server)) is fault
        assert len(server.requests) == 1


def test_silence_is_given_up(open_model: Open) -> None:
    with endpoint(is_silent(1.5)) as server:
        began = time.monotonic()

        assert fault_of(open_model(server, llm_silence_s=0.3)) is Fault.SILENT
        assert time.monotonic() - began < 1.4


def test_a_drip_does_not_outlast_the_time_limit(open_model: Open) -> None:
    with endpoint(drips) as server:
        began = time.monotonic()

        assert fault_of(open_model(server, llm_timeout_s=0.4)) is Fault.SLOW
        assert time.monotonic() - began < 2


def test_nobody_listening_is_unreachable(open_model: Open) -> None:
    with endpoint(fails(500)) as server:
        pass

    assert fault_of(open_model(server)) is Fault.UNREACHABLE


def test_a_server_error_is_tried_again(open_model: Open) -> None:
    with endpoint(fails(500), fails(503), says("好了。")) as server:
        assert open_model(server).write("系统", "用户") == "好了。"
        assert len(server.requests) == 3


def test_server_errors_without_end_are_given_up(open_model: Open) -> None:
    with endpoint(fails(502)) as server:
        assert fault_of(open_model(server)) is Fault.BROKEN
        assert len(server.requests) == 3


def test_a_broken_stream_is_not_tried_again(open_model: Open) -> None:
    """This test ensures that after text has arrived nothing is asked twice."""

    def breaks_off(stage: Stage) -> None:
        stage.head(Content_Length="5000")
        stage.send(event("每户限养"))

    with endpoint(breaks_off, says("好了。")) as server:
        assert fault_of(open_model(server)) is Fault.CUT_OFF
        assert len(server.requests) == 1


def test_a_short_retry_after_is_waited_for(open_model: Open) -> None:
    with endpoint(fails(429, Retry_After="1"), says("好了。")) as server:
        assert open_model(server).write("系统", "用户") == "好了。"


def test_a_long_retry_after_is_a_rest(open_model: Open) -> None:
    clock = FakeClock()
    with endpoint(fails(429, Retry_After="120"), says("好了。")) as server:
        model = open_model(server, clock.monotonic)

        assert fault_of(model) is Fault.BROKEN
        clock.advance(119)
        assert fault_of(model) is Fault.RESTING
        assert len(server.requests) == 1
        clock.advance(2)
        assert model.write("系统", "用户") == "好了。"


def test_the_breaker_opens_and_recovers(open_model: Open) -> None:
    """This test ensures that a dead endpoint costs no time, and is found again when it is back."""
    clock = FakeClock()
    with endpoint(*[fails(404)] * 4, says("好了。")) as server:
        model = open_model(server, clock.monotonic)
        assert [fault_of(model) for _ in range(3)] == [Fault.REFUSED] * 3
        assert fault_of(model) is Fault.RESTING
        assert len(server.requests) == 3

        clock.advance(REST_S + 1)
        assert fault_of(model) is Fault.REFUSED  # the trial fails: another rest at once
        assert fault_of(model) is Fault.RESTING

        clock.advance(REST_S + 1)
        assert model.write("系统", "用户") == "好了。"
        assert model.write("系统", "用户") == "好了。"


def test_too_many_at_once_are_turned_away_at_once(open_model: Open) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def waits(stage: Stage) -> None:
        arrived.set()
        go_on.wait(5)
        says("好了。")(stage)

    with endpoint(waits) as server:
        model = open_model(server, llm_concurrency=1)
        replies: list[str] = []
        first = threading.Thread(target=lambda: replies.append(model.write("系统", "用户")))
        first.start()
        assert arrived.wait(5)
        began = time.monotonic()

        assert fault_of(model) is Fault.BUSY
        assert time.monotonic() - began < 0.5
        go_on.set()
        first.join()
        assert replies == ["好了。"]


def test_no_proxy_of_the_environment_is_used(
    open_model: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    with endpoint(says("好了。")) as server:
        assert open_model(server).write("系统", "用户") == "好了。"


def test_the_key_never_reaches_a_log_or_a_message(
    open_model: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with endpoint(fails(401, b"bad key sk-geheim"), fails(500), says("好了。")) as server:
        model = open_model(server, llm_api_key="sk-geheim")
        with pytest.raises(LanguageModelError) as caught:
            model.write("系统", "用户")
        model.write("系统", "用户")

    assert "sk-geheim" not in str(caught.value)
    assert "sk-geheim" not in caplog.text
    assert "sk-geheim" not in repr(model)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"llm_base_url": "10.0.0.8:8000"}, "llm_base_url.*http://"),
        ({"llm_base_url": "ftp://10.0.0.8/v1"}, "llm_base_url.*http://"),
        ({"llm_base_url": "http://"}, "llm_base_url"),
        ({"llm_base_url": "http://a:geheim@10.0.0.8/v1"}, "llm_api_key"),
        ({"llm_base_url": "http://10.0.0.8/v1?key=geheim"}, "llm_api_key"),
        ({"llm_model": " "}, "llm_model"),
        ({"llm_api_key": "sk geheim"}, "llm_api_key"),
        ({"llm_api_key": "钥匙"}, "llm_api_key"),
        ({"llm_ca_file": "/没有/ca.pem"}, "llm_ca_file.*/没有/ca.pem"),
    ],
)
def test_unusable_settings_say_which_and_keep_secrets(
    tmp_path: Path, values: dict[str, object], match: str
) -> None:
    flags = {"llm_base_url": "http://10.0.0.8:8000/v1", "llm_model": "m", **values}

    with pytest.raises(SettingsError, match=match) as caught:
        LanguageModel(load_settings(tmp_path, flags, environment={}))
    assert "geheim" not in str(caught.value)


def test_inner_addresses_are_told_from_public_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert public_addresses("127.0.0.1") == public_addresses("10.1.2.3") == []
    assert public_addresses("8.8.8.8") == ["8.8.8.8"]

    names = {"model.inner": "172.16.0.9", "api.outer": "8.8.4.4"}
    monkeypatch.setattr(
        "assistant.llm.socket.getaddrinfo",
        lambda host, *_, **__: [(2, 1, 6, "", (names[host], 0))],
    )
    assert public_addresses("model.inner") == []
    assert public_addresses("api.outer") == ["8.8.4.4"]
