"""A server on 127.0.0.1 that hands out files well and badly, for tests of downloading."""

import contextlib
import http.server
import re
import threading
from dataclasses import dataclass, field


@dataclass
class Server:
    """What is served by path, what goes wrong, and what was asked for (path, first byte)."""

    files: dict[str, bytes]
    cut: int | None = None
    ranges: bool = True
    kind: str = "application/octet-stream"
    asked: list[tuple[str, int]] = field(default_factory=list)
    address: str = ""


@contextlib.contextmanager
def serving(files: dict[str, bytes], **how: object):
    """A running server; `cut`: it stops after so many bytes; `ranges`: it can begin in the middle."""
    state = Server(files, **how)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            data = state.files.get(self.path)
            if data is None:
                return self.send_error(404)
            wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            first = int(wanted[1]) if wanted and state.ranges else 0
            state.asked.append((self.path, first))
            if first >= len(data) and first:
                return self.send_error(416)
            self.send_response(206 if first else 200)
            self.send_header("Content-Type", state.kind)
            self.send_header("Content-Length", str(len(data) - first))
            self.end_headers()
            self.wfile.write(data[first : state.cut])
            self.close_connection = True

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        state.address = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()


def refused_address() -> str:
    """An address on this machine at which nobody listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
