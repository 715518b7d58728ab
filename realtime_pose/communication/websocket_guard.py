"""Host and Origin checks of the WebSocket server, against DNS rebinding and web pages of other sites."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from realtime_pose.communication.destinations import Destination


def refusal_reason(hosts: Iterable[str], origins: Iterable[str], served: Destination) -> str:
    """The reason why a request with these `Host` and `Origin` headers is refused; empty if it is accepted.

    A host name that is neither this machine's nor that of the served address may have been rebound to this address by
    a web page; an IP address cannot be. A page is accepted if it comes from this machine or from the host that it
    calls, or if the user named its origin. Programs other than browsers send no origin.
    """
    host, *more_hosts = [*hosts] or [""]
    name = _host_in(f"//{host}")
    if more_hosts or not (_is_ip(name) or name in _own_names(served)):
        return "this host name is not one of this server's"
    origin, *more_origins = [*origins] or [""]
    if not origin and not more_origins:
        return ""
    page = _host_in(origin)
    if not more_origins and (origin.lower() in served.origins or (page and (page == name or _is_loopback(page)))):
        return ""
    return "pages from this origin are not accepted; to allow them, start the server with HOST:PORT,origin=ORIGIN"


def _host_in(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _own_names(served: Destination) -> set[str]:
    name = socket.gethostname().lower()
    return {"localhost", served.host.lower(), name, f"{name}.local"}


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_ip(name) and ipaddress.ip_address(name).is_loopback)
