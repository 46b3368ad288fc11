"""Static files that are made rather than kept: the chart library, out of the wheel that also draws charts on the server."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Final

from duecourse.web import environment as env

FOLDER: Final = env.HOME / "made"
BUNDLE: Final = "duecourse-charts.js"


def prepare() -> None:
    """Write Vega, Vega-Lite and Vega-Embed as one file into a folder of static files; nothing is done when it is there in this version."""
    target, stamp = FOLDER / BUNDLE, FOLDER / f".{version('vl-convert-python')}"
    if target.exists() and stamp.exists():
        return
    import vl_convert  # noqa: PLC0415 — starts a JavaScript engine

    FOLDER.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(f".{os.getpid()}")
    half.write_text(vl_convert.javascript_bundle(), encoding="utf-8")  # type: ignore[call-arg]  # its stub asks for the optional snippet
    half.replace(target)  # several servers may start at once: each file is whole
    stamp.touch()
