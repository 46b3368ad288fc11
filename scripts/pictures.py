"""Draw the pictures of the README from the real program: `.venv/bin/python scripts/pictures.py` (after `./run`; needs Chromium and a CJK font)."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from duecourse.cli import render
from duecourse.cli.reading import kpi_report
from duecourse.desk.dates import default_day
from duecourse.desk.opening import open_ledger
from duecourse.messages import LANGUAGES, use_language

HERE = Path(__file__).resolve().parent.parent
WIDTH = 140
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 18px 22px; background: #14181d; }}
pre {{ margin: 0; color: #e6e8ea; font: 15px/1.42 "Noto Sans Mono CJK SC", "Noto Sans Mono", monospace; }}
.prompt {{ color: #8fb4d9; }} .r2 {{ opacity: .62 }}
</style><pre><span class="prompt">$ duecourse --ledger demo-ledger kpi{option}</span>
{text}</pre>"""


def draw(place: str) -> None:
    """One picture a language, of the first screen a person sees."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is needed to draw the pictures (Debian: apt-get install chromium fonts-noto-cjk)")
    ledger = open_ledger(place)
    book = ledger.as_of(default_day(ledger))
    for language in LANGUAGES:
        use_language(language)
        console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
        render.print_report(kpi_report(book, worst_count=5), console)
        body = console.export_html(code_format="{code}", inline_styles=True)
        lines = body.count("\n") + 2
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            page.write_text(PAGE.format(text=body, option=" --lang zh" if language == "zh" else ""), encoding="utf-8")
            target = HERE / "docs" / "images" / f"kpi-{language}.png"
            subprocess.run(  # noqa: S603
                [
                    chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
                    "--disable-sync", f"--user-data-dir={folder}/profile", f"--window-size=1140,{int(lines * 21.3) + 40}", f"--screenshot={target}", page.as_uri(),
                ],
                check=True, capture_output=True,
            )  # fmt: skip


if __name__ == "__main__":
    draw(sys.argv[1] if len(sys.argv) > 1 else str(HERE / "demo-ledger"))
