"""What a run's report says of its scene: a camera that moves, a picture of a person, nobody who stands, only heads."""

from dataclasses import dataclass, field

import numpy as np

from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult, SkeletonPose
from realtime_pose.inference.tracking.background_motion import BackgroundMotion
from realtime_pose.skeletons import COCO17, HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float32, Float64

_EVERY_S = 0.5  # between two looks; more often would cost time and show no more
_ENOUGH = 10  # looks from which something is said of people
_MOVED = 0.005  # shift of the background between two looks, as a share of the image's longer side
_MOVES = 3  # looks with such a shift from which a camera is said to move
_STEP_ZOOM, _ZOOM = 0.004, 0.1  # logarithm of the zoom between two looks that is none, and of one that is said
_STILL = 0.005  # standard deviation of a picture's keypoints, of its height; of people who stand still it is 0.02
_RESTLESS = 75  # percentile of a person's keypoints that tells: those of the feet stand still anyway
_PEOPLE = 100  # remembered at most, of a run without an end
_MOST = 0.8  # share of the looks that is most of them
_UPRIGHT_COS = np.cos(np.radians(35.0))
_HEAD = COCO17.rows([name for name in COCO17.names if name.partition("_")[2] in ("", "eye", "ear", "shoulder")])
_BODY = [row for row in range(len(COCO17.names)) if row not in _HEAD]
_LEGS = tuple(
    tuple(HUMANOID.index[f"{side}{bone}"] for bone in ("UpperLeg", "LowerLeg", "Foot")) for side in ("left", "right")
)
_UP = np.array([0.0, 1.0, 0.0])


@dataclass
class _Seen:
    """One person's looks: how many, the keypoints (17,) visible in all, their mean and squared deviations (17, 2).

    Source of the update: Welford, "Note on a method for calculating corrected sums of squares and products" (1962).
    """

    looks: int = 0
    height_px: float = 0.0
    always: Bool = field(default_factory=lambda: np.ones(len(COCO17.names), bool))
    mean_px: Float64 = field(default_factory=lambda: np.zeros((len(COCO17.names), 2)))
    squares: Float64 = field(default_factory=lambda: np.zeros((len(COCO17.names), 2)))

    def add(self, xy_px: Float32, visible: Bool, height_px: float) -> None:
        """Add a look."""
        self.looks += 1
        self.always = self.always & visible
        self.height_px += (height_px - self.height_px) / self.looks
        off = xy_px - self.mean_px
        self.mean_px = self.mean_px + off / self.looks
        self.squares = self.squares + off * (xy_px - self.mean_px)

    @property
    def never_moved(self) -> bool:
        """Whether the keypoints stayed where they were for long enough, as a picture's do."""
        if self.looks < 2 * _ENOUGH or self.always.sum() < len(_HEAD):
            return False
        spread_px = np.sqrt(self.squares[self.always].sum(axis=-1) / self.looks)
        return bool(np.percentile(spread_px, _RESTLESS) < _STILL * self.height_px)


class SceneWatch:
    """Looks at a run's results twice a second of media time; one thread adds, any may read.

    Args:
        config: All settings.
    """

    def __init__(self, config: AppConfig) -> None:
        self._threshold = config.inference.score_threshold
        self._pitch_is_given = config.body.camera_pitch_deg is not None
        self._background = BackgroundMotion()
        self._last_ns: int | None = None
        self._steps = self._moves = 0
        self._log_zoom = self._least_zoom = self._most_zoom = 0.0
        self._looks = self._heads = self._standing = 0  # at people; with heads alone; with somebody who stands
        self._seen: dict[int, _Seen] = {}

    def add(self, result: FrameResult) -> None:
        """Look at the result, if the last look was long enough ago."""
        time_ns = result.frame.time_ns
        if self._last_ns is not None and 0 <= time_ns - self._last_ns < _EVERY_S * 1e9:
            return
        self._last_ns = time_ns
        step = self._background.step(result.frame.image_bgr, [person.box for person in result.people])
        if step is not None:
            self._steps += 1
            self._moves += step.shift > _MOVED
            self._log_zoom += step.log_zoom * (abs(step.log_zoom) > _STEP_ZOOM)
            self._least_zoom = min(self._least_zoom, self._log_zoom)
            self._most_zoom = max(self._most_zoom, self._log_zoom)
        heads = []
        for person in result.people:
            if not person.keypoints.layout.has_body:
                continue
            body = person.keypoints.in_layout(COCO17)
            visible = body.score >= self._threshold
            height_px = float(np.ptp(body.xy_px[visible, 1])) if visible.any() else 0.0
            self._seen.setdefault(body.track_id, _Seen()).add(body.xy_px, visible, height_px)
            if len(self._seen) > _PEOPLE:
                del self._seen[next(iter(self._seen))]
            heads.append(not visible[_BODY].any())
        if heads:
            self._looks += 1
            self._heads += all(heads)
            self._standing += any(person.pose is not None and _stands(person.pose) for person in result.people)

    def notes(self) -> list[str]:
        """A sentence for each thing that makes poses worse or is no person, and what to do about it."""
        notes = []
        if self._moves >= _MOVES:
            notes.append(
                f"The camera moved or shook for {self._moves * _EVERY_S:.0f} of {self._steps * _EVERY_S:.0f} s; poses "
                "assume that it stands still, so people may lean or slide there. Fix the camera to something."
            )
        zoom = np.exp(self._most_zoom - self._least_zoom)
        if np.log(zoom) > _ZOOM:
            notes.append(
                f"The image was zoomed, or the camera moved along its view, by a factor of {zoom:.1f}; distances "
                "assume one field of view. Film without zoom."
            )
        for track_id, seen in sorted(self._seen.copy().items()):
            if seen.never_moved:
                notes.append(
                    f"Person {track_id} never moved: a picture or a statue? Turn the camera away from it, or cover it."
                )
        if self._looks >= _ENOUGH and self._heads > _MOST * self._looks:
            notes.append("Only a head was in view most of the time; the body is a guess. Step back from the camera.")
        elif self._looks >= _ENOUGH and not self._standing and not self._pitch_is_given:
            notes.append(
                "Nobody stood upright with the feet in view, which shows best where the floor is and how the camera is "
                "tilted; stand for a moment, or set --camera-pitch and --camera-height."
            )
        return notes


def _stands(pose: SkeletonPose) -> bool:
    """Whether trunk, thighs and shanks are upright, and both ankles in view."""
    hips, *_ = local = pose.rotations.local_xyzw
    bones = [hips]
    for upper, lower, foot in _LEGS:
        if not pose.score[foot]:
            return False
        thigh = rot.multiply(hips, local[upper])
        bones += [thigh, rot.multiply(thigh, local[lower])]
    return bool((rot.rotate(np.array(bones), _UP)[:, 1] > _UPRIGHT_COS).all())
