"""The optional language model: one OpenAI-compatible endpoint inside the network, asked over HTTP.

The only file that imports httpx. Nothing but the configured address is ever connected to: no
redirect is followed and no proxy is taken from the environment. Whatever goes wrong is one error
with a reason; the caller then keeps the extractive answer.

Source:
    Server-sent events: WHATWG HTML, section 9.2.6. Chat completions with `stream: true`: each
    event is one JSON object with `choices[0].delta.content`, the last one is `[DONE]`.
"""

from __future__ import annotations

import codecs
import ipaddress
import json
import logging
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import httpx

from assistant.composing import Fault, LanguageModelError
from index.errors import SettingsError
from index.settings import Settings

logger = logging.getLogger(__name__)

_CONNECT_S: Final = 3.0
#: Tries in all while no text has arrived; a half answer is never asked for again.
_TRIES: Final = 3
_BACKOFF_S: Final = 0.3
#: A `Retry-After` up to this is waited for; a longer one is a rest.
_WAITED_FOR_S: Final = 2.0
_LONGEST_REST_S: Final = 600.0
#: Failures in a row after which the endpoint is left alone, and for how long.
_FAILURES: Final = 3
REST_S: Final = 30.0
#: Bytes of one reply; an event carries about 200 bytes for one token of text.
_MOST_BYTES: Final = 4_000_000
#: Characters of one reply. What is asked for has a tenth of it.
_MOST_CHARS: Final = 8_000
#: Tokens asked for: a reasoning model spends most of them before it begins to write.
_MOST_TOKENS: Final = 2_000
_HEADER_VALUE: Final = frozenset(map(chr, range(0x21, 0x7F)))


class _AgainError(LanguageModelError):
    """Nothing arrived yet and trying once more may help.

    Attributes:
        after_s: Seconds the endpoint asked to wait, 0 when it did not say.
    """

    def __init__(self, fault: Fault, detail: str, after_s: float = 0.0) -> None:
        super().__init__(fault, detail)
        self.after_s = after_s


class LanguageModel:
    """Asks the endpoint of the settings. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare, without connecting.

        Args:
            settings: Gives the address, the model, the key, the limits.
            clock: Seconds that only grow.
            sleep: Waits some seconds.

        Raises:
            SettingsError: If the address, the model, the key or the certificate file is unusable.
        """
        self._url = _endpoint(settings.text("llm_base_url"))
        self.model = settings.text("llm_model").strip()
        if not self.model:
            msg = "设置了 llm_base_url，还要用 llm_model 写明模型名称。"
            raise SettingsError(msg)
        self._total_s = settings.decimal("llm_timeout_s")
        self._silence_s = min(settings.decimal("llm_silence_s"), self._total_s)
        self._clock, self._sleep = clock, sleep
        self._places = threading.BoundedSemaphore(settings.number("llm_concurrency"))
        self._breaker = _Breaker(clock)
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        key = settings.text("llm_api_key").strip()
        if key:
            if not set(key) <= _HEADER_VALUE:
                msg = "设置 llm_api_key 里有空格、换行或非 ASCII 字符，请重新抄录。"
                raise SettingsError(msg)
            headers["Authorization"] = f"Bearer {key}"
        self._client = httpx.Client(
            headers=headers,
            verify=_certificates(settings.text("llm_ca_file")),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(self._silence_s, connect=min(_CONNECT_S, self._total_s)),
            limits=httpx.Limits(max_connections=settings.number("llm_concurrency")),
        )

    @property
    def host(self) -> str:
        """Host name of the endpoint, without port."""
        return self._url.host

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def write(self, system: str, user: str) -> str:
        """The model's whole reply to one instruction and one message.

        Takes at most `llm_timeout_s`, and `llm_silence_s` more when the endpoint falls silent at
        the very end.

        Raises:
            LanguageModelError: If nothing complete came back. A reply that broke off is nothing.
        """
        if not self._places.acquire(blocking=False):
            raise LanguageModelError(Fault.BUSY)
        try:
            self._breaker.enter()
            try:
                text = self._persistently(system, user)
            except LanguageModelError as error:
                self._breaker.failed(error.after_s if isinstance(error, _AgainError) else 0.0)
                raise
            except BaseException:
                self._breaker.failed()
                raise
            self._breaker.worked()
            return text
        finally:
            self._places.release()

    def _persistently(self, system: str, user: str) -> str:
        deadline = self._clock() + self._total_s
        for attempt in range(1, _TRIES + 1):
            try:
                return self._once(system, user, deadline)
            except _AgainError as error:
                pause = error.after_s or _BACKOFF_S * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries
                late = self._clock() + pause >= deadline
                if attempt == _TRIES or late or pause > _WAITED_FOR_S:
                    raise
                logger.info("language model: %s, trying again", error.fault.name)
                self._sleep(pause)
        raise LanguageModelError(Fault.UNREACHABLE)

    def _once(self, system: str, user: str, deadline: float) -> str:
        body = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": user},
            ],
            "stream": True,
            "temperature": 0,
            "max_tokens": _MOST_TOKENS,
        }
        reply = _Reply()
        try:
            with self._client.stream("POST", self._url, json=body) as response:
                _check_status(response)
                _check_form(response)
                for chunk in response.iter_raw():
                    if self._clock() > deadline:
                        raise LanguageModelError(Fault.SLOW)
                    reply.feed(chunk)
                    if reply.done:
                        break
            return reply.whole()
        except httpx.ConnectTimeout as error:
            raise _AgainError(Fault.UNREACHABLE, type(error).__name__) from error
        except httpx.TimeoutException as error:
            raise LanguageModelError(Fault.SILENT, type(error).__name__) from error
        except httpx.TransportError as error:
            name = type(error).__name__
            if reply.began:
                raise LanguageModelError(Fault.CUT_OFF, name) from error
            raise _AgainError(Fault.UNREACHABLE, name) from error
        except httpx.HTTPError as error:
            raise LanguageModelError(Fault.GARBLED, type(error).__name__) from error


