"""Checkpoints: the manifest, safe readers, families, conversion, ONNX contracts and downloads."""

import os
import socket
import threading
import zipfile
from collections import OrderedDict
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save
from support.hub import FakeHub, fake_hub, go_online
from support.vitpose import (
    EXPERTS,
    PLUS,
    huggingface_tensors,
    mmpose_tensors,
    original_tensors,
    plus_models,
    plus_tensors,
    random_vitpose,
    split_tensors,
)
from support.vitpose import save as save_weights

from realtime_pose.checkpoints import (
    LAYOUT_OF,
    convert_vitpose,
    download,
    find_local,
    is_onnx,
    is_vitpose,
    load_vitpose,
    manifest,
    read_detectors,
    read_manifest,
    read_notes,
    read_onnx_contract,
    read_tensors,
    recognise_vitpose,
)
from realtime_pose.errors import CheckpointError, UnknownChoiceError
from realtime_pose.inference.vitpose.mmpose_compat import build_topdown_model
from realtime_pose.skeletons import AIC14, AP10K17, COCO17, COCO25, COCO_WHOLEBODY133, MPII16
from realtime_pose.utils.paths import data_path

# --- the manifest -----------------------------------------------------------------------------------------------------


def test_the_manifest_has_every_size_smallest_first_with_licence_and_repository():
    entries = read_manifest()
    assert {"vitpose-s", "vitpose-b", "vitpose-l", "vitpose-h"} <= entries.keys()
    assert "".join(dict.fromkeys(entry.size for entry in entries.values())) == "sblh"
    assert {entry.licence for entry in entries.values()} == {"Apache-2.0"}
    assert entries["vitpose-s"].repo == "usyd-community/vitpose-plus-small"
    text = data_path("checkpoints/manifest.json").read_text("utf-8")
    assert text.count('"name":') == len(entries | read_detectors())  # no name twice


def test_every_entry_is_consistent():
    for name, entry in read_manifest().items():
        assert Path(entry.file).suffix in {".safetensors", ".pth", ".onnx"}
        assert (entry.family == "onnx") == entry.file.endswith(".onnx")
        assert entry.family in {"huggingface", "original", "mmpose", "onnx"}
        assert entry.decoder == ("simple" if name.endswith("-simple") else "classic")
        assert not (entry.url and entry.page)
        assert (entry.family == "mmpose") == bool(entry.url)
        assert set(entry.datasets) <= LAYOUT_OF.keys()
        assert entry.auto == (entry.datasets[0] == "coco") == (entry.layout is COCO17)
        assert entry.ap is None or 50 < entry.ap < 85
        if entry.repo == "JunkyByte/easy_ViTPose":
            assert f"/{entry.datasets[0]}/vitpose-{entry.size}-{entry.datasets[0]}." in entry.file


def test_mmposes_entries_are_its_own_zoos():
    """Compared with the model zoo file in mmpose's wheel: address, AP, and the hash digits in its file names."""
    (folder,) = find_spec("mmpose").submodule_search_locations
    zoo = Path(folder) / ".mim/configs/body_2d_keypoint/topdown_heatmap/coco/vitpose_coco.yml"
    models = {m["Weights"]: m for m in yaml.safe_load(zoo.read_text("utf-8"))["Models"]}
    entries = [entry for entry in read_manifest().values() if entry.family == "mmpose"]
    assert len(entries) == len(models) == 8
    for entry in entries:
        model = models[entry.url]
        assert model["Metadata"]["Model Size"][0].lower() == entry.size
        assert model["Metadata"]["Architecture"][1] == f"{entry.decoder.title()} Head"
        assert model["Results"][0]["Metrics"]["AP"] == pytest.approx(entry.ap / 100)
        assert f"-{entry.sha256}_" in entry.url


