"""`realtime-pose models`: list, download and convert, and how a wrong file is refused."""

import re
import sys
from functools import partial

import pytest
from rich.console import Console
from safetensors.torch import save
from support.hub import fake_hub, go_online
from support.vitpose import PLUS, original_tensors, plus_models, plus_tensors, random_vitpose
from support.vitpose import save as save_weights

from realtime_pose.checkpoints import load_vitpose, read_detectors, read_manifest
from realtime_pose.cli import terminal
from realtime_pose.cli.commands.models import RECOMMENDED


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """An empty folder for weights, in place of the user's and the program's."""
    for module in ("manifest", "hub"):
        monkeypatch.setattr(f"realtime_pose.checkpoints.{module}.folders", lambda: (tmp_path / "weights",))
    monkeypatch.setattr("realtime_pose.checkpoints.folders", lambda: (tmp_path / "weights",))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "weights"


@pytest.fixture
def call(call):
    """Run a `models` command in this process: (exit code, stdout, stderr)."""
    return partial(call, "models")


def rows_of(out):
    """The cells of each line of the table, by its first cell."""
    return {cells[0]: cells for line in out.splitlines() if len(cells := re.split(r"\s{2,}", line.strip())) >= 4}


def test_the_list_has_five_recommended_ones_with_their_size(call, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    folder.mkdir()
    (folder / "vitpose-b.safetensors").touch()
    code, out, _ = call("list")
    assert code == 0
    rows = rows_of(out)
    assert set(rows) == {"name", *RECOMMENDED}
    assert rows["vitpose-b"][1:] == ["360", "17 coco", "75.8", "yes"]
    assert rows["easy-vitpose-b-wholebody"][1:] == ["360", "133 wholebody", "57.4", "no"]
    assert rows["rtdetr-r18"][1:] == ["finds people", "49.0", "no"]
    assert f"--all lists {len(read_manifest()) + len(read_detectors())}" in out
    assert "Apache-2.0" in out
    assert str(folder) in out


def test_all_lists_every_checkpoint_on_a_line_of_80_columns(call, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = call("list", "--all")
    assert code == 0
    rows = rows_of(out)
    assert read_manifest().keys() | read_detectors().keys() <= rows.keys()
    assert max(map(len, out.splitlines()[: len(rows)])) <= 80
    assert rows["easy-vitpose-h-wholebody"][1:] == ["2550", "133 wholebody", "61.2", "no"]
    assert rows["original-vitpose-plus-s"][2] == "17 coco +5"
    assert rows["easy-vitpose-s-coco_25-onnx"][2:4] == ["25 coco_25", "-"]
    assert rows["yolox-tiny"][1:] == ["finds people", "32.8", "no"]


def test_a_narrow_terminal_cuts_nothing_off(call, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    code, out, _ = call("list")
    assert code == 0
    assert "…" not in out
    assert {"vitpose-b", "  MB  360", "  AP  75.8"} <= {line.rstrip() for line in out.splitlines()}


def test_a_download_shows_a_bar_and_ends_with_the_file(call, folder, monkeypatch):
    import torch

    with fake_hub(save({"a": torch.arange(600_000, dtype=torch.float32)})) as hub:
        go_online(monkeypatch, hub.url)
        code, out, err = call("download", "vitpose-s")
    assert code == 0
    assert str(folder / "vitpose-s.safetensors") in out.replace("\n", "")
    assert "downloading weights: 2 of 2 MB (100 %)" in err


def test_the_bar_is_one_line_that_is_overwritten(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "err", Console(file=sys.stderr, force_terminal=True, highlight=False, soft_wrap=True))
    progress = terminal.download_progress()
    for had in (0, 500, 501, 1000):
        progress(had * 10**6, 1000 * 10**6)
    said = capsys.readouterr().err
    assert said.count("\r") == 2  # 0 % and 50 %; 50.1 % is not worth a line
    assert said.count("\n") == 1
    assert said.endswith("1000 of 1000 MB (100 %)\n")
    assert "━" in said


def test_a_failed_download_reports_what_to_do(call, folder):
    code, _, err = call("download", "original-vitpose-plus-h")
    assert code == 1
    assert re.search(r"download vitpose\+_huge\.pth from \S+ViTPose and put it at \S+plus-h\.pth", err)


def test_convert_reports_what_it_recognised_and_what_it_wrote(call, folder, tmp_path):
    save_weights(plus_tensors(plus_models(random_vitpose(experts=6, layers=1))), tmp_path / "plus.pth")
    code, out, _ = call("convert", "plus.pth")
    assert code == 0
    assert "plus.pth: a ViTPose of no published size (384 wide, 1 layers, classic decoder, 17 keypoints of coco)" in out
    assert "in the naming of original" in out
    assert "It also has heads for aic, mpii, ap10k, apt36k, wholebody; --dataset picks one." in out
    assert "written: plus-coco.safetensors" in out
    for dataset in list(PLUS)[1:]:
        assert call("convert", "plus.pth", "--dataset", dataset, "--out", f"{dataset}.safetensors")[0] == 0
        assert load_vitpose(tmp_path / f"{dataset}.safetensors").dataset == dataset
    code, out, _ = call("convert", "wholebody.safetensors", "--overwrite")
    assert (code, "written: wholebody.safetensors" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (
            ["gone.pth"],
            1,
            r"gone\.pth cannot be read \(No such file or directory\); give a \.safetensors or \.pth file$",
        ),
        (["notes.txt"], 1, r"notes\.txt is not a supported model file"),
        (
            ["face.pth"],
            1,
            r"face\.pth has 68 keypoints, which no known layout has; known are 14 \(aic\); 16 .*wholebody\)$",
        ),
        (
            ["coco.pth", "--dataset", "aic"],
            1,
            r"coco\.pth has 17 keypoints, wanted the 14 of aic; leave out --dataset",
        ),
        (
            ["coco.pth", "--dataset", "feet"],
            2,
            r"dataset='feet' is not one of: aic, ap10k, apt36k, coco, coco_25, mpii",
        ),
        (
            ["coco.pth", "--out", "there.safetensors"],
            1,
            r"there\.safetensors exists already; give another --out, or --o",
        ),
        (["coco.pth", "--out", "new.onnx"], 1, r"new\.onnx does not end in \.safetensors"),
    ],
)
def test_a_wrong_conversion_is_one_plain_sentence(call, folder, tmp_path, arguments, code, complaint):
    (tmp_path / "notes.txt").write_text("no weights")
    (tmp_path / "there.safetensors").write_text("somebody's")
    save_weights(original_tensors(random_vitpose(layers=1, keypoints=68)), tmp_path / "face.pth")
    save_weights(original_tensors(random_vitpose(layers=1)), tmp_path / "coco.pth")
    got, _, err = call("convert", *arguments)
    assert got == code
    assert len(err.strip().splitlines()) == 1
    assert re.search(complaint, err.strip())
    assert (tmp_path / "there.safetensors").read_text() == "somebody's"
