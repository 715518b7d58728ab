"""Code blocks on the pages: Python compiles and runs, settings, JSON and JavaScript are valid."""

import json
import re
import shutil
import subprocess
import sys
import warnings
from types import ModuleType

import cv2
import numpy as np
import pytest
import yaml
from support.actor_frames import FACING, actor_frame
from support.pages import PAGES, ROOT, blocks, named
from support.people import make_clip

from realtime_pose.config import AppConfig

RUN_ELSEWHERE = {
    "docs/architecture.md": "tests/docs/test_architecture_page.py",
    "docs/library.md": "tests/unit/test_api.py",
    "docs/feeds.md": "tests/docs/test_feeds_page.py",
}
"""Pages whose Python another test runs."""
ONLY_COMPILED = {
    "docs/gradio.md": "calls a running Gradio server: tests/unit/interface/test_gradio_app.py",
}
PYTHON = [(named(page), i, code) for page in PAGES for i, code in enumerate(blocks(page, "python", "py"))]
TO_RUN = sorted({page for page, _, _ in PYTHON} - {*RUN_ELSEWHERE, *ONLY_COMPILED})


@pytest.mark.parametrize(("page", "number", "code"), PYTHON, ids=[f"{page}-{i}" for page, i, _ in PYTHON])
def test_python_compiles(page, number, code):
    with warnings.catch_warnings(action="error"):
        compile(code, f"{page}, block {number}", "exec")


def test_snippets_run_by_other_tests_are_in_those_tests():
    for page, test in RUN_ELSEWHERE.items():
        text = (ROOT / test).read_text(encoding="utf-8")
        assert page.rsplit("/", 1)[1] in text
        assert "exec(" in text
    assert {page for page, _, _ in PYTHON} >= {*RUN_ELSEWHERE, *ONLY_COMPILED}


@pytest.mark.parametrize("page", TO_RUN)
def test_the_programs_of_a_page_run_in_their_order(page, tmp_path, monkeypatch, capsys):
    """Run with a clip, an image and the variables that the text names; the output is that of their comments."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    first = actor_frame(FACING).image_bgr
    cv2.imwrite("me.jpg", first)
    for name in ("dance.mp4", "clip.mp4"):
        writer = cv2.VideoWriter(name, cv2.VideoWriter_fourcc(*"mp4v"), 30, first.shape[1::-1])
        for index in range(4):
            writer.write(actor_frame(index).image_bgr)
        writer.release()
    poses = [person.pose for result in make_clip(5) for person in result.people[:1]]
    program = ModuleType("program_of_a_page")
    monkeypatch.setitem(sys.modules, program.__name__, program)
    program.__dict__.update(poses=poses, np=np)
    for of, number, code in PYTHON:
        if of == page:
            exec(compile(code, f"{page}, block {number}", "exec"), program.__dict__)
            printed = capsys.readouterr().out
            for line in re.findall(r"print\(.*\)  # (.+)", code):
                assert line in printed


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml", "yml")], ids=named)
def test_settings_on_a_page_are_settings(page):
    sections = {"capture", "inference", "body", "output"}
    for code in blocks(page, "yaml", "yml"):
        values = yaml.safe_load(code)
        if isinstance(values, dict) and sections & set(values):
            AppConfig().with_values(values, named(page))


def test_json_on_the_pages_is_json():
    for page in PAGES:
        for code in blocks(page, "json"):
            json.loads(code)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "js", "javascript")], ids=named)
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_javascript_on_a_page_is_javascript(page, tmp_path):
    for code in blocks(page, "js", "javascript"):
        (tmp_path / "block.mjs").write_text(code, encoding="utf-8")
        done = subprocess.run(
            ["node", "--check", tmp_path / "block.mjs"], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{named(page)}: {done.stderr}"
