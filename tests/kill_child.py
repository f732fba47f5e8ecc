"""An ingest run with index build in a process of its own, to be killed by a test.

`python -m tests.kill_child SOURCE HOME`: everything as the command line does it, but with the
encoder of the tests, so that a run takes a second.
"""

from __future__ import annotations

import sys
from pathlib import Path

from index.passage_index import build_index
from index.settings import load_settings
from index.store import Store
from ingest.pipeline import ingest
from tests.fakes import HashEncoder


def main(source: Path, home: Path) -> None:
    """Take a folder in and bring the index up to date."""
    settings = load_settings(home, {"threads": 2}, {})
    store = Store(settings.database_path, create=True)
    ingest(source, store, settings)
    build_index(store, settings, encoder=HashEncoder())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
