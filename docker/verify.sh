#!/usr/bin/env bash
# Builds the image from the Dockerfile, starts it, drives its page in Chromium, stops it with SIGTERM, and prints
# measurements:  docker/verify.sh [arguments for the build, such as: --build-arg TORCH_INDEX=ADDRESS]
#
# Uses a Docker engine if there is one. Otherwise, as root on Linux, it uses buildah, makes the base image with debootstrap
# if it cannot be pulled, and runs the program as process 1 in namespaces of its own without a network, so that a download
# at start would fail. Needs the checkout's development environment and Chromium.
#   GRADIO=1       the Gradio page too        KEEP=1        keep the images
#   SCREENSHOT=F   screenshot of the page     PYTHON=...    another interpreter than .venv/bin/python
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-$PWD/.venv/bin/python}
MEMORY=4g
END_WITHIN_MS=2000
image=localhost/realtime-pose-verify
scratch=$(mktemp -d)
program='' started=''

say() { echo "verify: $*"; }
fail() { say "FAILED: $*"; exit 1; }
export OUTSIDE=10.255.255.1 # an address that is not loopback, as for a caller through a published port
now_ms() { date +%s%3N; }

engine=buildah
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then engine=docker; fi
command -v "$engine" >/dev/null || fail "neither a Docker engine nor buildah was found; apt-get install buildah debootstrap"
say "with $engine"

# --- Docker or buildah --------------------------------------------------------------------------------------------------
build() { # target context build-arguments
  local target=$1 context=$2
  shift 2
  case $engine in
    docker) docker build --quiet -f "$context/docker/Dockerfile" --target "$target" -t "$image:$target" "$@" "$context" ;;
    buildah) BUILDAH_ISOLATION=chroot buildah bud --layers --pull=never --format docker -f "$context/docker/Dockerfile" \
      --target "$target" -t "$image:$target" "$@" "$context" ;;
  esac >"$scratch/build.log" 2>&1 || { tail -n 30 "$scratch/build.log"; fail "$target does not build"; }
}

base() { # the Dockerfile's base image, if it cannot be pulled
  local name root
  name=$(sed -n 's/^ARG BASE=//p' docker/Dockerfile)
  if [ "$engine" = docker ] || buildah inspect --type image "$name" >/dev/null 2>&1; then return; fi
  if buildah pull --quiet "$name" >/dev/null 2>&1; then return; fi
  say "$name cannot be pulled; making a similar one from Debian"
  debootstrap --variant=minbase --include=python3.11,python3.11-venv,python3-pip,ca-certificates bookworm \
    "$scratch/root" >"$scratch/debootstrap.log" 2>&1 || fail "no base: $(tail -n 3 "$scratch/debootstrap.log")"
  root=$(buildah from scratch)
  buildah add --quiet "$root" "$scratch/root" / >/dev/null
  buildah commit --quiet --rm "$root" "docker.io/library/$name" >/dev/null
  rm -rf --one-file-system "$scratch/root"
}

configured() { # Env, User, Entrypoint or Cmd of the image, one word per line
  buildah inspect --format "{{range .Docker.Config.$1}}{{println .}}{{end}}" "$started" | grep -v '^$' || true
}

start() { # target port
  local health='{{range .Config.Healthcheck.Test}}{{println .}}{{end}}'
  case $engine in
    docker)
      started=$(docker run --detach --memory "$MEMORY" --publish "127.0.0.1:$2:$2" "$image:$1")
      mapfile -t check < <(docker inspect --format "$health" "$started") ;;
    buildah)
      started=$(buildah from --pull=never "$image:$1")
      root=$(buildah mount "$started")
      mapfile -t check < <(buildah inspect --format "${health//.Config/.Docker.Config}" "$started")
      mapfile -t environment < <(configured Env)
      mapfile -t words < <(configured Entrypoint; configured Cmd)
      user=$(buildah inspect --format '{{.Docker.Config.User}}' "$started")
      folder=$(buildah inspect --format '{{.Docker.Config.WorkingDir}}' "$started")
      # shellcheck disable=SC2016  # the inner shell's own words
      unshare --pid --mount --net --ipc --fork --kill-child bash -c '
        ip link set lo up && ip address add "$OUTSIDE/32" dev lo
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys"
        exec chroot --userspec="$2" "$1" env --ignore-environment --chdir="$3" "${@:4}"
      ' - "$root" "$user" "$folder" "${environment[@]}" "${words[@]}" >"$scratch/said.log" 2>&1 &
      program=$!
      until inside=$(pgrep -P "$program"); do kill -0 "$program" || fail "it does not start: $(cat "$scratch/said.log")"; done ;;
  esac
}

within() { # a command in its network namespace
  if [ "$engine" = docker ]; then "$@"; else nsenter --net --target "$inside" -- "$@"; fi
}

answers_outside() { # port
  [ "$engine" = buildah ] || return 0 # with Docker the visit comes from outside
  within "$PYTHON" -c "
import http.client
page = http.client.HTTPConnection('$OUTSIDE', $1, timeout=10, source_address=('$OUTSIDE', 0))
page.request('GET', '/', headers={'Host': 'localhost:$1'})
assert page.getresponse().status == 200"
}

