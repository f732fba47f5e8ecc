"""The sample holdings that ship with the project: made-up records of a made-up 示例市.

Every text is our own and fictional, and says so on each page. `holdings/` is what an archive room
would hand over (files and one catalogue), `questions.jsonl` holds questions with gold answers over
it, and `make` rebuilds the former from `texts/`.
"""

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def holdings_dir() -> Path:
    """Return the folder with the sample files and their catalogue, ready to ingest."""
    return _HERE / "holdings"


def questions_file() -> Path:
    """Return the question file (JSONL) over the sample holdings."""
    return _HERE / "questions.jsonl"