def _endpoint(address: str) -> httpx.URL:
    """The address of chat completions below a base address.

    Messages do not repeat the address: a password may have been written into it.
    """
    try:
        url = httpx.URL(address.strip().rstrip("/"))
    except httpx.InvalidURL as error:
        msg = "设置 llm_base_url 不是一个网址，应写成 http://主机:端口/v1。"
        raise SettingsError(msg) from error
    if url.userinfo or url.query or url.fragment:
        msg = "设置 llm_base_url 里不能带用户名、密码或参数；密钥请写在 llm_api_key。"
        raise SettingsError(msg)
    if url.scheme not in ("http", "https") or not url.host:
        msg = "设置 llm_base_url 应写成 http://主机:端口/v1 这样的完整网址。"
        raise SettingsError(msg)
    tail = "/chat/completions"
    return url if url.path.endswith(tail) else url.copy_with(path=url.path.rstrip("/") + tail)


def _certificates(file: str) -> ssl.SSLContext | bool:
    if not file:
        return True
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        msg = f"设置 llm_ca_file 指的证书文件 {file} 打不开或不是 PEM 证书。"
        raise SettingsError(msg) from error


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    detail = f"HTTP {status}"
    if status == 429:
        raise _AgainError(Fault.BROKEN, detail, _retry_after(response))
    if status >= 500:
        raise _AgainError(Fault.BROKEN, detail, _retry_after(response))
    if 300 <= status < 400:
        raise LanguageModelError(Fault.REDIRECTED, detail)
    raise LanguageModelError(Fault.REFUSED, detail)


def _retry_after(response: httpx.Response) -> float:
    """Seconds of a `Retry-After` header; a date or nonsense counts as not said."""
    said = response.headers.get("retry-after", "").strip()
    return min(float(said), _LONGEST_REST_S) if said.isascii() and said.isdigit() else 0.0


def _check_form(response: httpx.Response) -> None:
    """Only a plain event stream or JSON is read: a compressed body could unpack to anything."""
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise LanguageModelError(Fault.GARBLED, "压缩")


