"""Replays: the same bytes, the session's own times, and no loss of recorded data."""

import time

import numpy as np
import pytest
from support.people import make_clip, make_person, make_result

from realtime_pose.app import replay
from realtime_pose.app.replay import open_replay, recorded_settings
from realtime_pose.app.take import SESSION, TakeRecorder
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import encode
from realtime_pose.communication.udp_receiver import UdpReceiver
from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError, RecordingError
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.session.reader import read_session
from realtime_pose.session.writer import SessionRecorder, mark_finished
from realtime_pose.skeletons import COCO17
from realtime_pose.two_passes import poses_of_clip

S = 1_000_000_000


def settings(**sections):
    return AppConfig().with_values(sections, "test")


def two_people():
    """Two moving people, one of them out of view for longer than a track is kept, and an empty frame."""
    one, two = make_clip(24, fps=5.0, seed=1), make_clip(24, fps=5.0, seed=5, track_id=4)
    frames = []
    for i, (a, b) in enumerate(zip(one, two, strict=True)):
        people = [*a.people, *b.people] if not 4 <= i < 20 else list(a.people)
        frames.append(make_result([] if i == 10 else people, index=i, time_ns=a.frame.time_ns))
    return frames


def recorded(folder, results, config, **more):
    """A take whose poses are computed from its keypoints with these settings."""
    from dataclasses import asdict

    take = TakeRecorder(folder, TakeInfo(15.0, {"program": PROGRAM, "config": asdict(config), "fps": 15.0, **more}), [])
    for result in poses_of_clip(lambda: results, config):
        take.send(result)
    take.close()
    return read_session(folder / SESSION)


PROGRAM = f"realtime-pose {replay.__version__}"
CONFIG = settings(body={"height_m": 1.83, "smoothing": "crisp"}, inference={"score_threshold": 0.4})


def play(session, config, **options):
    with open_replay(session, config, **({"recompute": False, "speed": None} | options)) as again:
        for _ in again.results():
            pass
    return again.report()


def test_recomputing_with_the_same_settings_gives_the_same_bytes(tmp_path):
    session = recorded(tmp_path / "a", two_people(), CONFIG)
    mark_finished(session.path, 24)
    session = read_session(session.path)
    config = recorded_settings(session)
    assert (config.body, config.inference.score_threshold) == (CONFIG.body, 0.4)
    config = config.with_values({"output": {"record": str(tmp_path / "b"), "formats": ""}}, "test")
    report = play(session, config, recompute=True)
    assert (report["frames"], report["warnings"]) == (24, [])
    assert (tmp_path / "b" / SESSION).read_bytes() == session.path.read_bytes()


def test_recomputing_with_other_settings_changes_poses_and_is_reported(tmp_path):
    session = recorded(tmp_path / "a", two_people(), CONFIG, job="abc")
    config = recorded_settings(session).with_values(
        {"body": {"smoothing": "none"}, "output": {"record": str(tmp_path / "b"), "formats": ""}}, "test"
    )
    play(session, config, recompute=True)
    new = read_session(tmp_path / "b" / SESSION)
    assert new.settings["config"]["body"]["smoothing"] == "none"
    assert "job" not in new.settings  # `process` must not recognise it as its own
    assert not new.finished
    pairs = list(zip(session.frames(), new.frames(), strict=True))
    assert all(len(a.people) == len(b.people) for a, b in pairs)
    before, after = (r.people[0] for r in pairs[2])
    assert before.keypoints.xy_px.tobytes() == after.keypoints.xy_px.tobytes()
    assert not np.array_equal(before.pose.rotations.local_xyzw, after.pose.rotations.local_xyzw)


def test_a_copy_has_the_same_frames_and_the_same_packets(tmp_path):
    session = recorded(tmp_path / "a", two_people(), CONFIG)
    config = settings(output={"record": str(tmp_path / "b"), "formats": ""})
    report = play(session, config)
    assert (tmp_path / "b" / SESSION).read_bytes() == session.path.read_bytes()
    assert report["camera"] == list(session.frames())[-1].camera.to_dict()

    def datagrams(results):
        stream = PacketStream(stream=1, wall_offset_ns=0)
        return [encode(packet) for result in results for packet in stream.packets_of(result)]

    assert datagrams(read_session(tmp_path / "b" / SESSION).frames()) == datagrams(session.frames())
    assert datagrams(poses_of_clip(session.frames, CONFIG)) == datagrams(session.frames())