@pytest.fixture
def folders(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """The program's and the user's checkpoint folders, empty; the first exists."""
    pair = (tmp_path / "program", tmp_path / "user" / "checkpoints")
    pair[0].mkdir()
    monkeypatch.setattr(manifest, "folders", lambda: pair)
    monkeypatch.setattr("realtime_pose.checkpoints.hub.folders", lambda: pair)
    return pair


def test_a_local_file_is_found_in_either_folder_and_under_either_suffix(folders):
    assert find_local("vitpose-s") is None
    folders[1].mkdir(parents=True)
    (folders[1] / "vitpose-s.safetensors").touch()
    assert find_local("vitpose-s") == folders[1] / "vitpose-s.safetensors"
    (folders[0] / "vitpose-s.pth").touch()
    assert find_local("vitpose-s") == folders[0] / "vitpose-s.pth"
    (folders[0] / "vitpose-b.onnx").touch()
    assert find_local("vitpose-b") == folders[0] / "vitpose-b.onnx"
    with pytest.raises(UnknownChoiceError, match=r"vitpose-xl.*vitpose-s"):
        find_local("vitpose-xl")


# --- reading files ----------------------------------------------------------------------------------------------------


class _WritesAFile:
    """A hostile pickle: reading it with plain pickle runs a command."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self):
        return os.system, (f"touch {self.flag}",)


class _Evaluates(_WritesAFile):
    def __reduce__(self):
        return eval, (f"__import__('pathlib').Path({str(self.flag)!r}).touch()",)


class _ThroughGetattr(_WritesAFile):
    """Calls what getattr returns; getattr itself occurs in training logs."""

    def __reduce__(self):
        return Path.touch, (self.flag,)  # pickled as getattr(Path, "touch")


@pytest.mark.parametrize("hostile", [_WritesAFile, _Evaluates, _ThroughGetattr])
@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path, hostile, zipped):
    flag, path = tmp_path / "was_run", tmp_path / "hostile.pth"
    content = {"state_dict": {"a": torch.zeros(2)}, "meta": hostile(flag)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=r"hostile\.pth.*(nothing in it was run)"):
        read_tensors(path)
    assert not flag.exists()
    torch.load(path, weights_only=False)  # a trusting reader runs it
    assert flag.exists()


def test_the_code_is_named(tmp_path):
    torch.save({"meta": _WritesAFile(tmp_path / "x")}, tmp_path / "hostile.pth")
    with pytest.raises(CheckpointError, match=r"holds code \(posix\.system\).*safetensors"):
        read_tensors(tmp_path / "hostile.pth")


def test_training_notes_of_numpy_and_mmengine_are_skipped(tmp_path):
    from mmengine.logging import HistoryBuffer

    history = HistoryBuffer([0.5, 0.25], [1, 1])
    notes = {"ap": np.float64(0.7), "colors": np.arange(6).reshape(2, 3), "history": {"loss": history}, "epoch": 3}
    weights = OrderedDict(a=torch.arange(3.0))
    torch.save({"meta": notes, "message_hub": notes, "state_dict": weights}, tmp_path / "trained.pth")
    assert read_tensors(tmp_path / "trained.pth")["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.pth", b"", "is empty"),
        ("page.safetensors", b"<!DOCTYPE html><html>", "web page"),
        ("page.pth", b"\n <html>", "web page"),
        ("pointer.pth", b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
        ("picture.pth", b"\xff\xd8\xff\xe0 JFIF and more", "not a supported model file"),
        ("zip.pth", b"PK\x03\x04 and then nothing of a zip", "damaged"),
        ("pickle.pth", b"\x80\x02 and then no pickle", "damaged"),
        ("list.pth", None, "wanted a table of named tensors"),
        ("numbers.pth", None, "no tensors"),
    ],
)
def test_files_that_are_no_checkpoints_are_refused_by_name(tmp_path, name, content, complaint):
    path = tmp_path / name
    if content is None:
        torch.save([1, 2] if name == "list.pth" else {"a": 1}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=complaint) as refusal:
        read_tensors(path)
    assert name in str(refusal.value)


def test_a_tensor_that_claims_more_than_it_has_is_refused(tmp_path):
    torch.save({"a": torch.zeros(1).expand(100_000, 20_000)}, tmp_path / "wide.pth")
    with pytest.raises(CheckpointError, match=r"its tensor 'a' claims \(100000, 20000\) numbers and has fewer"):
        read_tensors(tmp_path / "wide.pth")
    tied = torch.zeros(3)
    torch.save({"a": tied, "b": tied[:2]}, tmp_path / "tied.pth")
    assert read_tensors(tmp_path / "tied.pth")["b"].tolist() == [0, 0]


def test_an_archive_that_unpacks_to_more_than_it_has_is_refused(tmp_path, monkeypatch):
    torch.save({"a": torch.zeros(1_000_000)}, tmp_path / "plain.pth")
    with zipfile.ZipFile(tmp_path / "plain.pth") as plain, zipfile.ZipFile(tmp_path / "bomb.pth", "w") as packed:
        for entry in plain.infolist():
            packed.writestr(entry.filename, plain.read(entry), zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(CheckpointError, match=r"bomb\.pth unpacks to 4 MB, more than it has"):
        read_tensors(tmp_path / "bomb.pth")


def test_a_header_whose_length_looks_like_a_web_page_is_read(tmp_path):
    content = save({"a": torch.zeros(2)})
    length = int.from_bytes(content[:8], "little")
    padded = content[8 : 8 + length].ljust(0x3C20)  # its first bytes are " <"
    (tmp_path / "a.safetensors").write_bytes((0x3C20).to_bytes(8, "little") + padded + content[8 + length :])
    assert read_tensors(tmp_path / "a.safetensors")["a"].tolist() == [0, 0]


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.pth cannot be read"):
        read_tensors(tmp_path / "gone.pth")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.999])
def test_a_file_cut_short_is_refused(tmp_path, suffix, part):
    path = save_weights({"a": torch.zeros(5000), "b": torch.ones(5000)}, tmp_path / f"cut{suffix}")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(CheckpointError, match=r"cut.*(damaged|truncated)"):
        read_tensors(path)


# --- ViTPose families -------------------------------------------------------------------------------------------------


def _cases():
    for size, layers in (("s", 12), ("b", 12), ("l", 24), ("h", 32)):
        for decoder in ("classic", "simple"):
            for family in ("mmpose", "original", "huggingface"):
                yield pytest.param(size, layers, decoder, family, id=f"{size}-{decoder}-{family}")


@pytest.mark.parametrize(("size", "layers", "decoder", "family"), list(_cases()))
def test_every_family_size_and_decoder_is_recognised_and_fits_its_config(size, layers, decoder, family):
    """By names and shapes alone (torch's meta device), so that even H is quick; other tests compare values."""
    named = {"mmpose": mmpose_tensors, "original": original_tensors, "huggingface": huggingface_tensors}[family]
    tensors = named(random_vitpose(size, decoder, device="meta"))
    weights = recognise_vitpose(tensors, Path("some.file"))
    assert (weights.family, weights.size, weights.decoder) == (family, size, decoder)
    assert (weights.layers, weights.keypoints) == (layers, 17)
    suffix = "-simple" if decoder == "simple" else ""
    model = build_topdown_model(data_path(f"configs/vitpose/vitpose-{size}{suffix}.py"))
    wanted = {name: tuple(tensor.shape) for name, tensor in model.network.state_dict().items()}
    assert {name: tuple(tensor.shape) for name, tensor in weights.tensors.items()} == wanted


@pytest.mark.parametrize("named", [original_tensors, huggingface_tensors])
def test_the_experts_of_every_size_are_folded_away(named):
    for size in ("s", "b", "l", "h"):
        tensors = named(random_vitpose(size, experts=EXPERTS, device="meta"))
        assert any(".experts.5." in name for name in tensors)
        weights = recognise_vitpose(tensors, Path("plus.file"))
        assert weights.size == size
        assert weights.tensors["backbone.layers.0.ffn.layers.1.weight"].shape == (weights.width, 4 * weights.width)
        assert not any("expert" in name or "associate" in name for name in weights.tensors)


# --- data sets --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plus() -> dict[str, torch.Tensor]:
    """A ViTPose+ file of the original repository, with two layers."""
    return plus_tensors(plus_models(random_vitpose(experts=EXPERTS, layers=2)))


@pytest.mark.parametrize("named", [mmpose_tensors, original_tensors, huggingface_tensors])
@pytest.mark.parametrize(
    ("keypoints", "dataset", "layout"),
    [(14, "aic", AIC14), (16, "mpii", MPII16), (17, "coco", COCO17), (25, "coco_25", COCO25),
     (133, "wholebody", COCO_WHOLEBODY133)],
)  # fmt: skip
def test_the_data_set_follows_from_the_number_of_keypoints(named, keypoints, dataset, layout):
    tensors = named(random_vitpose(layers=1, device="meta", keypoints=keypoints))
    weights = recognise_vitpose(tensors, Path("some.file"))
    assert (weights.dataset, weights.layout, weights.keypoints, weights.heads) == (
        dataset, layout, keypoints, (dataset,)
    )  # fmt: skip
    assert recognise_vitpose(tensors, Path("some.file"), dataset).dataset == dataset


@pytest.mark.parametrize("named", [mmpose_tensors, original_tensors, huggingface_tensors])
def test_an_animals_17_keypoints_must_be_named(named):
    tensors = named(random_vitpose(layers=1, device="meta"))
    for dataset in ("ap10k", "apt36k"):
        weights = recognise_vitpose(tensors, Path("some.file"), dataset)
        assert (weights.dataset, weights.layout) == (dataset, AP10K17)


@pytest.mark.parametrize("named", [mmpose_tensors, original_tensors, huggingface_tensors])
def test_a_number_that_no_layout_has_is_refused_with_those_known(named):
    tensors = named(random_vitpose(layers=1, device="meta", keypoints=21))
    known = r"14 \(aic\); 16 \(mpii\); 17 \(coco, ap10k, apt36k\); 25 \(coco_25\); 133 \(wholebody\)"
    with pytest.raises(
        CheckpointError, match=rf"some\.file has 21 keypoints, which no known layout.*known are {known}"
    ):
        recognise_vitpose(tensors, Path("some.file"))


def test_a_data_set_that_the_file_is_not_of_is_refused(plus):
    single = original_tensors(random_vitpose(layers=1, device="meta", keypoints=133))
    with pytest.raises(CheckpointError, match=r"f\.pth has 133 keypoints, wanted the 14 of aic; .* one of: wholebody$"):
        recognise_vitpose(single, Path("f.pth"), "aic")
    with pytest.raises(UnknownChoiceError, match=r"dataset='face' is not one of: aic, ap10k, .*wholebody"):
        recognise_vitpose(single, Path("f.pth"), "face")
    split = split_tensors(plus, "mpii", keep_experts=True)
    with pytest.raises(CheckpointError, match=r"f\.pth has no head for coco \(it has: mpii\)"):
        recognise_vitpose(split, Path("f.pth"), "coco")
    with pytest.raises(
        CheckpointError, match=r"has no head for coco_25 \(it has: coco, aic, mpii, ap10k, apt36k, whol"
    ):
        recognise_vitpose(plus, Path("f.pth"), "coco_25")


@pytest.mark.parametrize("dataset", [name for name in PLUS if name != "coco"])
def test_hugging_faces_vitpose_plus_has_cocos_head_only(dataset):
    tensors = huggingface_tensors(random_vitpose(experts=EXPERTS, layers=1, device="meta"))
    with pytest.raises(CheckpointError, match=rf"some\.file has no head for {dataset} \(it has: coco\)"):
        recognise_vitpose(tensors, Path("some.file"), dataset)


def test_an_expert_that_is_not_there_is_refused(plus):
    fewer = {name: tensor for name, tensor in plus.items() if ".experts.5." not in name}
    assert recognise_vitpose(fewer, Path("f.pth"), "apt36k").dataset == "apt36k"
    with pytest.raises(CheckpointError, match=r"f\.pth has no expert for wholebody"):
        recognise_vitpose(fewer, Path("f.pth"), "wholebody")


def test_heads_that_were_trained_together_without_experts(plus):
    """The original repository's COCO+AIC+MPII(+CrowdPose): a fourth head is not AP-10K's."""
    tensors = original_tensors(random_vitpose(layers=1))
    for i, like in enumerate(("aic", "mpii", "aic")):
        head = f"associate_keypoint_heads.{list(PLUS).index(like) - 1}."
        tensors |= {k.replace(head, f"associate_heads.{i}."): v for k, v in plus.items() if k.startswith(head)}
    for dataset in ("coco", "aic", "mpii"):
        weights = recognise_vitpose(tensors, Path("multi.pth"), dataset)
        assert (weights.dataset, weights.heads) == (dataset, ("coco", "aic", "mpii"))
        assert not any("associate" in name for name in weights.tensors)
    with pytest.raises(CheckpointError, match=r"multi\.pth has no head for ap10k \(it has: coco, aic, mpii\)"):
        recognise_vitpose(tensors, Path("multi.pth"), "ap10k")


def test_a_head_with_room_for_more_keypoints_is_cut(plus):
    wide = dict(plus)
    for part in ("weight", "bias"):
        name = f"associate_keypoint_heads.0.final_layer.{part}"
        wide[name] = torch.cat((plus[name], torch.zeros(133 - 14, *plus[name].shape[1:])))
    ours = recognise_vitpose(wide, Path("f.pth"), "aic").tensors["head.final_layer.weight"]
    assert torch.equal(ours, plus["associate_keypoint_heads.0.final_layer.weight"])


# --- conversions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["coco", "apt36k", "wholebody"])
def test_a_converted_file_is_the_same_model_and_has_a_description(tmp_path, plus, dataset):
    source = save_weights(plus, tmp_path / "plus.pth")
    written = convert_vitpose(source, tmp_path / "new" / "ours.safetensors", dataset)
    assert os.listdir(written.parent) == ["ours.safetensors"]
    ours, theirs = load_vitpose(written), load_vitpose(source, dataset)
    assert (ours.dataset, ours.family, ours.decoder, ours.layout) == (dataset, "original", "classic", theirs.layout)
    assert ours.tensors.keys() == theirs.tensors.keys()
    assert all(torch.equal(tensor, theirs.tensors[name]) for name, tensor in ours.tensors.items())
    assert read_notes(written)["realtime_pose.layout"] == LAYOUT_OF[dataset].name
    assert load_vitpose(written, dataset).dataset == dataset
    with pytest.raises(CheckpointError, match=rf"ours\.safetensors was made for {dataset}, not ap10k; leave out"):
        load_vitpose(written, "ap10k")


def test_converting_replaces_nothing_unasked_and_leaves_no_half_file(tmp_path, monkeypatch):
    source = save_weights(mmpose_tensors(random_vitpose(layers=1)), tmp_path / "s.pth")
    target = tmp_path / "ours.safetensors"
    target.write_bytes(b"mine")
    with pytest.raises(CheckpointError, match=r"ours\.safetensors exists already; .*--overwrite"):
        convert_vitpose(source, target)
    assert target.read_bytes() == b"mine"
    assert load_vitpose(convert_vitpose(source, target, overwrite=True)).family == "mmpose"
    with pytest.raises(CheckpointError, match=r"ours\.pth does not end in"):
        convert_vitpose(source, tmp_path / "ours.pth")
    with pytest.raises(CheckpointError, match=r"cannot be written"):
        convert_vitpose(source, source / "below_a_file.safetensors")

    def breaks_off(tensors: object, path: Path, notes: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    before = target.read_bytes()
    monkeypatch.setattr("safetensors.torch.save_file", breaks_off)
    with pytest.raises(CheckpointError, match=r"cannot be written \(No space left on device\)"):
        convert_vitpose(source, target, overwrite=True)
    assert target.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["ours.safetensors", "s.pth"]


def test_notes_of_a_later_version_are_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "later.safetensors"
    save_file(mmpose_tensors(random_vitpose(layers=1)), path, {"realtime_pose.dataset": "halpe"})
    with pytest.raises(CheckpointError, match=r"later\.safetensors was made for 'halpe', which this version"):
        load_vitpose(path)


# --- ONNX -------------------------------------------------------------------------------------------------------------


def onnx_file(path: Path, given: list, taken: list | None = None, kind: int = 1, notes: dict | None = None) -> Path:
    """A graph with that input and output; its one node is an identity, which is never run."""
    import onnx
    from onnx import helper

    model_in = helper.make_tensor_value_info("crops", kind, taken or ["N", 3, 256, 192])
    model_out = helper.make_tensor_value_info("heatmaps", kind, given)
    graph = helper.make_graph([helper.make_node("Identity", ["crops"], ["heatmaps"])], "test", [model_in], [model_out])
    model = helper.make_model(graph)
    for key, value in (notes or {}).items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize(
    ("batch", "keypoints", "dataset", "layout"),
    [
        ("N", 17, "coco", COCO17),
        (1, 25, "coco_25", COCO25),
        ("N", 133, "wholebody", COCO_WHOLEBODY133),
        (4, 16, "mpii", MPII16),
    ],
)
def test_an_onnx_file_with_vitposes_contract_is_known_by_any_name(tmp_path, batch, keypoints, dataset, layout):
    path = onnx_file(tmp_path / "model.bin", [batch, keypoints, 64, 48], [batch, 3, 256, 192])
    assert is_onnx(path)
    contract = read_onnx_contract(path)
    assert (contract.dataset, contract.layout, contract.keypoints) == (dataset, layout, keypoints)
    assert (contract.input_wh, contract.heatmap_wh) == ((192, 256), (48, 64))
    assert (contract.input_name, contract.output_name) == ("crops", "heatmaps")
    assert (contract.batch, contract.batched) == ((None, True) if batch == "N" else (batch, False))


def test_the_17_keypoints_of_an_onnx_file_are_named_by_the_user_or_its_metadata(tmp_path):
    plain = onnx_file(tmp_path / "plain.onnx", ["N", 17, 64, 48])
    assert read_onnx_contract(plain, "ap10k").layout is AP10K17
    with pytest.raises(CheckpointError, match=r"plain\.onnx has 17 keypoints, wanted the 14 of aic"):
        read_onnx_contract(plain, "aic")
    with pytest.raises(UnknownChoiceError, match="dataset='cocoa'"):
        read_onnx_contract(plain, "cocoa")
    ours = onnx_file(tmp_path / "ours.onnx", ["N", 17, 64, 48], notes={"realtime_pose.dataset": "apt36k"})
    assert read_onnx_contract(ours).dataset == "apt36k"
    with pytest.raises(CheckpointError, match=r"ours\.onnx was made for apt36k, not ap10k"):
        read_onnx_contract(ours, "ap10k")


@pytest.mark.parametrize(
    ("given", "taken", "kind", "found"),
    [
        (["N", 17, 64, 48], ["N", 3, 384, 288], 1, r"takes float \[any, 3, 384, 288\] and gives"),
        (["N", 17, 64, 48], ["N", 256, 192, 3], 1, r"takes float \[any, 256, 192, 3\]"),
        (["N", 17, 64, 48], ["N", 3, "H", "W"], 1, r"takes float \[any, 3, any, any\]"),
        (["N", 17, 96, 72], None, 1, r".* gives float \[any, 17, 96, 72\], wanted float32"),
        (["N", 17, 2], None, 1, r".* gives float \[any, 17, 2\]"),
        (["N", 17, 64, 48], None, 10, r"takes float16 .*wanted float32 \[N, 3, 256, 192\] in and \[N, keypoints"),
        (["N", 21, 64, 48], None, 1, r"has 21 keypoints, which no known layout has; known are 14 \(aic\)"),
    ],
)
def test_another_contract_is_refused_with_what_was_found(tmp_path, given, taken, kind, found):
    path = onnx_file(tmp_path / "other.onnx", given, taken, kind)
    with pytest.raises(CheckpointError, match=rf"other\.onnx {found}"):
        read_onnx_contract(path)


def test_an_output_that_the_exporter_left_open_is_inferred(tmp_path):
    import onnx
    from onnx import helper, numpy_helper

    weights = numpy_helper.from_array(np.zeros((17, 3, 1, 1), np.float32), "w")
    node = helper.make_node("Conv", ["crops", "w"], ["heatmaps"], kernel_shape=[1, 1], strides=[4, 4])
    graph = helper.make_graph(
        [node], "test", [helper.make_tensor_value_info("crops", 1, ["N", 3, 256, 192])],
        [helper.make_tensor_value_info("heatmaps", 1, ["N", "a", "b", "c"])], [weights],
    )  # fmt: skip
    onnx.save(helper.make_model(graph), str(tmp_path / "open.onnx"))
    assert read_onnx_contract(tmp_path / "open.onnx").keypoints == 17


def test_graphs_of_another_kind_and_files_that_are_none_are_refused(tmp_path):
    import onnx

    path = onnx_file(tmp_path / "two.onnx", ["N", 17, 64, 48])
    model = onnx.load(str(path))
    model.graph.output.append(model.graph.output[0])
    onnx.save(model, str(path))
    with pytest.raises(CheckpointError, match=r"two\.onnx has 1 inputs and 2 outputs, wanted one each"):
        read_onnx_contract(path)
    with pytest.raises(CheckpointError, match=r"gone\.onnx cannot be read"):
        read_onnx_contract(tmp_path / "gone.onnx")
    for content in (b"", b"\x08\x07 and then no graph", b"<html>", b"\xff" * 100):
        (tmp_path / "no.onnx").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"no\.onnx is not an ONNX file"):
            read_onnx_contract(tmp_path / "no.onnx")
    assert not is_onnx(tmp_path / "gone.onnx")
    assert not is_onnx(save_weights({"a": torch.zeros(1)}, tmp_path / "a.safetensors"))
    assert not is_onnx(save_weights({"a": torch.zeros(1)}, tmp_path / "a.pth"))


def test_weights_in_other_files_must_be_there(tmp_path):
    """Like those of easy_ViTPose's largest models."""
    import onnx
    from onnx import TensorProto, external_data_helper

    path = onnx_file(tmp_path / "large.onnx", ["N", 17, 64, 48])
    model = onnx.load(str(path))
    tensor = TensorProto(name="w", data_type=1, dims=[4])
    tensor.raw_data = bytes(16)
    external_data_helper.set_external_data(tensor, "large_onnx/w", 0, 16)
    tensor.ClearField("raw_data")
    model.graph.initializer.append(tensor)
    onnx.save(model, str(path))
    with pytest.raises(CheckpointError, match=r"large\.onnx has its weights in other files, and large_onnx/w is not"):
        read_onnx_contract(path)
    (tmp_path / "large_onnx").mkdir()
    (tmp_path / "large_onnx" / "w").write_bytes(bytes(16))
    assert read_onnx_contract(path).keypoints == 17


def test_an_onnx_file_is_no_table_of_weights(tmp_path):
    path = onnx_file(tmp_path / "model.pth", ["N", 17, 64, 48])
    with pytest.raises(CheckpointError, match=r"model\.pth is an ONNX graph, which runs as it is; wanted weights as"):
        load_vitpose(path)


# --- incomplete files -------------------------------------------------------------------------------------------------


def test_a_tensor_that_is_missing_deep_inside_is_named(tmp_path):
    tensors = mmpose_tensors(random_vitpose())
    assert is_vitpose(tensors)
    assert not is_vitpose({"backbone.conv1.weight": torch.zeros(1)})
    del tensors["backbone.layers.7.ffn.layers.1.bias"], tensors["head.deconv_layers.4.running_var"]
    with pytest.raises(CheckpointError, match=r"not a complete ViTPose: backbone\.layers\.7\..* is missing \(2 in all"):
        recognise_vitpose(tensors, tmp_path / "some.pth")


def test_half_precision_becomes_single(tmp_path):
    half = {name: t.half() if t.is_floating_point() else t for name, t in mmpose_tensors(random_vitpose()).items()}
    weights = load_vitpose(save_weights(half, tmp_path / "half.pth"))
    assert {t.dtype for t in weights.tensors.values()} == {torch.float32, torch.int64}


def test_another_networks_weights_are_refused(tmp_path):
    path = save_weights(
        {"backbone.stem.weight": torch.zeros(3)}, tmp_path / "vitpose-s.pth"
    )  # the name does not matter
    with pytest.raises(CheckpointError, match=r"not a known ViTPose.*backbone\.stem\.weight"):
        load_vitpose(path)


@pytest.mark.parametrize("lost", ["head.conv.weight", "backbone.embeddings.position_embeddings", "key.bias"])
def test_a_vitpose_with_a_part_missing_is_refused(tmp_path, lost):
    tensors = {name: t for name, t in huggingface_tensors(random_vitpose()).items() if not name.endswith(lost)}
    with pytest.raises(CheckpointError, match=r"not a complete ViTPose"):
        load_vitpose(save_weights(tensors, tmp_path / "part.safetensors"))


# --- downloads --------------------------------------------------------------------------------------------------------


@pytest.fixture
def content() -> bytes:
    return save({"a": torch.arange(600_000, dtype=torch.float32)})


@pytest.fixture
def hub(content, folders, monkeypatch):
    with fake_hub(content) as running:
        go_online(monkeypatch, running.url)
        yield running


def test_a_download_lands_whole_in_the_users_folder_and_reports_progress(hub: FakeHub, folders, content):
    steps: list[tuple[int, int]] = []
    path = download("vitpose-s", lambda had, total: steps.append((had, total)))
    assert path == folders[1] / "vitpose-s.safetensors" == find_local("vitpose-s")
    assert path.read_bytes() == content
    assert steps[-1] == (len(content), len(content))
    assert len(steps) > 1
    assert os.listdir(folders[1]) == ["vitpose-s.safetensors"]


def test_a_broken_download_is_reported_and_resumed(hub: FakeHub, folders, content):
    hub.cut_at = 1_500_000
    with pytest.raises(CheckpointError, match=r"was interrupted at 1,[0-9,]+ of 2,4[0-9,]+ bytes; run it again"):
        download("vitpose-s")
    assert find_local("vitpose-s") is None
    had = next(folders[1].glob("*.part")).stat().st_size
    assert download("vitpose-s").read_bytes() == content
    assert hub.ranges == ["", f"bytes={had}-"]


def test_a_server_without_ranges_is_read_from_the_start(hub: FakeHub, content):
    hub.cut_at, hub.honours_ranges = 1_500_000, False
    with pytest.raises(CheckpointError, match="was interrupted"):
        download("vitpose-s")
    assert download("vitpose-s").read_bytes() == content


def test_a_part_of_an_older_version_is_not_continued(hub: FakeHub, content):
    hub.cut_at = 1_500_000
    with pytest.raises(CheckpointError, match="was interrupted"):
        download("vitpose-s")
    hub.content = save({"a": torch.zeros(700_000)})
    hub.etag = FakeHub(hub.content).etag
    assert download("vitpose-s").read_bytes() == hub.content
    assert hub.ranges[-1] == ""


def test_another_content_than_promised_is_deleted(hub: FakeHub, folders):
    hub.etag = "0" * 64
    with pytest.raises(CheckpointError, match=r"has sha256 [0-9a-f]{64}, wanted 0{64}; it was deleted"):
        download("vitpose-s")
    assert os.listdir(folders[1]) == []


def test_a_damaged_file_is_deleted_even_without_a_hash_to_hold_it_against(hub: FakeHub, folders, content):
    hub.content, hub.etag = content[:-1000], "no-sha256"
    with pytest.raises(CheckpointError, match="damaged or truncated"):
        download("vitpose-s")
    assert os.listdir(folders[1]) == []


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_hub_that_refuses_is_named_with_its_answer(hub: FakeHub, status):
    hub.status = status
    with pytest.raises(CheckpointError, match=rf"not provide model\.safetensors of usyd-community/.*\(HTTP {status}\)"):
        download("vitpose-s")


def test_an_answer_that_is_not_from_a_hub_is_refused(hub: FakeHub):
    hub.etag = ""
    with pytest.raises(CheckpointError, match="proxy or sign-in page"):
        download("vitpose-s")


def test_an_unreachable_hub_is_given_up(folders, monkeypatch):
    with socket.socket() as free:  # bound, but not listening: connections are refused
        free.bind(("127.0.0.1", 0))
        go_online(monkeypatch, f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(CheckpointError, match=r"cannot be reached.*put model\.safetensors of usyd-community"):
            download("vitpose-s")


def test_a_hub_that_never_answers_is_given_up(folders, monkeypatch):
    monkeypatch.setattr("realtime_pose.checkpoints.hub.HUB_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts connections and never answers
        go_online(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(CheckpointError, match="cannot be reached"):
            download("vitpose-s")


def test_a_lookup_without_end_is_given_up(hub: FakeHub, monkeypatch):
    """Resolving a host name has no timeout, and neither has this stand-in."""
    monkeypatch.setattr("realtime_pose.checkpoints.hub.HUB_TIMEOUT_S", 0.05)
    release, returned = threading.Event(), threading.Event()

    def endless(*_: object, **__: object) -> None:
        release.wait(20)
        returned.set()

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", endless)
    with pytest.raises(CheckpointError, match="cannot be reached"):
        download("vitpose-s")
    assert not returned.is_set()
    release.set()
    assert returned.wait(20)


def test_a_download_from_another_server_is_checked_against_the_known_digits(hub, folders, monkeypatch):
    url = f"{hub.url}/files/model"
    entry = replace(read_manifest()["mmpose-vitpose-s"], url=url, sha256=hub.etag[:8], file="x.safetensors")
    monkeypatch.setattr("realtime_pose.checkpoints.hub.find_entry", lambda name: entry)
    hub.cut_at = 1_500_000
    with pytest.raises(CheckpointError, match="was interrupted"):
        download(entry.name)
    assert download(entry.name).read_bytes() == hub.content
    assert hub.ranges[-1].startswith("bytes=")
    entry = replace(entry, sha256="00000000")
    with pytest.raises(CheckpointError, match=r"has sha256 [0-9a-f]{64}, wanted 00000000; it was deleted"):
        download(entry.name)
    hub.status = 404
    with pytest.raises(CheckpointError, match=r"open-mmlab/mmpose does not provide x\.safetensors.*HTTP 404"):
        download(entry.name)


def test_a_manual_download_is_named_with_its_address_and_folder(hub: FakeHub, folders):
    wanted = r"original-vitpose-h cannot be .* vitpose-h\.pth from https://github.com/ViTAE-Transformer/ViTPose and"
    with pytest.raises(CheckpointError, match=rf"{wanted} put it at .*original-vitpose-h\.pth$"):
        download("original-vitpose-h")
    assert hub.ranges == []


def test_offline_means_offline(hub: FakeHub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CheckpointError, match="HF_HUB_OFFLINE is set"):
        download("vitpose-s")
    assert hub.ranges == []


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownChoiceError, match=r"vitpose-xl.*vitpose-b, "):
        download("vitpose-xl")
