"""A mail server that takes everything and keeps nothing, as fast as it can."""

import contextlib
import socketserver
import threading


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("220 sink")
        while command := self.rfile.readline():
            verb = command[:4].upper()
            if verb == b"DATA":
                self._say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
            self._say("250 sink" if verb != b"QUIT" else "221 bye")
            if verb == b"QUIT":
                break

    def _say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


@contextlib.contextmanager
def listening():
    """Run the server and yield its port."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
