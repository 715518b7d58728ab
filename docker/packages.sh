#!/bin/sh
# Installs the pinned packages into /opt/venv; the Dockerfile calls it once per target: packages.sh cpu|gpu
# pip itself stays outside, in /opt/pip. TORCH_INDEX is the index for torch; torch_index.sh has what empty means.
set -eu
target=$1
cd "$(dirname "$0")"

if [ "$(uname -m)" != x86_64 ]; then
  echo "the wheels of requirements-nodeps.txt have no build for $(uname -m) on Linux; build with --platform linux/amd64" >&2
  exit 1
fi
python3 -m venv /opt/pip
python3 -m venv --without-pip /opt/venv
export PIP_QUIET=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
pip() { /opt/pip/bin/pip --python /opt/venv/bin/python "$@"; }
pinned() { grep -o "^$1==[0-9.]*" requirements.txt; }

torch=$(pinned torch)
index=${TORCH_INDEX:-}
[ "$target" = gpu ] || index=$(sh ./torch_index.sh cpu)
index=${index:+--index-url=$index}
if [ "$target" = cpu ]; then # checked before gigabytes are downloaded
  # shellcheck disable=SC2086  # no index, no argument
  pip install --dry-run --report /tmp/torch.json $index "$torch"
  python3 - <<'PYTHON'
import json
import sys

names = [entry["metadata"]["name"] for entry in json.load(open("/tmp/torch.json"))["install"]]
if any(name.startswith("nvidia-") for name in names):
    sys.exit(
        "PyTorch's own index did not answer, and this torch would bring gigabytes of CUDA; try again, or give an "
        "index with CPU builds: TORCH_INDEX=ADDRESS docker compose -f docker/compose.yaml up, "
        "or --build-arg TORCH_INDEX=ADDRESS; for an NVIDIA card build the target gpu"
    )
PYTHON
fi
# shellcheck disable=SC2086
pip install $index "$torch"
pip install -r requirements.txt
pip install --no-deps -r requirements-nodeps.txt

# The same OpenCV without Qt, which needs desktop libraries; mmengine depends on the other one by name.
opencv=$(pinned opencv-python)
pip uninstall --yes opencv-python
pip install --no-deps "opencv-python-headless==${opencv#*==}"

if [ "$target" = gpu ]; then
  # The CUDA build has the same files as onnxruntime, so it must replace it.
  onnxruntime=$(pinned onnxruntime)
  pip uninstall --yes onnxruntime
  pip install --no-deps "onnxruntime-gpu==${onnxruntime#*==}"
  # shellcheck disable=SC2046  # one argument each
  pip install $(python3 extra.py gpu)
fi

# 200 MB of headers and tests that running does not need.
libraries=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -rf "$libraries/torch/test" "$libraries/torch/include" "$libraries/torch/bin/"*[Tt]est* "$libraries/pandas/tests"
