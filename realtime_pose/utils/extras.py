"""Optional packages: where one is missing, an error with the one command that installs it."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from realtime_pose.errors import MissingPackageError


@contextmanager
def needs_extra(extra: str, user: str) -> Iterator[None]:
    """A block of imports that the extra `extra` of this project brings.

    Args:
        extra: Its name in pyproject.toml.
        user: The part that needs the packages, as the error's first words.

    Raises:
        MissingPackageError: A package is missing, or does not import.
    """
    try:
        yield
    except ImportError as exc:
        reason = "" if isinstance(exc, ModuleNotFoundError) else f" ({exc})"
        package = (exc.name or str(exc)).partition(".")[0]
        raise MissingPackageError(user, f"{package}{reason}", install_command(extra)) from exc


def check_installed(extra: str, user: str, *packages: str) -> None:
    """Refuse to start what needs `packages`, without importing them, which can take seconds.

    Raises:
        MissingPackageError: One of them is missing.
    """
    for package in packages:
        if not is_installed(package):
            raise MissingPackageError(user, package, install_command(extra))


def is_installed(package: str) -> bool:
    """Whether a package can be found; it is not imported."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # ValueError: sys.modules has it without a spec
        return False


def install_command(extra: str) -> str:
    """The command that installs an extra of this project."""
    return f'pip install "realtime-pose[{extra}]"'
