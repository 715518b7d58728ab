"""Loading the trained lifter limits BLAS to one thread."""

import subprocess
import sys

CODE = """
import numpy as np
from threadpoolctl import threadpool_info
from realtime_pose.lifting.network import load_lifter_weights

load_lifter_weights()
np.ones((500, 500)) @ np.ones((500, 500))
print([pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"])
"""


def test_the_lifter_leaves_the_cores_to_the_pose_model():
    printed = subprocess.run(
        [sys.executable, "-c", CODE],
        env={"OPENBLAS_NUM_THREADS": "4", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(printed.strip(" []\n").split(", ")) == {"1"}
