"""A network that can be cut: a TCP proxy in front of the emulator."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Network:
    """What goes through it, and when it breaks.

    cut_at: the bytes of a request at which the connection breaks: with `after_answer`, only once
    the server has done its work, so that the answer is lost; else before the server has it all.
    times: how often it breaks; after that it works again. dead: it takes no connection at all.
    """

    target: tuple[str, int]
    cut_at: bytes = b""
    after_answer: bool = False
    times: int = 0
    dead: bool = False
    dead_after_cut: bool = False
    cuts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def breaks(self, data: bytes) -> bool:
        """Whether the connection with these bytes is one that breaks; counts it."""
        with self.lock:
            if not self.cut_at or self.cut_at not in data or self.cuts >= self.times:
                return False
            self.cuts += 1
            return True

    def heal(self) -> None:
        self.cut_at, self.dead, self.dead_after_cut = b"", False, False

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.dead:
                return
            with socket.create_connection(self.target) as server:
                self._both_ways(client, server)

    def _both_ways(self, client: socket.socket, server: socket.socket) -> None:
        broken = threading.Event()

        def answers() -> None:
            with contextlib.suppress(OSError):
                while data := server.recv(65536):
                    if broken.is_set():
                        break
                    client.sendall(data)
            for end in (client, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=answers, daemon=True).start()
        seen = b""
        while data := client.recv(4096):
            seen = (seen + data)[-65536:]
            if self.breaks(seen):
                broken.set()
                self.dead = self.dead_after_cut
                if not self.after_answer:
                    server.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(data)
                server.settimeout(60)
                # `answers` drops what comes back, then closes both ends.
                while client.recv(4096):
                    pass
                return
            server.sendall(data)


@contextmanager
def network(url: str) -> Iterator[tuple[Network, str]]:
    """A network to the server at `url`, and the URL to reach it by."""
    parts = urlsplit(url)
    between = Network((parts.hostname, parts.port))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=between.serve, args=(listener,), daemon=True).start()
        yield between, f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Wakes the thread that waits for the next connection.
        listener.shutdown(socket.SHUT_RDWR)
