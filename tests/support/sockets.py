"""Sockets that listen for tests."""

import socket

PATIENCE_S = 10.0


class Ear:
    """A UDP socket on a free port of this machine."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE_S)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def datagrams(self, count: int) -> list[bytes]:
        """The next `count` datagrams."""
        return [self._socket.recv(65_535) for _ in range(count)]

    def is_empty(self) -> bool:
        """True if no datagram is waiting; those this process sent before have arrived."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(65_535)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(PATIENCE_S)
        return False

    def close(self) -> None:
        self._socket.close()
