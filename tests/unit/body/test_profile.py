"""Body profiles: written, read again, resolved in the settings; other files are refused."""

import json
import pickle
from dataclasses import asdict, replace

import pytest

from realtime_pose.body.profile import BodyProfile, body_of, load_profile, profile_path, resolved
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.body.settings import BodyConfig
from realtime_pose.config import AppConfig, load_config
from realtime_pose.errors import ConfigError
from realtime_pose.lifting.geometric import GeometricLifter

AVERAGE = BodyDimensions.of_height(1.8)
SHARES = dict(zip(LENGTHS, (0.9, 1.1, 1, 0.95, 1.05, 1.02, 0.97), strict=True))
OWN = {name: round(getattr(AVERAGE, name) * share, 4) for name, share in SHARES.items()}
PROFILE = BodyProfile(1.8, OWN)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user's folder of profiles, with one in it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    PROFILE.save(profile_path("ana"))
    return tmp_path / "data" / "realtime_pose" / "profiles"


def written(path, **changes):
    """A file with a profile's values, changed; None leaves a value out."""
    values = json.loads(PROFILE.text) | changes
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))
    return str(path)


def test_a_saved_profile_is_read_again(folder, tmp_path):
    assert sorted(path.name for path in folder.iterdir()) == ["ana.json"]
    assert load_profile("ana") == PROFILE == load_profile(str(folder / "ana.json"))
    BodyProfile(1.5, {name: getattr(BodyDimensions.of_height(1.5), name) for name in LENGTHS}).save(tmp_path / "b.json")
    again = load_profile(str(tmp_path / "b.json"))
    assert again.height_m == 1.5
    assert again.lengths_m["thigh"] == pytest.approx(BodyDimensions.of_height(1.5).thigh, abs=1e-4)


@pytest.mark.parametrize(
    ("named", "is_file"), [("ana", False), ("Ana-2_b c", False), ("x/ana", True), ("ana.json", True), ("ü", False)]
)
def test_a_name_is_in_the_users_folder_and_a_path_is_used_as_it_is(folder, named, is_file):
    assert (profile_path(named).parent == folder) is not is_file


@pytest.mark.parametrize("named", ["", ".", "..", "-x", " a", "a\n", "a:b", "a*"])
def test_an_invalid_name_is_refused(named):
    with pytest.raises(ConfigError, match="is not a profile name; use letters"):
        profile_path(named)


def test_an_unknown_profile_is_refused_with_the_saved_ones(folder):
    with pytest.raises(
        ConfigError, match=r"cannot read the profile .*bob\.json .*; saved profiles: ana; or make one with"
    ):
        load_profile("bob")
    (folder / "ana.json").unlink()
    with pytest.raises(ConfigError, match=r"\); make one with: realtime-pose calibrate --profile NAME$"):
        load_profile("bob")
    with pytest.raises(ConfigError, match="cannot read the profile"):
        load_profile(str(folder))  # a folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "is a profile of version 2, this program reads 1"),
        ({"version": None}, "is a profile of version None"),
        ({"torso_m": None}, "torso_m missing or unknown"),
        ({"tail_m": 0.3}, "tail_m missing or unknown"),
        ({"height_m": 17}, "height_m is 17, wanted 0.5 to 2.5"),
        ({"height_m": "1.8"}, "height_m is '1.8', wanted a number"),
        ({"torso_m": True}, "torso_m is True, wanted a number"),
        ({"torso_m": [0.5]}, "wanted a number"),
        ({"torso_m": 5.0}, r"torso_m is 5, wanted 0\.311\d* to 0\.83"),
        ({"shank_m": 0}, "shank_m is 0, wanted"),
        ({"shank_m": -0.4}, "shank_m is -0.4, wanted"),
        ({"thigh_m": float("nan")}, "thigh_m is nan, wanted"),
        ({"thigh_m": float("inf")}, "thigh_m is inf, wanted"),
        ({"thigh_m": 10**400}, "too large"),
    ],
)
def test_every_value_is_checked(tmp_path, changes, said):
    path = written(tmp_path / "x.json", **changes)
    with pytest.raises(ConfigError, match=said) as caught:
        load_profile(path)
    assert str(caught.value).startswith(path)
    assert str(caught.value).endswith("; make one with: realtime-pose calibrate --profile NAME")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[" * 100_000, "too large"),
        (b"[" * 9_000, "not valid JSON"),
        (b"[1]", "holds a list"),
        (b"null", "holds a NoneType"),
        (b" " * 10_001, "too large"),
    ],
)
def test_another_file_is_refused_in_one_sentence(tmp_path, content, said):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load_profile(str(tmp_path / "x.json"))


