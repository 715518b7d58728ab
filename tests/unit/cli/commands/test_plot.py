"""`plot` on the command line."""

import pytest
from support.people import make_clip

from realtime_pose.app.take import PLOT, SESSION, TakeRecorder
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.session.format import MAGIC


def record(folder):
    recorder = TakeRecorder(folder, TakeInfo(30.0, {"fps": 30.0}), (), force=True)
    for result in make_clip(5):
        recorder.send(result)
    recorder.close()


@pytest.fixture
def take(tmp_path):
    record(tmp_path / "take")
    return tmp_path / "take"


def test_a_take_is_plotted_beside_its_session(call, take):
    code, out, err = call("plot", take)
    assert (code, err) == (0, "")
    assert f"written: {take / PLOT}" in out
    assert "<h1>take</h1>" in (take / PLOT).read_text(encoding="utf-8")
    assert call("plot", take / SESSION)[0] == 0


def test_a_new_take_in_the_folder_removes_the_old_page(call, take):
    call("plot", take)
    record(take)
    assert not (take / PLOT).exists()


def test_a_page_of_another_name_of_one_person_and_frame(call, take, tmp_path):
    code, out, _ = call("plot", take, "--out", "pages/a.html", "--person", "0", "--frame", "3")
    assert code == 0
    assert "written: pages/a.html" in out
    assert '"row":3' in (tmp_path / "pages" / "a.html").read_text(encoding="utf-8")
    assert not (take / PLOT).exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("none",), 1, "cannot read none"),
        (("text.rtpose",), 1, "text.rtpose is not a session"),
        (("newer.rtpose",), 1, "is a session of version 2, this program reads 1; update it"),
        (("TAKE", "--out", "x.pdf"), 2, "x.pdf is not a name for a page; give one that ends in .html"),
        (("TAKE", "--out", "mine.html"), 2, "mine.html exists and is not a page of this command"),
        (("TAKE", "--person", "4"), 2, "--person 4 has no pose in"),
        (("TAKE", "--frame", "-1"), 2, "the nearest is 0"),
    ],
)
def test_failures_are_reported_in_one_sentence_and_write_no_files(call, take, tmp_path, arguments, code, said):
    (tmp_path / "newer.rtpose").write_bytes(MAGIC + b"\x02\x00" + b"what is to come")
    (tmp_path / "text.rtpose").write_text("a letter")
    (tmp_path / "mine.html").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    got, _, err = call("plot", *[str(take) if argument == "TAKE" else argument for argument in arguments])
    assert got == code
    assert said in err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "mine.html").read_text() == "mine"
