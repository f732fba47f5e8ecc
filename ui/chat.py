"""The chat page; the only file that imports gradio."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from fastapi import FastAPI

from assistant.domain import Answer, Refusal, RefusalReason, Turn
from assistant.filters import NO_FILTERS, Filters, read_filters
from index.errors import ArchiveError
from ui import strings
from ui.history import Exchange, History
from ui.purposes import stated
from ui.reader import current_reader, history_owner
from ui.remembered import Origin, records_of, restore, to_body
from ui.render import (
    PENDING,
    again_markdown,
    answer_blocks,
    message_markdown,
    question_markdown,
    refusal_blocks,
    stages,
    when_markdown,
    withheld_blocks,
)
from ui.session import Asked, Asker, RecentAnswers, Session
from ui.usage import Use, UseLog

logger = logging.getLogger(__name__)

#: Pause before Gradio looks for new questions again, seconds.
_LOOK_S: Final = 0.01
#: With more people waiting than this an answer comes in one piece: every further piece makes the
#: others wait for their first line.
_CALM: Final = 4
#: Pause between two growing pieces of an answer, seconds; at most four a second.
_STEP_S: Final = 0.25
_LONGEST_QUESTION: Final = 500
#: Longest text of the conditions beside a question, characters.
_LONGEST_FILTERS: Final = 5000
#: What the page's script writes to have a conversation opened again.
_REOPEN: Final = re.compile(r"o-([0-9a-f]{32})")
_SANS: Final = (
    "PingFang SC",
    "Microsoft YaHei",
    "HarmonyOS Sans SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "sans-serif",
)

Messages = list[dict[str, str]]


class _Crowd:
    """How many questions are being answered. Safe between threads."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1

    @property
    def calm(self) -> bool:
        """Whether there is time to show an answer as it grows."""
        return self._count <= _CALM


def mount_chat(
    app: FastAPI,
    assistant: Asker,
    recent: RecentAnswers,
    history: History,
    path: str,
    examples: Sequence[str],
    uses: UseLog,
) -> frozenset[int]:
    """Mount the chat page into an application.

    Returns:
        The numbers Gradio gave the page's functions; it breaks on any other.
    """
    page = _build_page(assistant, recent, history, examples, uses)
    # both must be set before queue() and mounting; 40 running questions is the default cap
    page.max_threads = 80
    page.state_session_capacity = 1000
    page.queue(max_size=200, default_concurrency_limit=16, api_open=False)
    # Gradio looks for new questions a thousand times a second, under the lock that answering needs:
    # a hundred cost 15 % less processor time with fifty people waiting.
    page._queue.sleep_when_free = _LOOK_S
    gr.mount_gradio_app(
        app,
        page,
        path=path,
        theme=_theme(),
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        show_error=False,
        allowed_paths=[],
        blocked_paths=[str(assistant.settings.home)],
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
    )
    return frozenset(page.fns)


