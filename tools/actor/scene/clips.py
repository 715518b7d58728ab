"""The packaged clips: actor, script, room and camera of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.model3d.actor_truth import ActorTruth
from realtime_pose.utils.arrays import Float64
from tools.actor.body.looks import FIRST_LOOK, SECOND_LOOK, Look
from tools.actor.body.measures import FIRST, SECOND, Measures
from tools.actor.motion.first_script import FIRST_SCRIPT
from tools.actor.motion.motion import perform
from tools.actor.motion.script import Script
from tools.actor.motion.second_script import SECOND_SCRIPT
from tools.actor.scene.film import FilmCamera, truth_of
from tools.actor.scene.props import ball_path
from tools.actor.scene.room import FIRST_ROOM, SECOND_ROOM, Room


@dataclass(frozen=True, eq=False)
class ActorClip:
    """One clip.

    Attributes:
        film: Path of the video in the resources; the path of its ground truth is in `model3d.actor_truth.TRUTHS`.
        body: The actor's measures.
        look: The actor's look.
        script: The performance.
        camera: The camera.
        room: The room.
    """

    film: str
    body: Measures
    look: Look
    script: Script
    camera: FilmCamera
    room: Room

    def truth(self, seed: int) -> ActorTruth:
        """The exact ground truth; the seed affects the actor's small idle movements."""
        return truth_of(perform(self.script, self.body, seed), self.body, self.camera)

    def ball_m(self, truth: ActorTruth) -> Sequence[Float64 | None]:
        """Centre of the ball (3,) in each frame; None without a ball."""
        if self.script.ball is None:
            return [None] * len(truth.root_m)
        picked_up, released = (round(second * truth.fps) for second in self.script.ball)
        return list(ball_path(picked_up, released, truth.fps, self.body, truth.local_xyzw, truth.root_m))


CLIPS = {
    "actor": ActorClip(
        film="videos/default.mp4",
        body=FIRST,
        look=FIRST_LOOK,
        script=FIRST_SCRIPT,
        camera=FilmCamera((0.0, 1.05, 3.25), CameraIntrinsics.from_field_of_view(60.0, 640, 480)),
        room=FIRST_ROOM,
    ),
    # A webcam on a screen, close to the seat of the second actor; nothing in the program is tuned to this clip.
    "actor-2": ActorClip(
        film="videos/second_actor.mp4",
        body=SECOND,
        look=SECOND_LOOK,
        script=SECOND_SCRIPT,
        camera=FilmCamera(
            (0.42, 1.24, 2.35), CameraIntrinsics.from_field_of_view(74.0, 960, 540), down_deg=8.0, left_deg=7.0
        ),
        room=SECOND_ROOM,
    ),
}
"""The clips by their source name."""
