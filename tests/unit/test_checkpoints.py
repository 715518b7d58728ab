"""Weights: what is known of them, that only whole and harmless files are taken, and how they are fetched."""

import os
import socket
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from support.hub import FakeHub, fake_hub, go_online
from support.vitpose import (
    EXPERTS,
    huggingface_tensors,
    mmpose_tensors,
    original_tensors,
    random_vitpose,
)
from support.vitpose import save as save_weights

from realtime_pose.checkpoints import (
    download,
    find_local,
    load_vitpose,
    manifest,
    read_manifest,
    read_tensors,
    recognise_vitpose,
)
from realtime_pose.errors import CheckpointError, UnknownChoiceError
from realtime_pose.inference.mmpose_compat import build_topdown_model
from realtime_pose.utils.paths import data_path

# --- the manifest -----------------------------------------------------------------------------------------------------


def test_the_manifest_has_every_size_smallest_first_and_says_whose_it_is():
    entries = read_manifest()
    assert {"vitpose-s", "vitpose-b", "vitpose-l", "vitpose-h"} <= entries.keys()
    assert "".join(dict.fromkeys(entry.size for entry in entries.values())) == "sblh"
    assert {entry.licence for entry in entries.values()} == {"Apache-2.0"}
    assert entries["vitpose-s"].repo == "usyd-community/vitpose-plus-small"
    readme = data_path("checkpoints/README.md").read_text("utf-8")
    assert all(f"`{entry.name}`" in readme and f"`{entry.repo}`" in readme for entry in entries.values())


