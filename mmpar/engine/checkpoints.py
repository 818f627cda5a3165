"""Finds the checkpoint to go on from, or to test, in a work dir."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.logging import print_log

from mmpar.checkpoint_files import load_from_local


def latest_checkpoint(work_dir: str) -> str | None:
    """The newest epoch's checkpoint that is whole, None if there is none.

    A run that is killed while it writes leaves a torn file, which MMEngine's record of
    the last checkpoint may name.
    """
    found = sorted(Path(work_dir).glob("epoch_*.pth"), key=os.path.getmtime)
    for path in reversed(found):
        try:
            load_from_local(str(path), map_location="cpu")
        except Exception as error:  # torn files fail in many ways
            print_log(
                f"{path} cannot be read ({error}), trying an older one", "current"
            )
        else:
            return str(path)
    return None


def checkpoint_to_test(work_dir: str, chosen_on_val: bool) -> str:
    """The checkpoint of a work dir that its training stands for.

    Args:
        work_dir: Where the training wrote.
        chosen_on_val: The best on the validation split (the newest of them if a killed
            run left several); otherwise the last.

    Raises:
        FileNotFoundError: There is none.
    """
    if chosen_on_val:
        best = sorted(Path(work_dir).glob("best_*.pth"), key=os.path.getmtime)
        found = str(best[-1]) if best else None
    else:
        found = latest_checkpoint(work_dir)
    if found is None:
        kind = "best_*.pth" if chosen_on_val else "epoch_*.pth that can be read"
        raise FileNotFoundError(
            f"the work dir {work_dir} holds no {kind}; name the checkpoint to test"
        )
    return found
