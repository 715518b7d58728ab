#!/bin/sh
# Puts the proved packages into /opt/venv; the Dockerfile calls it once a target: packages.sh cpu|gpu
# pip itself stays behind, in /opt/pip. TORCH_INDEX is the index that torch comes from; empty: the usual one.
set -eu
target=$1
cd "$(dirname "$0")"

if [ "$(uname -m)" != x86_64 ]; then
  echo "MediaPipe 0.10.21 and OpenVINO have no build for $(uname -m) on Linux; build with --platform linux/amd64" >&2
  exit 1
fi
python3 -m venv /opt/pip
python3 -m venv --without-pip /opt/venv
export PIP_QUIET=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
pip() { /opt/pip/bin/pip --python /opt/venv/bin/python "$@"; }
pinned() { grep -o "^$1==[0-9.]*" requirements.txt; }

torch=$(pinned torch)
index=${TORCH_INDEX:+--index-url=$TORCH_INDEX}
if [ "$target" = cpu ]; then # asked before gigabytes arrive
  # shellcheck disable=SC2086  # no index is no word
  pip install --dry-run --report /tmp/torch.json $index "$torch"
  python3 - <<'PYTHON'
import json
import sys

names = [entry["metadata"]["name"] for entry in json.load(open("/tmp/torch.json"))["install"]]
if any(name.startswith("nvidia-") for name in names):
    sys.exit(
        "this torch would bring gigabytes of CUDA; name the index that PyTorch's install page shows for CPU: "
        "TORCH_INDEX=<that address> docker compose -f docker/compose.yaml up, "
        "or --build-arg TORCH_INDEX=<that address>; for an NVIDIA card build the target gpu"
    )
PYTHON
fi
# shellcheck disable=SC2086
pip install $index "$torch"
pip install -r requirements.txt
pip install --no-deps -r requirements-nodeps.txt

# The same OpenCV without Qt, which would want libraries of a desktop; mmengine asks for the other one by name.
opencv=$(pinned opencv-python)
pip uninstall --yes opencv-python
pip install --no-deps "opencv-python-headless==${opencv#*==}"

if [ "$target" = gpu ]; then
  # The build with CUDA has onnxruntime's own files at the same place, so it can only come instead.
  onnxruntime=$(pinned onnxruntime)
  pip uninstall --yes onnxruntime
  pip install --no-deps "onnxruntime-gpu==${onnxruntime#*==}"
  # shellcheck disable=SC2046  # a word each
  pip install $(python3 extra.py gpu)
fi

# 200 MB for those who build and test torch and pandas themselves.
libraries=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -rf "$libraries/torch/test" "$libraries/torch/include" "$libraries/torch/bin/"*[Tt]est* "$libraries/pandas/tests"