def test_sent_results_have_the_time_of_replay_and_recorded_ones_the_original(tmp_path):
    session = recorded(tmp_path / "a", make_clip(3), CONFIG)

    class Sink:
        name, destination, packets_sent, lost = "fake", "nowhere", 0, 0

        def __init__(self):
            self.got = []

        def send(self, result):
            self.got.append(result.frame.captured_ns)

        def warning(self):
            return ""

    sink, recorder = Sink(), Sink()
    before_ns = time.monotonic_ns()
    again = replay.Replay(session, session.frames(), [sink], recorder, None)
    assert len(list(again.results())) == 3
    assert before_ns <= min(sink.got) <= max(sink.got) <= time.monotonic_ns()
    assert recorder.got == [r.frame.captured_ns for r in session.frames()]


def test_frames_are_due_at_their_own_times_over_the_speed(monkeypatch):
    now, slept = [100.0], []
    monkeypatch.setattr(replay.time, "monotonic", lambda: now[0])

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(replay.time, "sleep", sleep)
    times_ns = [5 * S, 5 * S + S // 2, 7 * S]
    list(replay._paced([make_result(index=i, time_ns=t) for i, t in enumerate(times_ns)], 2.0))
    assert slept == pytest.approx([0.0, 0.25, 0.75])
    now[0], slept[:] = 100.0, []
    frames = replay._paced([make_result(index=i, time_ns=t) for i, t in enumerate(times_ns)], 1.0)
    next(frames)
    now[0] += 10  # the consumer was slow: nothing is skipped, and nothing waits
    next(frames)
    next(frames)
    assert slept == pytest.approx([0.0, 0.0, 0.0])


def test_it_goes_to_any_live_sink(tmp_path):
    session = recorded(
        tmp_path / "a", [make_result([make_person(1, layout=COCO17)], index=i) for i in range(4)], CONFIG
    )
    receiver = UdpReceiver("127.0.0.1:0")
    report = play(session, settings(output={"udp": receiver.address}), speed=1000.0)
    assert report["packets_sent"] == 4
    assert report["sinks"] == [{"sink": "udp", "target": receiver.address, "packets_sent": 4, "lost": 0}]
    types = [receiver.receive(5.0).type for _ in range(6)]
    receiver.close()
    assert (types.count("pose"), types.count("hello")) == (4, 2)


def test_playback_continues_until_go_on_returns_false(tmp_path):
    session = recorded(tmp_path / "a", make_clip(9), CONFIG)
    with open_replay(session, AppConfig(), recompute=False, speed=None) as again:
        seen = [r.frame.index for r in again.results(lambda result: result.frame.index < 3)]
    assert seen == [0, 1, 2, 3]


def test_the_end_may_be_asked_for(tmp_path):
    session = recorded(tmp_path / "a", make_clip(9), CONFIG)
    mark_finished(session.path, 9)
    config = settings(output={"record": str(tmp_path / "b"), "formats": ""})
    assert play(read_session(session.path), config, max_frames=4)["frames"] == 4
    assert not read_session(tmp_path / "b" / SESSION).finished


def test_a_truncated_session_is_played_to_its_last_whole_frame_and_reported(tmp_path):
    session = recorded(tmp_path / "a", make_clip(5), CONFIG)
    session.path.write_bytes(session.path.read_bytes()[:-7])
    report = play(read_session(session.path), AppConfig())
    assert report["frames"] == 4
    assert "missing" in report["warnings"][0]


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), 1e6])
def test_a_speed_that_is_none_is_refused(tmp_path, speed):
    session = recorded(tmp_path / "a", make_clip(2), CONFIG)
    with pytest.raises(ConfigError, match="speed"):
        play(session, AppConfig(), speed=speed)


def test_a_session_never_replaces_itself(tmp_path):
    session = recorded(tmp_path / "a", make_clip(2), CONFIG)
    with pytest.raises(ConfigError, match="would be replaced"):
        play(session, settings(output={"record": str(tmp_path / "a")}), recompute=True)
    assert len(list(session.frames())) == 2


def test_settings_of_another_program_are_refused_in_a_sentence(tmp_path):
    SessionRecorder(tmp_path / "a", {"config": {"body": {"wings": 2}}}).close()
    with pytest.raises(ConfigError, match=r"body key='wings' is not one of"):
        recorded_settings(read_session(tmp_path / "a"))


def test_a_disk_that_is_full_ends_it_with_a_sentence(tmp_path, monkeypatch):
    session = recorded(tmp_path / "a", make_clip(5), CONFIG)

    def full(self, result):
        raise RecordingError("cannot write: no space")

    monkeypatch.setattr(TakeRecorder, "send", full)
    with pytest.raises(RecordingError, match="no space"):
        play(session, settings(output={"record": str(tmp_path / "b"), "formats": ""}))


def test_a_profile_on_another_computer_in_a_strangers_session_is_not_opened(tmp_path):
    body = {"profile": r"\\host.invalid\p.json"}
    recorder = SessionRecorder(tmp_path / "a", {"config": {"body": body}})
    recorder.close()
    with pytest.raises(ConfigError, match="which is not opened"):
        recorded_settings(read_session(tmp_path / "a"))
