"""Every sentence stands in both languages, with the same arguments, and nothing says a sentence that does not exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import duecourse
from duecourse import errors, messages
from duecourse.errors import DuecourseError

SOURCE = Path(duecourse.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CATALOGUE = messages.catalogue()


def faults_of(wording: dict[str, str]) -> list[str]:
    if set(wording) - {"en_one"} != {"en", "zh"}:
        return [f"stands in {sorted(wording)}"]
    faults = []
    if messages.arguments(wording.get("en_one", wording["en"])) != messages.arguments(wording["en"]):
        faults.append("one and many have different arguments")
    if messages.arguments(wording["en"]) != messages.arguments(wording["zh"]):
        faults.append("the languages have different arguments")
    faults += [f"{language} is empty" for language in ("en", "zh") if not wording[language].strip()]
    # A wording without a letter of its own (a pattern of arguments) is the same in both.
    if re.sub(r"\{[^}]*\}|[^A-Za-z]", "", wording["en"]) and wording["en"] != wording["zh"] and not CHINESE.search(wording["zh"]):
        faults.append("the Chinese wording has no Chinese in it")
    return faults


def test_every_sentence_stands_in_both_languages_with_the_same_arguments():
    """One test for the thousands: a test each took longer than all of what they check."""
    assert len(CATALOGUE) > 2_000
    assert {identifier: faults for identifier, wording in CATALOGUE.items() if (faults := faults_of(wording))} == {}


@pytest.mark.parametrize(
    ("wording", "fault"),
    [
        ({"en": "A"}, "stands in"),
        ({"en": "A {n}", "zh": "一"}, "the languages"),
        ({"en": "{n} days", "en_one": "day", "zh": "{n} 天"}, "one and many"),
        ({"en": "A", "zh": " "}, "zh is empty"),
        ({"en": "Hello", "zh": "Bonjour"}, "no Chinese"),
    ],
)
def test_a_faulty_sentence_is_told(wording, fault):
    assert fault in " ".join(faults_of(wording))


@cache
def calls() -> dict[str, list[tuple[str, ast.expr]]]:
    """What the code calls that says something -> each call's file and first argument. All of the code is read, which takes its time: once."""
    found: dict[str, list[tuple[str, ast.expr]]] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in {"say", "Finding", "Check"}:
                    found.setdefault(name, []).append((path.name, node.args[0]))
    return found


@cache
def said() -> dict[str, set[str]]:
    """Identifiers the code says literally -> the files that say them; a formatted one stands with `*` for its open part."""
    found: dict[str, set[str]] = {}
    for file, first in calls()["say"]:
        for choice in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
            if isinstance(choice, ast.Constant) and isinstance(choice.value, str):
                found.setdefault(choice.value, set()).add(file)
            elif isinstance(choice, ast.JoinedStr):
                pattern = "".join(part.value if isinstance(part, ast.Constant) else "*" for part in choice.values)
                found.setdefault(pattern, set()).add(file)
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
    return {first.value for _file, first in (*calls()["Finding"], *calls()["Check"]) if isinstance(first, ast.Constant)}


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
