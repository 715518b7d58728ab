"""`bones` on the command line."""

import yaml
from support.rigs import NAMES, make_rig

from realtime_pose.model3d.character import load_character


def test_the_bones_are_shown_and_written_ready_for_use(call, tmp_path):
    rig = make_rig(tmp_path / "mine.glb", names=NAMES["unity"] | {"leftHand": "paw: left #1", "hips": "01"})
    code, out, err = call("bones", rig)
    assert (code, err) == (0, "")
    cells = [[cell.strip() for cell in line.split("│")] for line in out.splitlines() if line.count("│") > 2]
    rows = {bone: (node, how) for _, bone, node, how, *_ in cells}
    assert rows["leftHand"] == ("paw: left #1", "structure")
    assert rows["rightHand"] == ("RightHand", "name")
    assert rows["hips"] == ("01", "structure")
    assert rows["spine"] == ("Spine", "tree")
    written = yaml.safe_load((tmp_path / "bones.yaml").read_text(encoding="utf-8"))
    assert (written["leftHand"], written["hips"]) == ("paw: left #1", "01")
    character = load_character(rig, tmp_path / "bones.yaml")
    assert (character.bones, character.guessed) == (load_character(rig).bones, ())


def test_corrections_are_not_replaced(call, tmp_path):
    rig = make_rig(tmp_path / "mine.glb")
    (tmp_path / "bones.yaml").write_text("leftHand: leftHand\n")
    code, out, err = call("bones", rig)
    assert code == 2
    assert "leftUpperArm" in out
    assert "bones.yaml exists and may have your corrections; give another name with --out, or --force" in err
    assert (tmp_path / "bones.yaml").read_text() == "leftHand: leftHand\n"
    assert call("bones", rig, "--out", "other.yaml", "--bones", "bones.yaml")[0] == 0
    assert call("bones", rig, "--force")[0] == 0
    assert "hips: hips" in (tmp_path / "bones.yaml").read_text()


def test_missing_bones_are_a_failure_and_left_to_fill_in(call, tmp_path):
    rig = make_rig(tmp_path / "mine.glb", names=NAMES["unity"] | {"leftFoot": "hoof"}, without=("rightHand",))
    code, out, err = call("bones", rig)
    assert code == 1
    assert "not found" in out
    assert "no node with a known name or place for: rightHand, leftFoot" in err
    text = (tmp_path / "bones.yaml").read_text()
    assert "\n# rightHand:\n" in text
    assert "hoof" in text
    (tmp_path / "bones.yaml").write_text(text.replace("# leftFoot:", "leftFoot: hoof"))
    assert "place for: rightHand;" in call("bones", rig, "--bones", "bones.yaml", "--out", "b.yaml")[2]


def test_a_file_that_is_no_character_is_refused(call, tmp_path):
    (tmp_path / "a.glb").write_text("a letter")
    code, _, err = call("bones", "a.glb")
    assert code == 1
    assert "a.glb is not a glTF binary" in err
