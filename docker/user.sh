#!/bin/sh
# Creates the user that the program runs as, and its home, /data, with weights, takes and profiles, in volumes.
# A container started as another user (--user, the owner of a mounted folder) can write there too.
set -eu
useradd --non-unique --uid 1000 --no-create-home --home-dir /data --groups video pose
install -d -m 1777 /data
install -d -o pose -m 1777 /data/cache /data/takes /data/share