def _build_page(
    assistant: Asker,
    recent: RecentAnswers,
    history: History,
    examples: Sequence[str],
    uses: UseLog,
) -> Any:
    crowd = _Crowd()

    def ask(
        question: str,
        session: Session,
        precedents: bool,
        limits: str,
        purpose: str,
        request: gr.Request,
    ) -> Iterator[Messages]:
        question = question.strip()[:_LONGEST_QUESTION]
        if not question:
            yield _messages(session)
            return
        shown = question_markdown(question)
        try:
            filters = _filters(limits or "")
        except ArchiveError as error:
            session.begin(shown, message_markdown(str(error)))
            yield _messages(session)
            return
        asked = Asked(question, tuple(session.turns), precedents=bool(precedents), filters=filters)
        yield from answer(asked, shown, session, purpose, request)

    def act(
        command: str, session: Session, purpose: str, request: gr.Request
    ) -> Iterator[Messages]:
        """A reading taken off, or a conversation to open again."""
        if reopened := _REOPEN.fullmatch(command):
            reopen(reopened[1], session, purpose, request)
            yield _messages(session)
            return
        asked = session.without(command)
        if asked is None:
            yield _messages(session)
            return
        shown = again_markdown(asked.question, asked.without)
        yield from answer(asked, shown, session, purpose, request)

    def answer(
        asked: Asked, shown: str, session: Session, purpose: str, request: gr.Request
    ) -> Iterator[Messages]:
        question = asked.question
        reader = current_reader(request.request, assistant.settings)
        when = dt.datetime.now().astimezone()
        session.begin(shown, PENDING)
        yield _messages(session)
        use = uses.of(
            request.request,
            reader,
            conversation=session.use,
            purpose=stated(purpose or ""),
        )
        try:
            uses.asked(use, question)
            without = [reading.key for reading in asked.without]
            with crowd:
                result = assistant.ask(
                    question,
                    asked.turns,
                    reader,
                    without,
                    precedents=asked.precedents,
                    filters=asked.filters,
                )
            uses.answered(use, result, without)
        except ArchiveError as error:
            session.show(message_markdown(str(error)))
            yield _messages(session)
            return
        except Exception:
            logger.exception("a question failed")
            session.show(strings.FAILED)
            yield _messages(session)
            return
        session.remember(Turn(question, result))
        origin = Origin(
            asked.without, asked.filters, asked.precedents, assistant.generation, assistant.model
        )
        number = keep(result, origin, when, session, request)
        token = session.keep(replace(asked, readings=result.readings)) if result.readings else ""
        answer_id = recent.add(reader, result, origin, when, session.conversation)
        if isinstance(result, Answer):
            composing = assistant.composes and bool(result.citations) and not result.precedents
            blocks = answer_blocks(result, answer_id, token, composing=composing)
            if composing:
                session.waiting = (result, token, stages(blocks)[-1])
                session.waiting_origin = (origin, when, number)
        else:
            blocks = refusal_blocks(result, token, answer_id)
        pieces = stages(blocks) if crowd.calm else stages(blocks)[-1:]
        for i, piece in enumerate(pieces):
            session.show(piece)
            yield _messages(session)
            if i < len(pieces) - 1:
                time.sleep(_STEP_S)

    def is_held(record_id: str) -> bool:
        return assistant.store.record(record_id) is not None

    def keep(
        result: Answer | Refusal,
        origin: Origin,
        when: dt.datetime,
        session: Session,
        request: gr.Request,
    ) -> int:
        """Put an exchange into the history; its number there, 0 when it is not kept."""
        owner = history_owner(request.request, assistant.settings)
        if owner is None:
            return 0
        exchange = Exchange(
            result.question,
            when.isoformat(timespec="seconds"),
            to_body(result, origin, assistant.store),
        )
        try:
            history.follow(assistant.store.data_version, is_held)
            session.conversation, number = history.add(
                owner, session.conversation, exchange, records_of(result)
            )
        except sqlite3.Error:
            # an answer that is there is shown, whatever becomes of the history
            logger.exception("an exchange was not kept")
            return 0
        return number

    def reopen(conversation_id: str, session: Session, purpose: str, request: gr.Request) -> None:
        """Show a conversation from the history as its reader may see it now."""
        owner = history_owner(request.request, assistant.settings)
        kept = None if owner is None else history.exchanges(owner, conversation_id)
        if kept is None:
            session.clear()
            session.begin(strings.HISTORY, message_markdown(strings.UNKNOWN_CONVERSATION))
            return
        session.clear()
        session.conversation = conversation_id
        reader = current_reader(request.request, assistant.settings)
        use = uses.of(
            request.request, reader, conversation=conversation_id, purpose=stated(purpose or "")
        )
        for exchange in kept:
            show_again(exchange, session, use)

    def show_again(exchange: Exchange, session: Session, use: Use) -> None:
        reader = use.reader
        store = assistant.store
        restored = restore(exchange.question, exchange.body, store, reader)
        origin, result = restored.origin, restored.result
        when = dt.datetime.fromisoformat(exchange.asked)
        shown = question_markdown(exchange.question)
        if origin.without:
            shown = again_markdown(exchange.question, origin.without)
        shown = when_markdown(shown, strings.asked_at(f"{when:%Y-%m-%d %H:%M}"))
        if result is None:
            blocks = withheld_blocks(
                (), withheld=restored.withheld or not restored.changed, changed=restored.changed
            )
            session.begin(shown, "\n\n".join(blocks))
            nothing = Refusal(
                exchange.question,
                exchange.question,
                "",
                RefusalReason.NOT_FOUND,
                strings.NOT_AVAILABLE,
                store.coverage(store.permitted(reader)),
            )
            session.remember(Turn(exchange.question, nothing))
            return
        try:
            uses.reopened(use, result)
        except ArchiveError as error:  # not registered, or without a purpose: not shown
            session.begin(shown, message_markdown(str(error)))
            return
        asked = Asked(
            exchange.question,
            tuple(session.turns),
            origin.without,
            result.readings,
            origin.precedents,
            origin.filters,
        )
        token = session.keep(asked) if result.readings else ""
        answer_id = recent.add(reader, result, origin, when, session.conversation, returned=True)
        if isinstance(result, Answer):
            blocks = answer_blocks(result, answer_id, token)
        else:
            blocks = refusal_blocks(result, token, answer_id)
        blocks = withheld_blocks(blocks, withheld=restored.withheld, changed=restored.changed)
        session.begin(shown, stages(blocks)[-1])
        session.remember(Turn(exchange.question, result))

    def compose(session: Session, request: gr.Request) -> Messages:
        if session.waiting is None or session.waiting_origin is None:
            return _messages(session)
        (answer, token, old), session.waiting = session.waiting, None
        origin, when, number = session.waiting_origin
        conversation = session.conversation
        reader = current_reader(request.request, assistant.settings)
        try:
            composed = assistant.compose(answer, reader)
            if composed.prose is not None:
                use = uses.of(request.request, reader, conversation=session.use)
                uses.answered(use, composed)
                answer = composed
        except Exception:
            # the extractive answer is already there and complete
            logger.exception("composing failed")
        owner = history_owner(request.request, assistant.settings)
        if answer.prose is not None and owner is not None and number:
            try:
                body = to_body(answer, origin, assistant.store)
                history.replace(owner, conversation, number, body)
            except sqlite3.Error:
                logger.exception("joining text was not kept")
        answer_id = recent.add(reader, answer, origin, when, conversation)
        blocks = answer_blocks(answer, answer_id, token)
        session.show_instead(old, stages(blocks)[-1])
        return _messages(session)

    def stop(session: Session) -> Messages:
        if session.shown and session.shown[-1][1] == PENDING:
            session.show(strings.STOPPED)
        return _messages(session)

    def clear(session: Session) -> Messages:
        session.clear()
        return []

    def take_example(event: gr.SelectData) -> str:
        return str(event.value["text"])

    with gr.Blocks(title=strings.TITLE, analytics_enabled=False, fill_height=True) as page:
        session = gr.State(Session(), time_to_live=3600)
        asked = gr.State("")
        taken = gr.State("")
        with gr.Column(elem_id="cd-page"):
            chat = gr.Chatbot(
                elem_id="cd-chat",
                label=strings.CHAT_LABEL,
                show_label=False,
                container=False,
                buttons=[],
                feedback_options=None,
                latex_delimiters=[],
                allow_tags=False,
                sanitize_html=True,
                reasoning_tags=[],
                layout="bubble",
                autoscroll=False,
                height="100%",
                placeholder=strings.WELCOME,
                examples=[{"text": question} for question in examples],
                group_consecutive_messages=False,
            )
            with gr.Row(elem_id="cd-mode"):
                precedents = gr.Checkbox(
                    value=False,
                    label=strings.PRECEDENTS,
                    container=False,
                    elem_id="cd-precedents",
                    info=None,
                )
            with gr.Row(elem_id="cd-ask"):
                renew = gr.Button(strings.NEW_CONVERSATION, elem_id="cd-new", scale=0)
                box = gr.Textbox(
                    elem_id="cd-question",
                    label=strings.QUESTION_LABEL,
                    show_label=False,
                    container=False,
                    placeholder=strings.QUESTION_HINT,
                    lines=1,
                    max_lines=4,
                    max_length=_LONGEST_QUESTION,
                    submit_btn=strings.SEND,
                    stop_btn=strings.STOP,
                    autofocus=True,
                    scale=1,
                    html_attributes=gr.InputHTMLAttributes(enterkeyhint="send", lang="zh-CN"),
                )
            # Filled by the page's script (conditions; a chip pressed); out of sight, in the page.
            limits = gr.Textbox(
                elem_id="cd-filters",
                label=strings.FILTERS_LABEL,
                show_label=False,
                container=False,
                max_lines=1,
            )
            chip = gr.Textbox(
                elem_id="cd-without",
                label=strings.WITHOUT_LABEL,
                show_label=False,
                container=False,
                max_lines=1,
            )
            # Filled by feedback.js from the line above the question box.
            purpose = gr.Textbox(
                elem_id="cd-purpose",
                label=strings.PURPOSE_LABEL,
                show_label=False,
                container=False,
                max_lines=1,
                max_length=100,
            )
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        typed = box.submit(lambda text: ("", text), box, [box, asked], queue=False, **quiet)
        chosen = chat.example_select(take_example, None, asked, queue=False, **quiet)
        pressed = chip.submit(lambda text: ("", text), chip, [chip, taken], queue=False, **quiet)
        running = [
            event.then(
                answers,
                [question, session, *([precedents, limits] if answers is ask else []), purpose],
                chat,
                concurrency_limit=64,
                concurrency_id="chat",
                # "once" loses a question sent while the answer before is shown but not yet ended.
                trigger_mode="always_last",
                **quiet,
            )
            for event, answers, question in (
                (typed, ask, asked),
                (chosen, ask, asked),
                (pressed, act, taken),
            )
        ]
        if assistant.composes:
            # apart from `ask`, so that the next question need not wait for the language model
            running += [
                event.then(
                    compose,
                    session,
                    chat,
                    concurrency_limit=64,
                    concurrency_id="compose",
                    trigger_mode="multiple",
                    **quiet,
                )
                for event in running
            ]
        box.stop(stop, session, chat, cancels=running, queue=False, **quiet)
        renew.click(clear, session, chat, cancels=running, queue=False, **quiet)
    return page


