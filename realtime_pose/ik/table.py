"""Table of IK solvers, by name."""

from realtime_pose.body.settings import BodyConfig
from realtime_pose.ik.base import IkSolver
from realtime_pose.utils.choices import load_choice

SOLVERS = {
    "simple": "realtime_pose.ik.simple_ik:SimpleIKSolver",
}


def build_solver(config: BodyConfig) -> IkSolver:
    """The solver that `config.solver` names.

    Raises:
        UnknownChoiceError: The table has no such name.
    """
    solver: IkSolver = load_choice("body.solver", config.solver, SOLVERS)(config)
    return solver
