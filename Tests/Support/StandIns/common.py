"""What the stand-ins of other people's services share: an HTTP server that checks what it is asked, with faults on demand."""

import json
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Answer(Exception):
    """An answer with a status; raised from anywhere below a handler."""

    def __init__(self, status, body, headers=None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Request:
    def __init__(self, method, target, headers, body):
        parts = urlsplit(target)
        self.method, self.path, self.raw_query = method, parts.path, parts.query
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class StandIn:
    """A service: `handle(request)` returns an `Answer`; `violations` is what the real one would not have taken."""

    name = "service"
    # Where an answer has headers of its own.
    server_header = "stand-in"

    def __init__(self, world):
        self.world = world
        self.lock = threading.RLock()
        self.faults, self.log, self.violations = [], [], []
        self.server = None

    def handle(self, request):
        raise NotImplementedError

    def state(self):
        return {}

    def configure(self, change):
        """Changes what is there, as somebody else would."""
        raise NotImplementedError

    def violation(self, text):
        self.violations.append(text)

    def line(self, request):
        """Of a request, for the log and for faults: without secrets."""
        return f"{request.method} {request.path}" + (f"?{request.raw_query}" if request.raw_query else "")

    # Faults: {"on": "POST /zones", "kind": "lost", "times": 1, "seconds": 1}

    def take_fault(self, request):
        with self.lock:
            line = self.line(request)
            self.log.append(line)
            for fault in self.faults:
                if fault.get("times", 1) > 0 and re.search(fault["on"], line):
                    if fault.get("after", 0) > 0:
                        fault["after"] -= 1
                        continue
                    fault["times"] = fault.get("times", 1) - 1
                    return fault
        return None

    def throttled(self, fault):
        return Answer(429, {"error": "slow down"}, {"Retry-After": str(fault.get("seconds", 1))})

    def serve(self, host="127.0.0.1", port=0, tls=None):
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do(self):
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(self.command, self.path, self.headers, self.rfile.read(length))
                stand_in.answer(self, request)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *arguments):
                pass

        self.server = Server((host, port), Handler)
        if tls:
            # Each connection shakes hands on a thread of its own, at its first byte.
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_address[1]

    def perform(self, request):
        try:
            with self.lock:
                return self.handle(request)
        except Answer as answer:
            return answer

    def answer(self, connection, request):
        fault = self.take_fault(request) or {}
        kind = fault.get("kind")
        if kind == "slow":
            time.sleep(fault.get("seconds", 1))
        if kind == "unreachable":
            return self.hang_up(connection)
        if kind == "throttle":
            return self.send(connection, self.throttled(fault))
        if kind == "status":
            return self.send(connection, Answer(fault["status"], fault.get("body", {}), fault.get("headers")))
        if kind == "html":
            return self.send(connection, Answer(fault.get("status", 502), "<html>bad gateway</html>"))
        if kind == "twice":
            self.perform(request)
        answer = self.perform(request)
        if kind == "late":
            time.sleep(fault.get("seconds", 1))
        if kind == "lost":
            return self.hang_up(connection)
        if kind == "failed_after":
            return self.send(connection, self.internal_error())
        if kind == "cut":
            return self.send(connection, answer, cut=True)
        self.send(connection, answer)

    def internal_error(self):
        return Answer(500, {"error": {"code": 500, "message": "Internal Error"}})

    def hang_up(self, connection):
        connection.close_connection = True
        try:
            connection.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def send(self, connection, answer, cut=False):
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        bytes_ = text.encode()
        kind = "text/html" if text.startswith("<") else "application/json"
        try:
            connection.send_response(answer.status)
            for name, value in {"Content-Type": kind, **answer.headers}.items():
                connection.send_header(name, value)
            connection.send_header("Content-Length", str(len(bytes_)))
            connection.end_headers()
            connection.wfile.write(bytes_[: len(bytes_) // 2] if cut else bytes_)
            connection.wfile.flush()
            if cut:
                self.hang_up(connection)
        except OSError:
            pass


class Control(StandIn):
    """Tells what the others saw, and makes them misbehave: GET /NAME, POST /NAME/faults, POST /NAME/change."""

    name = "control"

    def handle(self, request):
        parts = [part for part in request.path.split("/") if part]
        service = self.world.get(parts[0]) if parts else None
        if service is None:
            raise Answer(404, {})
        if request.method == "GET":
            with service.lock:
                return Answer(
                    200, {"state": service.state(), "log": service.log, "violations": service.violations})
        body = request.json()
        with service.lock:
            if parts[1:] == ["faults"]:
                service.faults = list(body)
            else:
                service.configure(body)
        return Answer(200, {})
