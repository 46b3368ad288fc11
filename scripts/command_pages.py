"""Write docs/reference/commands.md from the program's own help: `.venv/bin/python scripts/command_pages.py`."""

from __future__ import annotations

from pathlib import Path

import click

from duecourse.cli.commands import build
from duecourse.messages import use_language

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"
INTRODUCTION = """# Commands

What `duecourse --help` and `duecourse COMMAND --help` say. `--lang zh` says it in Chinese. Every command's options may be mixed with the program's own.
"""


def page() -> str:
    """The whole page."""
    use_language("en")
    program = build()
    context = click.Context(program, info_name="duecourse", max_content_width=110, terminal_width=110)
    parts = [INTRODUCTION, "## duecourse\n", f"```text\n{program.get_help(context)}\n```\n"]
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if command is not None:
            inner = click.Context(command, info_name=name, parent=context, max_content_width=110, terminal_width=110)
            parts += [f"## {name}\n", f"```text\n{command.get_help(inner)}\n```\n"]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
