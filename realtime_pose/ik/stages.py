"""The tables of lifters and IK solvers."""

from realtime_pose.ik.base import BodyConfig, IkSolver, Lifter
from realtime_pose.ik.steady import SteadyLifter
from realtime_pose.utils.choices import load_choice

LIFTERS = {
    "trained": "realtime_pose.ik.trained:TrainedLifter",
    "geometric": "realtime_pose.ik.geometric:GeometricLifter",
}
SOLVERS = {
    "simple": "realtime_pose.ik.simple_ik:SimpleIKSolver",
}


def build_lifter(config: BodyConfig) -> Lifter:
    """The lifter that `config.lifter` names, steadied; UnknownChoiceError for a name that is not in the table."""
    return SteadyLifter(load_choice("body.lifter", config.lifter, LIFTERS)(config), config)


def build_solver(config: BodyConfig) -> IkSolver:
    """The solver that `config.solver` names; UnknownChoiceError for a name that is not in the table."""
    solver: IkSolver = load_choice("body.solver", config.solver, SOLVERS)(config)
    return solver
