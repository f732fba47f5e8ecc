"""The chat page; the only file that imports gradio."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from fastapi import FastAPI

from assistant.domain import Answer, Turn
from index.errors import ArchiveError
from ui import strings
from ui.purposes import stated
from ui.reader import current_reader
from ui.render import (
    PENDING,
    again_markdown,
    answer_blocks,
    message_markdown,
    question_markdown,
    refusal_blocks,
    stages,
)
from ui.session import Asked, Asker, RecentAnswers, Session
from ui.usage import UseLog

logger = logging.getLogger(__name__)

#: Pause between two growing pieces of an answer, seconds; at most four a second.
_STEP_S: Final = 0.25
_LONGEST_QUESTION: Final = 500
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


def mount_chat(
    app: FastAPI,
    assistant: Asker,
    recent: RecentAnswers,
    path: str,
    examples: Sequence[str],
    uses: UseLog,
) -> None:
    """Mount the chat page into an application."""
    page = _build_page(assistant, recent, examples, uses)
    # both must be set before queue() and mounting; 40 running questions is the default cap
    page.max_threads = 80
    page.state_session_capacity = 1000
    page.queue(max_size=200, default_concurrency_limit=16, api_open=False)
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


def _build_page(
    assistant: Asker, recent: RecentAnswers, examples: Sequence[str], uses: UseLog
) -> Any:
    def ask(
        question: str, session: Session, precedents: bool, purpose: str, request: gr.Request
    ) -> Iterator[Messages]:
        question = question.strip()[:_LONGEST_QUESTION]
        if not question:
            yield _messages(session)
            return
        asked = Asked(question, tuple(session.turns), precedents=bool(precedents))
        yield from answer(asked, question_markdown(question), session, purpose, request)

    def ask_again(
        chip: str, session: Session, purpose: str, request: gr.Request
    ) -> Iterator[Messages]:
        asked = session.without(chip)
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
        session.begin(shown, PENDING)
        yield _messages(session)
        use = uses.of(
            request.request,
            reader,
            conversation=session.conversation,
            purpose=stated(purpose or ""),
        )
        try:
            uses.asked(use, question)
            without = [reading.key for reading in asked.without]
            result = assistant.ask(
                question, asked.turns, reader, without, precedents=asked.precedents
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
        token = session.keep(replace(asked, readings=result.readings)) if result.readings else ""
        if isinstance(result, Answer):
            composing = assistant.composes and bool(result.citations) and not result.precedents
            blocks = answer_blocks(result, recent.add(reader, result), token, composing=composing)
            if composing:
                session.waiting = (result, token, stages(blocks)[-1])
        else:
            blocks = refusal_blocks(result, token)
        pieces = stages(blocks)
        for i, piece in enumerate(pieces):
            session.show(piece)
            yield _messages(session)
            if i < len(pieces) - 1:
                time.sleep(_STEP_S)

    def compose(session: Session, request: gr.Request) -> Messages:
        if session.waiting is None:
            return _messages(session)
        (answer, token, old), session.waiting = session.waiting, None
        reader = current_reader(request.request, assistant.settings)
        try:
            composed = assistant.compose(answer, reader)
            if composed.prose is not None:
                use = uses.of(request.request, reader, conversation=session.conversation)
                uses.answered(use, composed)
                answer = composed
        except Exception:
            # the extractive answer is already there and complete
            logger.exception("composing failed")
        blocks = answer_blocks(answer, recent.add(reader, answer), token)
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
            # Filled by the page's script when a chip is pressed; out of sight, in the page.
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
                [question, session, *([precedents] if answers is ask else []), purpose],
                chat,
                concurrency_limit=64,
                concurrency_id="chat",
                trigger_mode="once",
                **quiet,
            )
            for event, answers, question in (
                (typed, ask, asked),
                (chosen, ask, asked),
                (pressed, ask_again, taken),
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
