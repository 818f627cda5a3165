"""Configs and tools that come with mmpar, found from any folder.

A wheel has them in ``mmpar/.mim``, where OpenMMLab's packages have them; a clone has
them beside the package.
"""

from __future__ import annotations

import difflib
import functools
import os.path as osp
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]
_INDEX = "model-index.yml"


def shipped_root() -> Path:
    """The folder that holds ``configs``, ``tools`` and ``model-index.yml``.

    Raises:
        FileNotFoundError: The package was copied without them.
    """
    places = (_PACKAGE / ".mim", _PACKAGE.parent)
    for place in places:
        if (place / _INDEX).is_file():
            return place
    raise FileNotFoundError(
        f"mmpar's configs and tools are in none of {', '.join(map(str, places))}; "
        "install mmpar from its wheel or its repository"
    )


@functools.cache
def model_index() -> dict[str, dict[str, Any]]:
    """The models of all metafiles: name to the metafile's entry.

    ``Config`` and ``README`` in them are relative to :func:`shipped_root`.
    """
    import yaml  # MMEngine depends on it; --help does not need it

    root = shipped_root()
    imports = yaml.safe_load((root / _INDEX).read_text(encoding="utf-8"))["Import"]
    metafiles = [
        yaml.safe_load((root / name).read_text(encoding="utf-8")) for name in imports
    ]
    return {model["Name"]: model for file in metafiles for model in file["Models"]}


def find_config(config: str) -> str:
    """The file of a config, given as a file or as the name of a model.

    >>> find_config("sspnet_r50_pa100k").endswith("configs/sspnet/sspnet_r50_pa100k.py")
    True

    Raises:
        ValueError: It is not a file, nor is a model called so.
    """
    if osp.basename(config) != config or config.endswith(".py") or osp.isfile(config):
        return config
    known = model_index()
    if config not in known:
        near = difflib.get_close_matches(config, known, n=3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(
            f"{config!r} is neither a config file nor the name of a model; {hint}"
            "'mmpar models' lists all names"
        )
    return str(shipped_root() / known[config]["Config"])
