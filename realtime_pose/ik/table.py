"""Table of IK solvers, by name."""

from realtime_pose.body.bone_lengths import BoneLengths
from realtime_pose.body.settings import BodyConfig
from realtime_pose.ik.base import IkSolver
from realtime_pose.utils.choices import load_choice

SOLVERS = {
    "simple": "realtime_pose.ik.simple_ik:SimpleIKSolver",
}


def build_solver(config: BodyConfig, bones: BoneLengths | None = None) -> IkSolver:
    """The solver that `config.solver` names.

    Args:
        config: The settings.
        bones: Everyone's bone lengths, which the solver uses and improves; by default of its own.

    Raises:
        UnknownChoiceError: The table has no such name.
    """
    solver: IkSolver = load_choice("body.solver", config.solver, SOLVERS)(config, bones or BoneLengths(config))
    return solver
