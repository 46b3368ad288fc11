"""Where the product keeps, for one user of a machine, what it could work out again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path | None:
    """`$DUECOURSE_CACHE`, or `duecourse` in the user's cache folder; it need not exist yet. None where the user has no home.

    The user's is `$XDG_CACHE_HOME`, else `~/.cache`, as the XDG Base Directory Specification has it.
    """
    own = os.environ.get("DUECOURSE_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(shared) if shared else Path.home() / ".cache") / "duecourse"
    except RuntimeError:
        return None