def test_a_failed_write_keeps_the_old_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot write the profile .*choose another --profile"):
        PROFILE.save(tmp_path / "file" / "x.json")


# --- in the settings --------------------------------------------------------------------------------------------------


def test_settings_hold_the_values_and_not_the_name(folder):
    config = load_config([], {"body": {"profile": "ana"}}, {})
    assert config.body.height_m == 1.8
    (folder / "ana.json").unlink()
    assert body_of(config.body).lengths.tolist() == pytest.approx(list(OWN.values()))
    # as a session keeps them, and as `replay --recompute` goes on from there
    again = AppConfig().with_values({"body": asdict(config.body)}, "session")
    assert load_config([], {}, {}, base=again).body == config.body


def test_a_height_that_is_given_scales_the_profiles_proportions(tmp_path):
    (tmp_path / "mine.yaml").write_text("body: {profile: ana, height_m: 1.6}")
    assert load_config([tmp_path / "mine.yaml"], {}, {}).body.height_m == 1.8
    config = load_config([tmp_path / "mine.yaml"], {"body": {"height_m": 0.9}}, {})
    assert config.body.height_m == 0.9
    assert (body_of(config.body).lengths * 2).tolist() == pytest.approx(list(OWN.values()))
    again = load_config([], {}, {}, base=config)  # once the values are in, nothing changes them back
    assert again == config


def test_a_height_that_equals_the_default_is_kept_where_it_was_given():
    assert resolved(BodyConfig(profile="ana")).height_m == 1.8
    assert resolved(BodyConfig(profile="ana", height_m=1.70)).height_m == 1.70
    by_name = AppConfig().with_values({"body": {"profile": "ana", "height_m": 1.70}}, "test")
    assert resolved(by_name.body).height_m == 1.70
    assert resolved(replace(BodyConfig(), profile="ana")).height_m == 1.8  # still nobody's


def test_the_default_height_is_a_number_like_any_other():
    config = BodyConfig()
    assert config == BodyConfig(height_m=1.70)
    assert json.loads(json.dumps(asdict(config)))["height_m"] == 1.7
    for copied in (pickle.loads(pickle.dumps(config)), BodyConfig(**asdict(config))):
        assert resolved(replace(copied, profile="ana")).height_m == 1.8


def test_no_profile_is_the_average_body():
    assert resolved(BodyConfig()) == BodyConfig()
    assert body_of(BodyConfig(height_m=1.8)) == AVERAGE
    assert load_config([], {"body": None}, {}) == AppConfig()


def test_a_wrong_profile_in_the_settings_is_a_wrong_setting():
    with pytest.raises(ConfigError, match="bob"):
        load_config([], {"body": {"profile": "bob"}}, {})
    with pytest.raises(ConfigError, match=r"^body\.profile is a profile of version None"):
        body_of(BodyConfig(profile="{}"))
    with pytest.raises(ConfigError, match=r"^body\.profile is not a profile: not valid JSON"):
        GeometricLifter(BodyConfig(profile="{"))


@pytest.mark.parametrize("content", [b"\0\1\2", b"{}", b"x" * 20_000])
def test_only_an_earlier_profile_is_replaced(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"clip\.mp4 exists and is not a profile; choose another --profile"):
        PROFILE.save(path)
    assert path.read_bytes() == content
    PROFILE.save(profile_path("ana"))  # an earlier profile
    assert load_profile("ana") == PROFILE
