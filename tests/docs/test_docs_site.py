"""The documentation as a site: it builds without warnings, is complete, and loads nothing from elsewhere."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest
from support.pages import ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None,
    reason="needs MkDocs: pip install -r requirements-docs.txt",
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, (
        "\n".join(line for line in done.stderr.splitlines() if "WARNING" in line) or done.stderr
    )
    return folder


def html(site):
    return {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_every_page_of_the_repository_is_a_page_of_the_site(site):
    written = {
        path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in (ROOT / "docs").rglob("*.md")
    }
    assert written <= set(html(site))
    assert not list(site.rglob("*.py"))


def test_no_page_loads_anything_from_elsewhere(site):
    """Links may lead elsewhere; scripts, styles, images and fonts may not."""
    for name, text in html(site).items():
        loaded = re.findall(
            r"<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|srcset|data)=\"([^\"]+)", text
        )
        loaded += re.findall(r"<link\b(?![^>]*rel=\"(?:canonical|next|prev)\")[^>]*?\bhref=\"([^\"]+)", text)
        assert loaded, name
        assert not [address for address in loaded if re.match(r"(?:[a-z]+:)?//", address)], name
        assert "fonts.googleapis" not in text
        assert "<form" not in text or not re.search(r"<form[^>]*action=", text)
    for path in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']+", path.read_text(encoding="utf-8")), (
            path
        )


def test_lists_and_tables_came_out_as_such(site):
    """Python's Markdown needs an empty line before a list or a table; GitHub's does not."""
    for name, text in html(site).items():
        outside_code = re.sub(r"<(pre|code)\b.*?</\1>", "", text, flags=re.DOTALL)
        broken = re.findall(
            r"<(?:p|li)>[^<]*(?:<(?!/?(?:p|li|ul|ol)\b)[^>]*>[^<]*)*\n *(?:[-*] |\d+\. |\|)[^\n]*", outside_code
        )
        assert not broken, f"{name}: {broken[0]}"
        assert "|---" not in outside_code, name
        assert "](" not in re.sub(r"<script.*?</script>", "", outside_code, flags=re.DOTALL), name


def test_the_engine_pages_have_their_images(site):
    for engine in ("blender", "javascript"):
        page = site / "repository" / "receivers" / engine / "index.html"
        (picture,) = re.findall(r'<img[^>]* src="(picture\.\w+)"', page.read_text(encoding="utf-8"))
        assert (page.parent / picture).is_file()


def test_the_first_page_leads_to_the_first_steps_in_spanish(site):
    assert 'href="first-steps.es.html"' in (site / "index.html").read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_that_reads_the_site_contacts_no_other_host(site):
    """From a plain file server, with a search, on a wide and a narrow screen."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", site],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        home = "http://127.0.0.1:" + re.search(r"port (\d+)", server.stdout.readline())[1]
        with playwright.sync_playwright() as running:
            browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-quic"])
            asked, complaints = [], []
            for width in (1280, 390):
                page = browser.new_page(viewport={"width": width, "height": 900})
                page.set_default_timeout(60_000)
                page.on("request", lambda request: asked.append(request.url))
                page.on("pageerror", lambda error: complaints.append(str(error)))
                for name in ("index.html", "conventions.html", "repository/receivers/blender/index.html"):
                    assert page.goto(f"{home}/{name}").ok
                    page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth)")
                    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    assert wide <= 0, f"{name} is {wide} px too wide at {width}"
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(f"{home}/index.html")
            search = page.locator("[data-md-component=search-query]").first
            search.click()
            page.locator(".md-search-result__meta", has_text="Type to start searching").wait_for()  # its index is here
            search.press_sequentially("retargeting")
            page.locator(".md-search-result__item a").first.wait_for(state="attached")
            browser.close()
    finally:
        server.terminate()
        server.communicate(timeout=30)
    assert not [address for address in asked if not address.startswith((home, "data:", "blob:"))]
    assert not complaints