inside_it() { # a command in the container
  case $engine in
    docker) docker exec "$started" "$@" ;;
    buildah) nsenter --net --pid --mount --target "$inside" -- chroot --userspec="$user" "$root" \
      env --ignore-environment "${environment[@]}" "$@" ;;
  esac
}

healthy() { # result of the image's health check
  inside_it "${check[@]:1}" >/dev/null 2>&1
}

said() { if [ "$engine" = docker ]; then docker logs "$started" 2>&1; else cat "$scratch/said.log"; fi; }

end() { # SIGTERM to process 1, and its exit status
  case $engine in
    docker) docker kill --signal TERM "$started" >/dev/null; return "$(docker wait "$started")" ;;
    buildah) kill -TERM "$inside"; wait "$program" ;;
  esac
}

remove() {
  [ -n "$started" ] || return 0
  case $engine in
    docker) docker rm --force "$started" >/dev/null ;;
    buildah)
      if [ -n "$program" ]; then kill -KILL "$program" 2>/dev/null || true; wait "$program" 2>/dev/null || true; fi
      buildah rm "$started" >/dev/null ;;
  esac
  started='' program=''
}

leave() {
  remove || true
  if [ -z "${KEEP:-}" ]; then "$engine" rmi --force "$image:cpu" "$image:gradio" >/dev/null 2>&1 || true; fi
  rm -rf --one-file-system "$scratch"
}
trap leave EXIT

size_mb() {
  case $engine in
    docker) echo $(($(docker image inspect --format '{{.Size}}' "$image:$1") / 1000000)) ;;
    buildah) du --summarize --bytes "$root" --exclude="$root/proc" --exclude="$root/sys" --exclude="$root/dev" | awk '{print int($1 / 1e6)}' ;;
  esac
}

# --- one target, from start to exit ------------------------------------------------------------------------------------
wait_until_healthy() { # port
  local began
  began=$(now_ms)
  until healthy; do
    [ $(($(now_ms) - began)) -lt 180000 ] || fail "it does not become healthy: $(said)"
    [ "$engine" = docker ] || kill -0 "$program" || fail "it ended: $(said)"
    sleep 0.1
  done
  health_ms=$(($(now_ms) - began))
  answers_outside "$1" || fail "it does not answer from outside: $(said)"
}

end_in_time() {
  local began
  began=$(now_ms)
  end || fail "it ended with $? after SIGTERM: $(said)"
  end_ms=$(($(now_ms) - began))
  [ "$end_ms" -le "$END_WITHIN_MS" ] || fail "it took $end_ms ms to end"
  if said | grep -q Traceback; then fail "it printed a traceback: $(said)"; fi
}

# --- build -------------------------------------------------------------------------------------------------------------
base
mkdir "$scratch/context"
# shellcheck disable=SC2016  # the inner shell's own words
if [ -e .git ]; then git ls-files -z --cached --others --exclude-standard; else find . -type f -print0; fi |
  xargs -0 sh -c 'for file; do [ ! -e "$file" ] || cp --parents --preserve=mode,timestamps "$file" "$0"; done' "$scratch/context"
began=$SECONDS
build cpu "$scratch/context" "$@"
build_s=$((SECONDS - began))
echo "# a change" >>"$scratch/context/realtime_pose/__init__.py"
began=$SECONDS
build cpu "$scratch/context" "$@"
rebuild_s=$((SECONDS - began))

# --- the dashboard -----------------------------------------------------------------------------------------------------
start cpu 8501
wait_until_healthy 8501
start_ms=$health_ms
within "$PYTHON" docker/visit.py http://localhost:8501 ${SCREENSHOT:+"$SCREENSHOT"} >"$scratch/visit" ||
  { cat "$scratch/visit"; said; fail "the page"; }
number() { awk -v name="$1" '$1 == name { print $2 }' "$scratch/visit"; }
memory_mb=$(inside_it python3 -c "print(int(open('/proc/1/status').read().split('VmHWM:')[1].split()[0]) // 1024)")
user_id=$(inside_it python3 -c "import os; print(os.getuid())")
[ "$user_id" != 0 ] || fail "it runs as root"
if inside_it sh -c 'command -v gcc cc g++ make'; then fail "build tools were left"; fi
size=$(size_mb cpu)
end_in_time
dashboard_end_ms=$end_ms
remove

# --- Gradio ------------------------------------------------------------------------------------------------------------
if [ -n "${GRADIO:-}" ]; then
  build gradio "$scratch/context" "$@"
  start gradio 7860
  wait_until_healthy 7860
  gradio_ms=$health_ms
  gradio_size=$(size_mb gradio)
  end_in_time
  gradio_end_ms=$end_ms
  remove
fi

cat <<TABLE
| measured with $engine, $(nproc) cores | |
|---|---|
| image | $size MB |
| build with only the base image and cached downloads | $build_s s |
| build again after a change of code | $rebuild_s s |
| from start until healthy | $start_ms ms |
| demo, frames shown per second | $(number demo_frames_per_s) |
| uploaded video, frames shown per second | $(number upload_frames_per_s) |
| errors on the page, requests to other hosts | $(number complaints) |
| peak memory | $memory_mb MB of $MEMORY |
| from SIGTERM to exit | $dashboard_end_ms ms |
TABLE
if [ -n "${GRADIO:-}" ]; then
  echo "| Gradio: image, start, exit | $gradio_size MB, $gradio_ms ms, $gradio_end_ms ms |"
fi
say passed