class _Breaker:
    """Leaves a failing endpoint alone for a while, then lets one request try."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0
        self._trying = False

    def enter(self) -> None:
        """Pass, or raise while the endpoint rests or another request is trying it out."""
        with self._lock:
            if not self._until:
                return
            if self._clock() < self._until or self._trying:
                raise LanguageModelError(Fault.RESTING)
            self._trying = True

    def worked(self) -> None:
        with self._lock:
            self._failures, self._until, self._trying = 0, 0.0, False

    def failed(self, asked_rest_s: float = 0.0) -> None:
        """Count a failure; `asked_rest_s` is the rest the endpoint asked for itself."""
        with self._lock:
            self._failures += 1
            rest = REST_S if self._trying or self._failures >= _FAILURES else 0.0
            rest = max(rest, asked_rest_s)
            if rest:
                self._until = self._clock() + rest
                logger.warning("language model: left alone for %.0f s", rest)
            self._trying = False


class _Reply:
    """One reply as it arrives, event stream or plain JSON, from bytes cut anywhere."""

    def __init__(self) -> None:
        self.done = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._line = ""
        self._data: list[str] = []
        self._plain: list[str] = []
        self._text: list[str] = []
        self._chars = 0
        self._bytes = 0
        self._finished = False
        self._events = False

    @property
    def began(self) -> bool:
        """Whether any byte has arrived."""
        return self._bytes > 0

    def feed(self, chunk: bytes) -> None:
        self._bytes += len(chunk)
        if self._bytes > _MOST_BYTES:
            raise LanguageModelError(Fault.TOO_LONG)
        self._take(self._decode(chunk))

    def whole(self) -> str:
        """The text, once the stream has ended."""
        if not self.done:
            self._take(self._decode(b"", final=True) + "\n\n")
        if not self._events:
            self._event("\n".join(self._plain))
        if not self._finished:
            raise LanguageModelError(Fault.CUT_OFF)
        return "".join(self._text)

    def _decode(self, chunk: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            raise LanguageModelError(Fault.GARBLED, "不是 UTF-8") from error

    def _take(self, text: str) -> None:
        lines = (self._line + text).split("\n")
        self._line = lines.pop()
        for line in lines:
            self._read_line(line.removesuffix("\r"))
            if self.done:
                return

    def _read_line(self, line: str) -> None:
        if line.startswith("data:"):
            self._events = True
            self._data.append(line[5:].removeprefix(" "))
        elif not line and self._data:
            data, self._data = "\n".join(self._data), []
            self._event(data)
        elif not self._events:
            self._plain.append(line)

    def _event(self, data: str) -> None:
        if data.strip() == "[DONE]":
            self.done = self._finished = True
            return
        try:
            event = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise LanguageModelError(Fault.GARBLED, "不是 JSON") from error
        choice = _first_choice(event)
        if choice is None:
            return
        said = choice.get("delta", choice.get("message"))
        said = {} if said is None else said
        if not isinstance(said, dict) or said.get("tool_calls") or said.get("function_call"):
            raise LanguageModelError(Fault.GARBLED, "要求调用工具")
        content = said.get("content")
        if content is not None and not isinstance(content, str):
            raise LanguageModelError(Fault.GARBLED, "正文不是文字")
        if content:
            self._text.append(content)
            self._chars += len(content)
            if self._chars > _MOST_CHARS:
                raise LanguageModelError(Fault.TOO_LONG)
        reason = choice.get("finish_reason")
        if reason in ("stop", "length", "eos", "eos_token"):
            self._finished = True
        elif reason is not None:
            raise LanguageModelError(Fault.GARBLED, "非正常结束")


def _first_choice(event: Any) -> dict[str, Any] | None:
    """The first choice of an event, None for the one without choices (usage figures).

    Raises:
        LanguageModelError: If the event is an error or of another shape.
    """
    if not isinstance(event, dict) or event.get("error"):
        raise LanguageModelError(Fault.GARBLED, "报告了错误")
    choices = event.get("choices")
    if choices == [] and "usage" in event:
        return None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise LanguageModelError(Fault.GARBLED, "没有 choices")
    return choices[0]


def public_addresses(host: str) -> list[str]:
    """Addresses of a host that lie outside the ranges kept for inner networks."""
    try:
        found = [str(ipaddress.ip_address(host))]
    except ValueError:
        try:
            looked_up = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        found = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in looked_up))
    return [address for address in found if ipaddress.ip_address(address).is_global]