def _filters(text: str | None) -> Filters:
    """The conditions the page's script wrote beside the question.

    Raises:
        FilterError: If they cannot be read.
    """
    if text is None or not text.strip():
        return NO_FILTERS
    try:
        body = json.loads(text[:_LONGEST_FILTERS])
    except ValueError:
        body = None
    return read_filters(body)


def _messages(session: Session) -> Messages:
    messages: Messages = []
    for question, answer in session.shown:
        messages.append({"role": "user", "content": question})
        messages.append({"role": "assistant", "content": answer})
    return messages


def _theme() -> gr.themes.Base:
    red = gr.themes.Color(
        name="red", c50="#fbeef0", c100="#f5d5da", c200="#eaabb5", c300="#dd7f8e",
        c400="#c94a5d", c500="#a6192e", c600="#a6192e", c700="#8a1426", c800="#6d101e",
        c900="#520c16", c950="#3a0810",
    )  # fmt: skip
    fonts = [gr.themes.Font(name) for name in _SANS]
    theme = gr.themes.Base(
        primary_hue=red,
        secondary_hue="slate",
        neutral_hue="slate",
        radius_size="sm",
        font=fonts,
        font_mono=fonts,
    )
    return theme.set(
        body_background_fill="#f4f5f7",
        body_text_color="#1c2026",
        input_placeholder_color="#64748b",
        block_border_width="0px",
    )
