"""2D inference: frames in, people's boxes and keypoints out.

Some of the libraries used here send telemetry unless it is switched off before they are imported.
"""

import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime 1.31 sends events and stores an id on disk
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # OpenVINO and NNCF run without it
