#!/bin/sh
# Makes the user that the program runs as, and its home, /data: weights, takes and profiles lie there, in volumes.
# Whatever user a container is started as may write there (--user), as it does when it owns a mounted folder.
set -eu
useradd --non-unique --uid 1000 --no-create-home --home-dir /data --groups video pose
install -d -m 1777 /data
install -d -o pose -m 1777 /data/cache /data/takes /data/share
