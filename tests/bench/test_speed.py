"""Speed on the shipped sample holdings; figures are printed, nothing is asserted about time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from assistant.assistant import open_assistant
from assistant.evaluation import machine, percentile, read_cases
from index.domain import Reader, Role
from index.settings import load_settings
from ingest.sample import questions_file

pytestmark = pytest.mark.bench


def test_ask_latency(sample_home: Path) -> None:
    """This benchmark prints the time from question to finished answer, warm."""
    assistant = open_assistant(load_settings(sample_home, environment={}))
    assistant.get_ready()
    reader = Reader(Role.ARCHIVIST)
    cases = [c for c in read_cases(questions_file()) if not c.history][:60]
    assistant.ask(cases[0].question, [], reader)
    times = []
    for case in cases:
        began = time.perf_counter()
        assistant.ask(case.question, [], reader)
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    p50, p95 = percentile(times, 50), percentile(times, 95)
    print(f"\n提问 {len(times)} 次：p50 {p50:.0f} ms，p95 {p95:.0f} ms（{machine()}）")

    assert len(times) == len(cases)
