"""Every sentence stands in both languages, with the same arguments, and nothing says a sentence that does not exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import duecourse
from duecourse import errors, messages
from duecourse.errors import DuecourseError

SOURCE = Path(duecourse.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CATALOGUE = messages.catalogue()


@pytest.mark.parametrize("identifier", sorted(CATALOGUE))
def test_a_sentence_stands_in_both_languages_with_the_same_arguments(identifier):
    wording = CATALOGUE[identifier]
    assert set(wording) - {"en_one"} == {"en", "zh"}
    assert messages.arguments(wording.get("en_one", wording["en"])) == messages.arguments(wording["en"])
    assert messages.arguments(wording["en"]) == messages.arguments(wording["zh"])
    assert wording["en"].strip()
    assert wording["zh"].strip()
    # A wording without a letter of its own (a pattern of arguments) is the same in both.
    if re.sub(r"\{[^}]*\}|[^A-Za-z]", "", wording["en"]) and wording["en"] != wording["zh"]:
        assert CHINESE.search(wording["zh"]), "the Chinese wording has no Chinese in it"


def said() -> dict[str, set[str]]:
    """Identifiers the code says literally -> the files that say them; a formatted one stands with `*` for its open part."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "say" and node.args:
                first = node.args[0]
                for choice in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
                    if isinstance(choice, ast.Constant) and isinstance(choice.value, str):
                        found.setdefault(choice.value, set()).add(path.name)
                    elif isinstance(choice, ast.JoinedStr):
                        pattern = "".join(part.value if isinstance(part, ast.Constant) else "*" for part in choice.values)
                        found.setdefault(pattern, set()).add(path.name)
    return found


def test_nothing_says_a_sentence_that_does_not_exist():
    missing = {name: files for name, files in said().items() if "*" not in name and name not in CATALOGUE}
    assert not missing
    patterns = [name for name in said() if "*" in name]
    for pattern in patterns:
        assert any(re.fullmatch(re.escape(pattern).replace(r"\*", ".+"), name) for name in CATALOGUE), pattern


def error_classes(base: type[DuecourseError] = DuecourseError) -> list[type[DuecourseError]]:
    return [cls for sub in base.__subclasses__() for cls in (sub, *error_classes(sub))]


@pytest.mark.parametrize("cls", error_classes(), ids=lambda cls: cls.__name__)
def test_every_error_has_a_whole_sentence(cls):
    wording = CATALOGUE[f"errors.{cls.code}"]
    assert wording["en"].rstrip().endswith((".", ")", "FILE", "history", "buyers", '"', "kpi")) or len(wording["en"]) > 30
    assert errors.DuecourseError in cls.__mro__


def findings_raised() -> set[str]:
    """Finding codes written in the code."""
    codes = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") in ("Finding", "Check")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                codes.add(node.args[0].value)
    return codes


def test_every_finding_has_a_sentence():
    assert {code for code in findings_raised() if f"findings.{code}" not in CATALOGUE} == set()
    assert len(findings_raised()) > 10


def test_every_act_role_and_table_has_its_words():
    """What is put together from a name: a page that says one that is missing is a page that fails."""
    from duecourse.glossary import TERMS
    from duecourse.ledger.entries import ENTRIES
    from duecourse.web.accounts.access import ACTS, ROLES
    from duecourse.web.imports.results import HIDDEN

    wanted = {f"web.people_may_{act}" for act in ACTS} | {f"web.people_role_{role}" for role in ROLES}
    wanted |= {f"web.imports_table_{name}" for name in ENTRIES if name not in TERMS and name not in HIDDEN}
    assert wanted <= set(CATALOGUE), sorted(wanted - set(CATALOGUE))


def test_one_thing_is_not_spoken_of_as_several():
    assert messages.say("web.frame_days", "en", count=1) == "1 day"
    assert messages.say("web.frame_days", "en", count=21) == "21 days"
    assert messages.say("web.frame_days", "zh", count=1) == messages.say("web.frame_days", "zh", count=21).replace("21", "1")


def test_it_refuses_a_language_it_does_not_speak():
    with pytest.raises(ValueError, match="fr"):
        messages.use_language("fr")