@pytest.fixture
def folders(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """The program's and the user's checkpoint folders, empty ones; the first exists."""
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
    with pytest.raises(UnknownChoiceError, match=r"vitpose-xl.*vitpose-s"):
        find_local("vitpose-xl")


# --- reading files ----------------------------------------------------------------------------------------------------


class _WritesAFile:
    """What a hostile pickle looks like: reading it with plain pickle runs a command."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self):
        return os.system, (f"touch {self.flag}",)


class _Evaluates(_WritesAFile):
    def __reduce__(self):
        return eval, (f"__import__('pathlib').Path({str(self.flag)!r}).touch()",)


class _ThroughGetattr(_WritesAFile):
    """Calls what getattr found; getattr itself is one of the names that training notes use."""

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
    torch.load(path, weights_only=False)  # the file does what it was made for when it is trusted
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
        ("picture.pth", b"\xff\xd8\xff\xe0 JFIF and more", "no checkpoint that is known"),
        ("zip.pth", b"PK\x03\x04 and then nothing of a zip", "damaged"),
        ("pickle.pth", b"\x80\x02 and then no pickle", "damaged"),
        ("list.pth", None, "wanted a table of named tensors"),
        ("numbers.pth", None, "no tensors"),
    ],
)
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path, name, content, complaint):
    path = tmp_path / name
    if content is None:
        torch.save([1, 2] if name == "list.pth" else {"a": 1}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=complaint) as refusal:
        read_tensors(path)
    assert name in str(refusal.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.pth cannot be read"):
        read_tensors(tmp_path / "gone.pth")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.999])
def test_a_file_cut_short_is_refused(tmp_path, suffix, part):
    path = save_weights({"a": torch.zeros(5000), "b": torch.ones(5000)}, tmp_path / f"cut{suffix}")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(CheckpointError, match=r"cut.*(damaged|cut short)"):
        read_tensors(path)


# --- ViTPose families -------------------------------------------------------------------------------------------------


def _cases():
    for size, layers in (("s", 12), ("b", 12), ("l", 24), ("h", 32)):
        for decoder in ("classic", "simple"):
            for family in ("mmpose", "original", "huggingface"):
                yield pytest.param(size, layers, decoder, family, id=f"{size}-{decoder}-{family}")


@pytest.mark.parametrize(("size", "layers", "decoder", "family"), list(_cases()))
def test_every_family_size_and_decoder_is_recognised_and_fits_its_config(size, layers, decoder, family):
    """By names and shapes alone (torch's meta device), so that even H costs nothing; values are proved elsewhere."""
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


def test_half_precision_becomes_single(tmp_path):
    half = {name: t.half() if t.is_floating_point() else t for name, t in mmpose_tensors(random_vitpose()).items()}
    weights = load_vitpose(save_weights(half, tmp_path / "half.pth"))
    assert {t.dtype for t in weights.tensors.values()} == {torch.float32, torch.int64}


def test_another_networks_weights_are_refused(tmp_path):
    path = save_weights({"backbone.stem.weight": torch.zeros(3)}, tmp_path / "vitpose-s.pth")  # the name says nothing
    with pytest.raises(CheckpointError, match=r"no ViTPose that is known.*backbone\.stem\.weight"):
        load_vitpose(path)


@pytest.mark.parametrize("lost", ["head.conv.weight", "backbone.embeddings.position_embeddings", "key.bias"])
def test_a_vitpose_with_a_part_missing_is_refused(tmp_path, lost):
    tensors = {name: t for name, t in huggingface_tensors(random_vitpose()).items() if not name.endswith(lost)}
    with pytest.raises(CheckpointError, match=r"no whole ViTPose"):
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


def test_a_download_lands_whole_in_the_users_folder_and_tells_how_far_it_is(hub: FakeHub, folders, content):
    steps: list[tuple[int, int]] = []
    path = download("vitpose-s", lambda had, total: steps.append((had, total)))
    assert path == folders[1] / "vitpose-s.safetensors" == find_local("vitpose-s")
    assert path.read_bytes() == content
    assert steps[-1] == (len(content), len(content))
    assert len(steps) > 1
    assert os.listdir(folders[1]) == ["vitpose-s.safetensors"]


def test_a_broken_download_says_so_and_goes_on_from_there(hub: FakeHub, folders, content):
    hub.cut_at = 1_500_000
    with pytest.raises(CheckpointError, match=r"broke off at 1,[0-9,]+ of 2,4[0-9,]+ bytes; try again"):
        download("vitpose-s")
    assert find_local("vitpose-s") is None
    had = next(folders[1].glob("*.part")).stat().st_size
    assert download("vitpose-s").read_bytes() == content
    assert hub.ranges == ["", f"bytes={had}-"]


def test_a_server_without_ranges_is_read_from_the_start(hub: FakeHub, content):
    hub.cut_at, hub.honours_ranges = 1_500_000, False
    with pytest.raises(CheckpointError, match="broke off"):
        download("vitpose-s")
    assert download("vitpose-s").read_bytes() == content


def test_a_part_of_an_older_version_is_not_continued(hub: FakeHub, content):
    hub.cut_at = 1_500_000
    with pytest.raises(CheckpointError, match="broke off"):
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
    with pytest.raises(CheckpointError, match="damaged or cut short"):
        download("vitpose-s")
    assert os.listdir(folders[1]) == []


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_hub_that_refuses_is_named_with_its_answer(hub: FakeHub, status):
    hub.status = status
    with pytest.raises(CheckpointError, match=rf"no model\.safetensors of usyd-community/.*\(HTTP {status}\)"):
        download("vitpose-s")


def test_something_else_than_a_hub_is_not_believed(hub: FakeHub):
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
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        go_online(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(CheckpointError, match="cannot be reached"):
            download("vitpose-s")


def test_a_lookup_without_end_is_given_up(hub: FakeHub, monkeypatch):
    """Resolving a name has no timeout of its own, so nothing inside the question ends it here either."""
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


def test_offline_means_offline(hub: FakeHub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CheckpointError, match="HF_HUB_OFFLINE is set"):
        download("vitpose-s")
    assert hub.ranges == []


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownChoiceError, match=r"vitpose-xl.*vitpose-b, "):
        download("vitpose-xl")
