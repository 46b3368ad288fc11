"""A letter as PDF and as pictures of its pages. The same letter gives the same bytes on every machine.  排版

Set in typst with Noto Serif in Chinese and Japanese shapes, from wheels, embedded: nothing of the machine's own is used.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

from duecourse.actions.paper import split_page_words
from duecourse.errors import DocumentUnprintableError

if TYPE_CHECKING:
    import typst

    from duecourse.actions.letters.document import Letter

HERE: Final = Path(__file__).parent
LOGO_BYTES: Final = 300_000
"""A logo is no larger than this."""
_ONE_AT_A_TIME: Final = Lock()
"""The compiler takes one document at a time, and says no to a second."""
FORMATS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}


def pdf(letter: Letter, dated: date) -> bytes:
    """The letter as PDF, its text selectable and its fonts in it. Raises DocumentUnprintableError."""
    found = _set(letter, dated, "pdf")
    assert isinstance(found, bytes)
    return found


def pictures(letter: Letter, dated: date, *, dots_per_inch: float = 96.0) -> list[bytes]:
    """Its pages as PNG, to be looked at. Raises DocumentUnprintableError."""
    found = _set(letter, dated, "png", ppi=dots_per_inch)
    return [found] if isinstance(found, bytes) else list(found)


def _set(letter: Letter, dated: date, kind: Literal["pdf", "png"], **more: Any) -> Any:
    told = asdict(letter) | {"logo": _logo(letter.logo), "page_of": [split_page_words(one) for one in letter.page_of]}
    text = json.dumps(told, ensure_ascii=False, sort_keys=True)
    moment = datetime(dated.year, dated.month, dated.day, tzinfo=UTC)
    try:
        with _ONE_AT_A_TIME:
            return _compiler().compile(format=kind, sys_inputs={"letter": text}, timestamp=int(moment.timestamp()), **more)
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "typst":
            raise
        raise DocumentUnprintableError(title=letter.number, detail=str(error)) from error


def _logo(logo: str) -> dict[str, Any] | None:
    """`data:image/png;base64,…` as bytes typst can draw; anything else is no logo."""
    kind, comma, encoded = logo.partition(",")
    image = FORMATS.get(kind.removeprefix("data:").removesuffix(";base64"))
    return {"format": image, "bytes": list(base64.b64decode(encoded))} if comma and image else None


@cache
def _compiler() -> typst.Compiler:
    import pylopdf_fonts_jp as japanese  # noqa: PLC0415 — only where something is printed
    import pylopdf_fonts_zh_cn as chinese  # noqa: PLC0415
    import typst  # noqa: PLC0415

    places = [str(Path(str(one.__file__)).parent) for one in (chinese, japanese)]
    return typst.Compiler(input=str(HERE / "letter.typ"), root=str(HERE), font_paths=places, ignore_system_fonts=True)
