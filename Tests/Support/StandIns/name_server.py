"""A name server that answers from what the providers' stand-ins have, recursive and authoritative at once, with faults by name."""

import ipaddress
import socket
import socketserver
import struct
import threading
import time

from common import Answer, StandIn

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28}
NAME_SERVER = "ns1.standin.test"


def packed_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def packed_value(kind, value):
    if kind == "A":
        return ipaddress.IPv4Address(value).packed
    if kind == "AAAA":
        return ipaddress.IPv6Address(value).packed
    if kind == "TXT":
        text = value.encode()
        return b"".join(bytes([len(part)]) + part for part in (text[i : i + 255] for i in range(0, len(text), 255)))
    return packed_name(value)


class NameServer(StandIn):
    """Faults are by name: {"name": "x.example.org", "kind": "silent"}; `records` are more than the providers have."""

    name = "dns"

    def __init__(self, world):
        super().__init__(world)
        self.records, self.kinds = [], {}
        self.sources = ["cloudflare", "ispconfig"]

    def state(self):
        return {"faults": self.kinds}

    def handle(self, request):
        raise Answer(404, {})

    def configure(self, change):
        for record in change.get("records", []):
            self.records.append(tuple(record))
        self.kinds.update(change.get("faults", {}))

    def known(self):
        zones, records = {"standin.test"}, [(NAME_SERVER, "A", "127.0.0.1", 60), *self.records]
        for source in self.sources:
            if source in self.world:
                more = self.world[source].dns()
                zones |= set(more[0])
                records += more[1]
        return zones, records

    def lookup(self, name, kind):
        """Code and answers, with aliases followed."""
        zones, records = self.known()
        answers, owner = [], name
        for _ in range(10):
            exact = [record for record in records if record[0] == owner]
            found = [record for record in exact if record[1] == kind]
            if kind == "NS" and owner in zones and not found:
                found = [(owner, "NS", NAME_SERVER, 60)]
            alias = next((record for record in exact if record[1] == "CNAME"), None)
            if found or alias is None or kind == "CNAME":
                exists = exact or owner in zones or any(record[0].endswith("." + owner) for record in records)
                return (0 if exists else 3), answers + found
            answers.append(alias)
            owner = alias[2]
        return 0, answers

    def respond(self, query, over_tcp):
        """The bytes of the answer; None for none."""
        if len(query) < 17:
            return None
        id, flags, count = struct.unpack(">HHH", query[:6])
        labels, place = [], 12
        while query[place]:
            labels.append(query[place + 1 : place + 1 + query[place]].decode().lower())
            place += 1 + query[place]
        number = struct.unpack(">H", query[place + 1 : place + 3])[0]
        question = query[12 : place + 5]
        name, recurse = ".".join(labels), bool(flags & 0x0100)
        kind = next((text for text, code in TYPES.items() if code == number), "")
        with self.lock:
            self.log.append(f"{'TCP' if over_tcp else 'UDP'} {kind} {name}{' +rd' if recurse else ''}")
            fault = self.kinds.get(name)
            if fault == "lost_once":
                self.kinds[name] = None
        code, answers = self.lookup(name, kind)
        head = 0x8080 | (flags & 0x0100)
        if fault in ("silent", "lost_once") or fault == "tcp_hangs" and over_tcp:
            time.sleep(0 if not over_tcp else 30)
            return None
        if fault == "old_negative" and recurse:
            code, answers = 3, []
        if fault == "servfail":
            code, answers = 2, []
        body = question + b"".join(
            packed_name(owner) + struct.pack(">HHIH", TYPES[type_], 1, ttl, len(data)) + data
            for owner, type_, value, ttl in answers for data in [packed_value(type_, value)])
        total = len(answers)
        if fault in ("cut", "tcp_hangs") and not over_tcp:
            head, body, total = head | 0x0200, question, 0
        message = struct.pack(">HHHHHH", id, head | code, 1, total, 0, 0) + body
        if fault == "wrong_id":
            return struct.pack(">H", id ^ 1) + message[2:]
        if fault == "other_question":
            other = packed_name("other.test") + question[-4:]
            return struct.pack(">HHHHHH", id, head, 1, 0, 0, 0) + other
        if fault == "garbage":
            return message[:12] + b"\xc0\x0c" * 40
        if fault == "loop":
            # A name that points to itself.
            loop = struct.pack(">H", 0xC000 | 12 + len(question))
            return struct.pack(">HHHHHH", id, head, 1, 1, 0, 0) + question + loop + struct.pack(">HHIH", number, 1, 60, 4) + b"1234"
        if fault == "short":
            return message[:-3]
        return message

    def serve(self, host="127.0.0.1", port=0):
        name_server = self

        class UDP(socketserver.BaseRequestHandler):
            def handle(self):
                query, server = self.request
                fault = name_server.fault_of(query)
                if fault == "forged":
                    # Others answer first.
                    for change in range(1, 20):
                        server.sendto(struct.pack(">H", (query[0] << 8 | query[1]) ^ change) + b"\x81\x80" + query[4:], self.client_address)
                answer = name_server.respond(query, over_tcp=False)
                if answer is not None:
                    server.sendto(answer, self.client_address)

        class TCP(socketserver.BaseRequestHandler):
            def handle(self):
                head = self.request.recv(2, socket.MSG_WAITALL)
                if len(head) == 2:
                    query = self.request.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                    answer = name_server.respond(query, over_tcp=True)
                    if answer is not None:
                        self.request.sendall(struct.pack(">H", len(answer)) + answer)

        class UDPServer(socketserver.ThreadingUDPServer):
            daemon_threads = True

        class TCPServer(socketserver.ThreadingTCPServer):
            daemon_threads, allow_reuse_address = True, True

        # The same number for both, which somebody else may have for one.
        for _ in range(50):
            tcp = TCPServer((host, port), TCP)
            try:
                udp = UDPServer((host, tcp.server_address[1]), UDP)
                break
            except OSError:
                tcp.server_close()
        for server in (tcp, udp):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return tcp.server_address[1]

    def fault_of(self, query):
        labels, place = [], 12
        while place < len(query) and query[place]:
            labels.append(query[place + 1 : place + 1 + query[place]].decode(errors="replace").lower())
            place += 1 + query[place]
        return self.kinds.get(".".join(labels))
