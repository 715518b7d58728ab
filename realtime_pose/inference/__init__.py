"""The 2D part: detectors, trackers, estimators and what runs their models.

Some of the libraries under it report home unless they are told not to before they are imported. Nobody who starts this
program asked for that.
"""

import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime 1.31: sends events and leaves an id on the disk
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # OpenVINO and NNCF do without it
