"""The command line: `duecourse --ledger DIR COMMAND`. It parses, calls one use case of the desk, and renders.

Exit codes: 0 fine, 1 findings (rows in quarantine, faults in the book), 2 misuse or an error the caller can mend.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FINE: Final = 0
FINDINGS: Final = 1
MISUSE: Final = 2
INTERRUPTED: Final = 130

ANYWHERE: Final = ("--ledger", "--as-of", "--known-at", "--lang", "--format", "--output", "-o")
"""Options of the program itself; people also write them after the command."""


def hoisted(argv: Sequence[str]) -> list[str]:
    """The same words with the program's own options in front, wherever they stood. What follows `--` is left alone."""
    front: list[str] = []
    rest: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            rest += [word, *words]
            break
        name, equals, _value = word.partition("=")
        if name in ANYWHERE:
            front.append(word)
            if not equals and words:
                front.append(words.pop(0))
        else:
            rest.append(word)
    return front + rest


def language_of(argv: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language asked for: `--lang`, else DUECOURSE_LANG, else what the system speaks."""
    for number, word in enumerate(argv):
        if word == "--lang" and number + 1 < len(argv):
            return "zh" if argv[number + 1].lower().startswith("zh") else "en"
        if word.startswith("--lang="):
            return "zh" if word[7:].lower().startswith("zh") else "en"
    for name in ("DUECOURSE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "zh" if environment[name].lower().startswith("zh") else "en"
    return "en"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    from duecourse.messages import use_language

    use_language(language_of(words, os.environ))

    from duecourse.cli.commands import build

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a C locale must not stop a Chinese name
    return outcome_of(lambda: build().main(args=hoisted(words), prog_name="duecourse", standalone_mode=False))


def outcome_of(work: Callable[[], object]) -> int:
    """Do something, saying on standard error what a person can mend; the exit code."""
    import click

    from duecourse.errors import DuecourseError
    from duecourse.messages import say

    try:
        outcome = work()
    except click.ClickException as error:
        error.show(sys.stderr)
        return MISUSE
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write(say("cli.cancelled") + "\n")
        return INTERRUPTED
    except DuecourseError as error:
        sys.stderr.write(error.message() + "\n")
        return MISUSE
    except BrokenPipeError:
        return reader_gone()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return _not_all_written()
    return outcome if isinstance(outcome, int) else FINE


def entry_point() -> None:
    """What the installed `duecourse` script calls."""
    from duecourse.collector import look_seldom

    look_seldom()
    _leave(main())


def _leave(code: int) -> NoReturn:
    """End the process at once, as one that was forked ends: else all it has loaded is taken apart first, piece by piece, while a person waits."""
    import atexit
    import threading

    if threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()  # noqa: SLF001 — what others want done at the end is done
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:  # the reader has seen enough
            continue
        except OSError:
            code = _not_all_written()
    os._exit(code)


def reader_gone() -> int:
    """The reader of the answer has seen enough (`| head`): that is no failure, and what is left to say goes nowhere."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 — the interpreter closes it at exit
    return FINE


def _not_all_written() -> int:
    """The disk that the answer goes to is full: it is not all there, and must not be taken for whole."""
    from contextlib import suppress

    from duecourse.messages import say

    with suppress(OSError):  # the same disk may hold what is said of faults
        sys.stderr.write(say("cli.answer_cut_off") + "\n")
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 — the process ends
    return MISUSE
