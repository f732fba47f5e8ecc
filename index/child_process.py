"""Starting the product's own modules as child processes, the same way everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parent.parent)


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of ours under this interpreter.

    The working folder is kept out of the module path: it may be an archive with a folder of any
    name.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def module_environment(threads: int = 0) -> dict[str, str]:
    """This process's environment, in which `module_command` finds our modules and speaks UTF-8.

    Args:
        threads: Threads the arithmetic libraries may use; 0 leaves it to them. They otherwise
            claim address space for each core, which a memory limit counts.
    """
    environment = dict(os.environ)
    path = (_ROOT, environment.get("PYTHONPATH", ""))
    environment["PYTHONPATH"] = os.pathsep.join(part for part in path if part)
    environment["PYTHONIOENCODING"] = "utf-8"
    if threads:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            environment[name] = str(threads)
    return environment


def close_pipes(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Close our ends of a child's standard streams; one whose child has died may complain."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue
