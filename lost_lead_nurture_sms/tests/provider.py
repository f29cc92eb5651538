"""An SMS provider on loopback that speaks the protocol of Odoo's SMS service."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Provider:
    """Keep every SMS it is given in :attr:`messages`, refused ones included.

    :ivar answers: what it says to a number, ``success`` if nothing else is given
    :ivar broken: whether it answers nothing but an error
    :ivar webhook: where it would report to
    """

    def __init__(self):
        self.messages = []
        self.answers = {}
        self.broken = False
        self.webhook = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def clear(self):
        self.messages.clear()
        self.answers.clear()
        self.broken = False

    def send(self, params):
        """What ``/api/sms/3/send`` answers."""
        self.webhook = params["webhook_url"]
        results = []
        for message in params["messages"]:
            for recipient in message["numbers"]:
                state = self.answers.get(recipient["number"], "success")
                self.messages.append({**recipient, "text": message["content"], "state": state})
                results.append({"uuid": recipient["uuid"], "state": state, "credit": 1})
        return results

    def _handler(self):
        return type("Handler", (_Handler,), {"provider": self})


class _Handler(BaseHTTPRequestHandler):
    provider = None

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.path == "/api/sms/3/send" and request["params"]["account_token"]
        status = 500 if self.provider.broken else 200 if known else 404
        body = b""
        if status == 200:
            result = self.provider.send(request["params"])
            body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Keep quiet."""
