"""The table of IK solvers."""

from realtime_pose.body.settings import BodyConfig
from realtime_pose.ik.base import IkSolver
from realtime_pose.utils.choices import load_choice

SOLVERS = {
    "simple": "realtime_pose.ik.simple_ik:SimpleIKSolver",
}


def build_solver(config: BodyConfig) -> IkSolver:
    """The solver that `config.solver` names; UnknownChoiceError for a name that is not in the table."""
    solver: IkSolver = load_choice("body.solver", config.solver, SOLVERS)(config)
    return solver
