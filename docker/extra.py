"""Prints what an extra of pyproject.toml asks for: `python3 extra.py gradio`."""

import sys
import tomllib
from pathlib import Path

if __name__ == "__main__":
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    sys.stdout.write("\n".join(project["optional-dependencies"][sys.argv[1]]))
