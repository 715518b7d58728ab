#!/bin/sh
# Prints the package index that torch is installed from, or nothing for the usual one: torch_index.sh [cpu]
# TORCH_INDEX decides. Without it, on Linux without an NVIDIA card (or with "cpu", whatever the card), it is PyTorch's own
# index of CPU builds if that answers within 3 s: the usual index serves several gigabytes of CUDA there.
set -eu
index=https://download.pytorch.org/whl/cpu
if [ -n "${TORCH_INDEX:-}" ]; then
  echo "$TORCH_INDEX"
  exit
fi
[ "$(uname -s)" = Linux ] || exit 0
if [ "${1:-}" != cpu ] && nvidia-smi -L >/dev/null 2>&1; then exit 0; fi
# shellcheck disable=SC2086  # PYTHON may have arguments
if timeout 3 ${PYTHON:-python3} -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=3)' \
  "$index/torch/" >/dev/null 2>&1; then
  echo "$index"
fi
