"""The project's Markdown pages and their contents: links, headings, code blocks, commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("receivers/*/README.md")),
]
MADE = {ROOT / "docs" / "reference" / name for name in ("commands.md", "packet.md", "settings.md")}
"""Pages that docs/make_reference.py writes, whose commands are not meant to be typed."""
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w.-]*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)((?:    [^\n]*\n|\n(?=    ))+)")
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
SHELLS = ("", "sh", "bash", "shell", "console", "powershell", "text")


def named(path: Path) -> str:
    """The page's path in the repository."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, *languages: str) -> list[str]:
    """The fenced blocks of these languages."""
    found = _FENCE.finditer(path.read_text(encoding="utf-8"))
    return [_dedented(match) for match in found if match["language"] in languages]


def _dedented(match: re.Match[str]) -> str:
    indent = match["indent"]
    return "".join(line.removeprefix(indent) for line in match["code"].splitlines(keepends=True))


def prose(path: Path) -> str:
    """The page without blocks of code; spans of code are still in it."""
    return _INDENTED.sub("", _FENCE.sub("", path.read_text(encoding="utf-8")))


def links(path: Path) -> list[tuple[bool, str, str]]:
    """(whether it is an image, its text, its target) of each link."""
    return [(bang == "!", words, target) for bang, words, target in _LINK.findall(_INLINE.sub("``", prose(path)))]


def anchors(path: Path) -> set[str]:
    """The anchors of the page's headings, as on GitHub and on the site."""
    seen: dict[str, int] = {}
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(path), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", _LINK.sub(r"\2", heading).lower()).replace(" ", "-")
        found.add(words + (f"-{seen[words]}" if words in seen else ""))
        seen[words] = seen.get(words, 0) + 1
    return found


def commands(path: Path) -> Iterator[list[str]]:
    """Each command of the page, split into words: lines of blocks for a shell, and spans of code.

    A prompt, `.venv/bin/`, assignments before a command, what a pipe or `&&` leads to as a command of its own: all as a
    shell takes them. Placeholders stay as they are.
    """
    text = path.read_text(encoding="utf-8")
    lines = [line for block in blocks(path, *SHELLS) for line in block.replace("\\\n", " ").splitlines()]
    lines += [line.strip() for match in _INDENTED.findall(_FENCE.sub("", text)) for line in match.splitlines()]
    lines += _INLINE.findall(prose(path))
    for line in lines:
        for part in re.split(r"&&|\|\||[;|](?= )| & | >{1,2} |(?<= )#.*", line):
            try:
                words = shlex.split(part.strip().removeprefix("$ "), comments=True)
            except ValueError:  # an apostrophe: these are words, not a command
                continue
            while words and re.fullmatch(r"[A-Z_]+=\S*|export|sudo", words[0]):
                del words[0]
            if words:
                words[0] = re.sub(r"^(\S*[/\\])?(bin|Scripts)[/\\]", "", words[0]).removesuffix(".exe")
                yield words
