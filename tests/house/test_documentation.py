"""What README and docs show is there: commands, their options, variants, and the files that they link to."""

from __future__ import annotations

import pkgutil
import re
import shlex
from pathlib import Path

import pytest
import typer

from conformance.casefile.loader import load
from conformance.casefile.patterns import matches
from conformance.cli import app
from conformance.suite.selection import default_root

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTIONS = {
    name: {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for name, command in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined] # it is a group
}


def commands(text: str) -> list[list[str]]:
    """The commands of the suite in a page: lines of code blocks, and code within a line."""
    code = [part for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) for part in block.splitlines()]
    code += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    texts = [one.split("   #")[0].replace("…", "").strip().removeprefix("repeat").strip() for one in code]
    return [shlex.split(one) for one in texts if one.startswith("conformance ")]


def mistakes(text: str) -> list[str]:
    """The commands and options of a page that there are not."""
    wrong = []
    for _, name, *words in commands(text):
        if name not in OPTIONS:
            wrong.append(name)
            continue
        # '[--json]' says that it may be left out, 'a|b' that there is a choice
        given = [word.strip("[]").partition("=")[0] for word in words if word.strip("[]").startswith("-")]
        wrong += [f"{name} {option}" for option in given if option not in OPTIONS[name]]
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page: Path) -> None:
    assert mistakes(page.read_text(encoding="utf-8")) == []


def test_there_are_commands_to_look_at() -> None:
    found = [words for page in PAGES for words in commands(page.read_text(encoding="utf-8"))]
    assert len(found) > 30
    assert {words[1] for words in found} >= OPTIONS.keys()


def test_a_command_or_an_option_that_does_not_exist_is_found() -> None:
    assert mistakes("```sh\nconformance run --backnd torch   # all\n```\nor `conformance audti`") == [
        "run --backnd",
        "audti",
    ]
    assert mistakes("`conformance list [--json]`, `conformance diff A B`") == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_variants_that_are_named_exist(page: Path) -> None:
    known = [variant.id for variant in load(default_root()).variants()]
    named = re.findall(r"(?:document|ops|accuracy)/[\w/.-]+\[[^\]\s]+\]", page.read_text(encoding="utf-8"))
    assert [one for one in named if not any(matches(one, variant) for variant in known)] == []
    assert named or page.name != "README.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def mentioned(text: str) -> set[str]:
    """The modules of the package, and names in them, that a text puts into backticks."""
    return set(re.findall(r"`(conformance(?:\.\w+)+)(?:\(\))?`", text))


def exists(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def test_modules_and_names_that_are_mentioned_exist() -> None:
    files = [*PAGES, *sorted((ROOT / "conformance").rglob("*.py"))]
    found = {name: path for path in files for name in mentioned(path.read_text(encoding="utf-8"))}
    assert len(found) > 10
    groups = {"conformance.backends"}  # an entry-point group as well
    assert {name: str(path) for name, path in found.items() if name not in groups and not exists(name)} == {}


def test_a_name_that_is_gone_is_seen() -> None:
    text = "See `conformance.judging.judge.Judge` and `conformance.divergences`, or `conformance.runfile.read()`."
    assert {name: exists(name) for name in mentioned(text)} == {
        "conformance.judging.judge.Judge": True,
        "conformance.divergences": False,
        "conformance.runfile.read": True,
    }
