"""Who may connect to a server on this machine: no web page that its user did not mean to let in."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from realtime_pose.communication.targets import Target


def why_refused(hosts: Iterable[str], origins: Iterable[str], target: Target) -> str:
    """Why a request with these `Host` and `Origin` headers is refused; empty if it is let in.

    A name that is neither this machine's nor the target's is a page's own that was bent to this address; an IP address
    cannot be bent. A page is let in if it lies on this machine or on the host that it calls, or if the user named its
    origin; programs that are no browsers send no origin.
    """
    host, *more_hosts = [*hosts] or [""]
    name = _host_in(f"//{host}")
    if more_hosts or not (_is_ip(name) or name in _our_names(target)):
        return "this host name is not one of this server's"
    origin, *more_origins = [*origins] or [""]
    if not origin and not more_origins:
        return ""
    page = _host_in(origin)
    if not more_origins and (origin.lower() in target.origins or (page and (page == name or _is_loopback(page)))):
        return ""
    return "pages from this origin are not let in; whoever started the server can name it: HOST:PORT,origin=ORIGIN"


def _host_in(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _our_names(target: Target) -> set[str]:
    name = socket.gethostname().lower()
    return {"localhost", target.host.lower(), name, f"{name}.local"}


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_ip(name) and ipaddress.ip_address(name).is_loopback)
