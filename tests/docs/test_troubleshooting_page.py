"""Messages quoted in docs/troubleshooting.md and the first steps: the program has each of them."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("troubleshooting.md", "first-steps.md", "first-steps.es.md")
FOREIGN = (
    "realtime-pose: command not found", "No module named venv", "ensurepip is not available", "ModuleNotFoundError",
    "libGL.so.1", "pip check", "nvidia-", "-- NAME", "Python 3.11 or 3.12 is needed",
)  # fmt: skip
"""Messages of the shell, Python, pip and the Makefile."""


@cache
def sentences():
    """Every string in the program, split into the pieces between its placeholders."""
    found = set()
    for path in (ROOT / "realtime_pose").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.add(tuple(part.value for part in node.values if isinstance(part, ast.Constant)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                found.add((node.value,))
    for path in (ROOT / "viewer" / "src").glob("*.js"):
        found |= {(text,) for text in re.findall(r'"([^"\n]* [^"\n]*)"', path.read_text("utf-8"))}
    return found


def literal_share(pieces, text):
    """The share of the text that the pieces cover, in order; it may end inside one of them."""
    at = literal = 0
    for piece in pieces:
        place = text.find(piece, at)
        if place >= 0:
            literal, at = literal + len(piece), place + len(piece)
            continue
        beginnings = (n for n in range(min(len(piece), len(text) - at), 0, -1) if text.endswith(piece[:n]))
        return (literal + next(beginnings, 0)) / len(text)
    return literal / len(text)


def quoted():
    """(page, message) of each quotation in a symptom: a heading, or the first cell of a table's row."""
    for page in PAGES:
        for line in (ROOT / "docs" / page).read_text("utf-8").splitlines():
            symptom = line.split(" | ")[0]
            if not line.startswith(("| ", "### ")):
                continue
            for text in re.findall(r"`([^`]+)`", symptom) + re.findall(r'"([^"]+)"', re.sub(r"`[^`]*`", "", symptom)):
                if len(text.split()) > 2 and not any(text.startswith(word) for word in FOREIGN):
                    yield page, text


QUOTED = list(quoted())


def test_there_are_quotations():
    assert len(QUOTED) > 40


def best_share(text):
    """The largest share of a quotation that one string of the program covers."""
    said = text.removesuffix("...").rstrip(" ;").removesuffix(".").replace("...", "x")
    variants = (said, said[:1].lower() + said[1:])  # the page starts a sentence with a capital
    return max(literal_share(pieces, variant) for variant in variants for pieces in sentences())


@pytest.mark.parametrize(("page", "text"), QUOTED, ids=lambda value: value[:40])
def test_quoted_messages_are_those_of_the_program(page, text):
    assert best_share(text) > 0.42, f"{page}: the program has no message: {text}"  # the rest stands for values


def test_other_words_would_be_noticed():
    assert best_share("camera 0 was there but does not open; ...") < 0.42
    assert best_share("the weights of vitpose-b are not on this computer and downloads are off; ...") < 0.42
    assert best_share("The browser can not use the camera ...") < 0.42
