"""Links and headings in README and docs, as they work in the repository."""

import re
from itertools import pairwise

import pytest
from support.pages import PAGES, ROOT, anchors, links, named, prose


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_existing_files_and_headings(page):
    for is_image, words, target in links(page):
        address, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", address):
            assert address.startswith(("https://", "http://127.0.0.1", "http://localhost", "mailto:")), target
            continue
        there = (page.parent / address).resolve() if address else page
        assert there.exists(), f"{named(page)} links {target}"
        assert there.is_relative_to(ROOT), f"{named(page)} links {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{named(page)} links {target}; there are {sorted(anchors(there))}"
        assert words or not is_image, f"{named(page)}: the image {target} has no alternative text"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_has_one_title_and_leaves_out_no_level(page):
    levels = [len(signs) for signs in re.findall(r"^(#+) ", prose(page), re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_relative_to(ROOT / "docs")], ids=named)
def test_the_first_line_names_the_readers_of_the_page(page):
    text = re.sub(r"<!--.*?-->|^\*\[.*\]\(.*\)\*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    first = text.split("\n", 1)[1].strip().split("\n")[0]
    assert re.match(r"(For|Para) [\w ,]+[:.] ", first), f"{named(page)} starts with: {first}"


def test_pages_that_prose_names_are_there():
    """`docs/feet.md` without a link, as in comments and on other pages."""
    texts = [*PAGES, *ROOT.glob("realtime_pose/**/*.py"), *ROOT.glob("configs/*.yaml"), ROOT / "pyproject.toml"]
    seen = 0
    for path in texts:
        for name in re.findall(r"\bdocs/[\w./-]+\.(?:md|py|png|svg)", path.read_text(encoding="utf-8")):
            assert (ROOT / name).is_file(), f"{named(path)} names {name}"
            seen += 1
    assert seen > 10
