"""MkDocs hooks: pages from outside of docs/, and links that lead out of it.

The Markdown's links are those of the repository. A link to a page that the site has too (CARRIED) is rewritten;
a link to code or a folder becomes plain text.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from pymdownx.slugs import slugify

ROOT = Path(__file__).parents[1]
BESIDE = "repository"
"""The site's folder for files from outside of docs/, under their paths in the repository."""
CARRIED = (
    "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "NOTICE", "SECURITY.md", "checkpoints/*.md", "receivers/*/README.md",
    "receivers/*/picture.*", "resources/lifter/README.md", "schema/*.json",
)  # fmt: skip
_FENCED = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[([^\]\n]*)\]\(([^)\s]+)\)")


def on_config(config: Any) -> Any:  # noqa: ANN401 - MkDocs' own
    """Configure anchors as in the repository: accents are kept."""
    config["mdx_configs"]["toc"]["slugify"] = slugify(case="lower")
    return config


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401
    """The files of docs/, and those of CARRIED."""
    for pattern in CARRIED:
        for path in sorted(ROOT.glob(pattern)):
            name = f"{BESIDE}/{path.relative_to(ROOT).as_posix()}"
            files.append(File.generated(config, name if path.suffix else f"{name}.txt", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ANN401
    """The page with the site's links."""
    here = page.file.src_uri
    parts = _FENCED.split(markdown)
    parts[::2] = [_LINK.sub(lambda match: _rewritten(match, here, files), part) for part in parts[::2]]
    return "".join(parts)


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:  # noqa: ANN401
    """The page's HTML; a reference page in an element that the style sheet knows."""
    return f'<div class="reference">{html}</div>' if page.file.src_uri.startswith("reference/") else html


def _rewritten(match: re.Match[str], here: str, files: Files) -> str:
    bang, text, target = match.groups()
    address, hash_sign, anchor = target.partition("#")
    if not address or ":" in address:
        return match[0]
    in_repository = here.removeprefix(f"{BESIDE}/") if here.startswith(f"{BESIDE}/") else f"docs/{here}"
    path = posixpath.normpath(posixpath.join(posixpath.dirname(in_repository), address))
    if not (ROOT / path).exists():
        return match[0]  # MkDocs reports the broken link
    there = path.removeprefix("docs/") if path.startswith("docs/") else f"{BESIDE}/{path}"
    for candidate in (there, f"{there}/README.md", f"{there}.txt"):
        if files.get_file_from_path(candidate):
            return f"{bang}[{text}]({posixpath.relpath(candidate, posixpath.dirname(here))}{hash_sign}{anchor})"
    return text
