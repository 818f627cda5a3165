"""Which commit of mmpar runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

SOURCE = Path(__file__).parents[2]
"""The folder of the package, which is a git checkout where mmpar is run from one."""


def git_state(folder: Path = SOURCE) -> str | None:
    """The commit of a checkout, ``-dirty`` if tracked files differ from it.

    Returns:
        Such as ``3f0593720a1b-dirty``; None if the folder is no checkout, as in an
        installed package, or git does not answer.
    """
    if not (folder / ".git").exists():  # that of a repository around it says nothing
        return None
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty"]
    command += ["--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
