"""Evaluation of clips of real people: keypoints, poses, figures, facts, and contact sheets."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime_pose.config import AppConfig
from realtime_pose.evaluation.footage.clip_keypoints import ClipKeypoints, KeypointFinder
from realtime_pose.evaluation.footage.clip_poses import PersonTrack, tracks_of
from realtime_pose.evaluation.footage.facts import Fact, Judgement, judge, read_facts
from realtime_pose.evaluation.footage.figures import FootageFigures, Measured, measure, pooled
from realtime_pose.evaluation.footage.sheets import write_sheet

_SHOWS_A_BODY = ("standing", "sitting", "walking")


@dataclass(frozen=True, eq=False)
class ClipResult:
    """The result for one clip.

    Attributes:
        name: The clip's file name, with its folder where another clip has the same.
        estimator: What found the keypoints.
        measured: What its figures are taken over.
        judgement: Its facts.
        shows_a_body: Whether its figures are pooled: a clip whose facts are of hands or faces alone is left out.
    """

    name: str
    estimator: str
    measured: Measured
    judgement: Judgement
    shows_a_body: bool

    @property
    def figures(self) -> FootageFigures:
        """The clip's figures."""
        return pooled([self.measured])


def evaluate_footage(
    clips: Sequence[Path],
    config: AppConfig,
    *,
    facts: Path | None = None,
    cache: Path | None = None,
    sheets: Path | None = None,
    notify: Callable[[str], None] = lambda note: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[ClipResult]:
    """The results for these clips, in their order.

    Args:
        clips: Videos.
        config: The settings.
        facts: File of facts about them and others.
        cache: Folder for keypoints; by default in the user's cache.
        sheets: Folder for a contact sheet of each clip.
        notify: Callback for each choice made for the user, one sentence.
        progress: Called with the number of clips done, and the total.

    Raises:
        RealtimePoseError: A clip or the facts cannot be read, or something cannot be written.
    """
    known = read_facts(facts) if facts is not None else {}
    results = []
    with closing(KeypointFinder(config, cache, notify)) as finder:
        for done, path in enumerate(clips):
            progress(done, len(clips))
            name = (
                path.name if sum(each.name == path.name for each in clips) == 1 else f"{path.parent.name}/{path.name}"
            )
            clip = finder.find(path)
            tracks = tracks_of(clip, config)
            results.append(_result(name, clip, tracks, known.get(path.resolve(), [])))
            if sheets is not None:
                write_sheet(sheets / f"{name.replace('/', '-')}.png", clip, tracks[0] if tracks else None)
    progress(len(clips), len(clips))
    return results


def _result(name: str, clip: ClipKeypoints, tracks: Sequence[PersonTrack], facts: Sequence[Fact]) -> ClipResult:
    return ClipResult(
        name,
        clip.estimator,
        measure(tracks[0] if tracks else None, len(clip), facts),
        judge(facts, tracks, clip.width),
        not facts or any(fact.kind in _SHOWS_A_BODY for fact in facts),
    )


def pooled_figures(results: Sequence[ClipResult]) -> FootageFigures:
    """The figures over all frames of the clips that show a body."""
    return pooled([result.measured for result in results if result.shows_a_body])


def report_of(results: Sequence[ClipResult]) -> dict[str, Any]:
    """The report: the pooled figures, the share of checks that hold, and the same for each clip with its checks."""
    return {
        "estimator": ", ".join(sorted({result.estimator for result in results})),
        **pooled_figures(results).as_dict(),
        **_facts_of(results),
        "clips": {
            result.name: {
                **result.figures.as_dict(),
                **_facts_of([result]),
                "checks": [
                    {
                        "frames": [check.fact.first, check.fact.last],
                        "text": check.fact.text,
                        "check": check.name,
                        "value": check.got,
                        "wanted": check.wanted,
                        "holds": check.holds,
                    }
                    for check in result.judgement.checks
                ],
            }
            for result in results
        },
    }


def _facts_of(results: Sequence[ClipResult]) -> dict[str, Any]:
    judged = [result.judgement for result in results]
    checks = [check for judgement in judged for check in judgement.checks]
    return {
        "checks_hold": sum(check.holds for check in checks),
        "checks_total": len(checks),
        "facts_not_judged": {
            "other_kinds": sum(each.other_kinds for each in judged),
            "without_a_number": sum(each.no_number for each in judged),
            "of_other_people": sum(each.other_people for each in judged),
        },
    }
