"""Prints the packages of an extra of pyproject.toml, pinned as in the requirements files: `python3 extra.py gradio`."""

import re
import sys
import tomllib
from pathlib import Path

PINS = ("requirements.txt", "requirements-dev.txt")


def name_of(requirement: str) -> str:
    """The package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


if __name__ == "__main__":
    lines = [line for file in map(Path, PINS) if file.is_file() for line in file.read_text("utf-8").splitlines()]
    pins = {name_of(line): line.split()[0] for line in lines if re.match(r"[\w.-]+==", line)}
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    wanted = project["optional-dependencies"][sys.argv[1]]
    sys.stdout.write("\n".join(pins.get(name_of(one), one) for one in wanted))
