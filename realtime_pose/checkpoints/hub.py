"""Checkpoint downloads: resumable, verified, and moved into place when complete."""

import hashlib
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from realtime_pose.checkpoints.files import check_safetensors
from realtime_pose.checkpoints.manifest import PublishedFile, find_entry, folders
from realtime_pose.errors import CheckpointError
from realtime_pose.utils.extras import check_installed

Progress: TypeAlias = Callable[[int, int], None]
"""Callback with the number of bytes downloaded and in total."""

HUB_TIMEOUT_S = 5.0
_STALL_TIMEOUT_S = 20.0
_CHUNK_BYTES = 1 << 20
_SHA256_DIGITS = 64


@dataclass(frozen=True)
class _RemoteFile:
    url: str
    size: int
    etag: str  # of a large file on the hub, its sha256

    @property
    def sha256(self) -> str | None:
        return self.etag if len(self.etag) == _SHA256_DIGITS else None


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids downloads."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def download(name: str, progress: Progress = lambda had, total: None) -> Path:
    """The file of the named checkpoint, downloaded into the user's folder; an interrupted download is resumed.

    Fails within 5 s if the hub cannot be reached.

    Raises:
        UnknownChoiceError: The manifest has no such name.
        CheckpointError: Offline, unreachable, interrupted, or another file than the manifest or the hub states.
        MissingPackageError: The hub's client is missing.
    """
    entry = find_entry(name)
    if entry.page:
        raise CheckpointError(
            f"{name} cannot be downloaded automatically; download {entry.file} from {entry.page} "
            f"and put it at {_target(entry)}"
        )
    if is_offline():
        raise CheckpointError(f"HF_HUB_OFFLINE is set, so {name} is not downloaded; {_by_hand(entry)}")
    extra = "onnx" if entry.file.endswith(".onnx") else "vitpose"  # either brings the hub's client
    check_installed(extra, "downloading weights", "huggingface_hub", "httpx")
    remote = _look_up(entry)
    target = _target(entry)
    # Named after its content, so that a part of an older version is never resumed with a newer one.
    part = target.with_suffix(f".{remote.etag[:12]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(entry, remote, part, progress)
        _verify(entry, remote, part)
        part.replace(target)
    except OSError as exc:
        raise CheckpointError(f"{name} cannot be written to {target.parent} ({exc.strerror}); free some space") from exc
    return target


def _target(entry: PublishedFile) -> Path:
    return folders()[-1] / f"{entry.name}{Path(entry.file).suffix}"


def _by_hand(entry: PublishedFile) -> str:
    return f"put {entry.url or f'{entry.file} of {entry.repo}'} at {_target(entry)}"


def _look_up(entry: PublishedFile) -> _RemoteFile:
    """Address, size and hash of the file."""
    found: list[_RemoteFile] = []
    failure: list[Exception] = []

    def look_up() -> None:
        try:
            found.append(_query_server(entry) if entry.url else _query_hub(entry))
        except Exception as exc:  # noqa: BLE001 - passed to the calling thread, which translates it
            failure.append(exc)

    # A thread, as resolving a host name has no timeout; it is abandoned if it takes too long.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(HUB_TIMEOUT_S)
    where = f"the server of {entry.repo}" if entry.url else "the model hub"
    if found:
        if found[0].size and found[0].etag:
            return found[0]
        raise CheckpointError(
            f"{where} does not state size and hash of {entry.file} of {entry.repo}; "
            f"check for a proxy or sign-in page, or {_by_hand(entry)}"
        )
    cause = failure[0] if failure else None
    status = getattr(getattr(cause, "response", None), "status_code", None)
    if status is not None:
        raise CheckpointError(f"{where} does not provide {entry.file} of {entry.repo} (HTTP {status})") from cause
    raise CheckpointError(
        f"{where} cannot be reached, so {entry.name} is not downloaded; check the connection, or {_by_hand(entry)}"
    ) from cause


def _query_hub(entry: PublishedFile) -> _RemoteFile:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    endpoint = os.environ.get("HF_ENDPOINT") or None
    url = hf_hub_url(entry.repo, entry.file, revision=entry.revision, endpoint=endpoint)
    answer = get_hf_file_metadata(url, timeout=HUB_TIMEOUT_S)
    return _RemoteFile(url, answer.size or 0, answer.etag or "")


def _query_server(entry: PublishedFile) -> _RemoteFile:
    import httpx

    answer = httpx.head(entry.url, timeout=HUB_TIMEOUT_S, follow_redirects=True)
    answer.raise_for_status()
    etag = re.sub(r"\W", "", answer.headers.get("ETag") or entry.sha256 or "")  # used in a file name
    return _RemoteFile(entry.url, int(answer.headers.get("Content-Length", 0)), etag)


def _fetch(entry: PublishedFile, remote: _RemoteFile, part: Path, progress: Progress) -> None:
    """Download the rest of the file to `part`."""
    import httpx

    had = part.stat().st_size if part.exists() else 0
    if had >= remote.size:
        return
    headers = {"Range": f"bytes={had}-"} if had else {}
    try:
        request = httpx.stream("GET", remote.url, headers=headers, timeout=_STALL_TIMEOUT_S, follow_redirects=True)
        with request as answer:
            answer.raise_for_status()
            resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
            had = had if resumed else 0
            with part.open("ab" if resumed else "wb") as file:
                for chunk in answer.iter_bytes(_CHUNK_BYTES):
                    file.write(chunk)
                    had += len(chunk)
                    progress(had, remote.size)
    except httpx.HTTPError as exc:
        raise _interrupted(entry, had, remote) from exc
    if had < remote.size:
        raise _interrupted(entry, had, remote)


def _interrupted(entry: PublishedFile, had: int, remote: _RemoteFile) -> CheckpointError:
    return CheckpointError(
        f"the download of {entry.name} was interrupted at {had:,} of {remote.size:,} bytes; run it again to resume"
    )


def _verify(entry: PublishedFile, remote: _RemoteFile, part: Path) -> None:
    """Delete the file and raise an error if its hash is wrong."""
    wanted = entry.sha256 or remote.sha256
    with part.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        if wanted is not None and not got.startswith(wanted):
            raise CheckpointError(
                f"the download of {entry.name} has sha256 {got}, wanted {wanted}; it was deleted, try again"
            )
        if entry.file.endswith(".safetensors"):
            check_safetensors(part)
    except CheckpointError:
        part.unlink()
        raise
