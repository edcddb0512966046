"""Cloudflare's DNS API v4, as far as it is used: zones and records, with the checks and codes of the real one."""

import ipaddress
import re

from common import Answer, StandIn

RECORD_FIELDS = {"type", "name", "content", "data", "ttl", "proxied", "priority", "comment", "tags", "settings"}
LIST_FIELDS = {"type", "name", "name.exact", "content.exact", "comment.contains", "page", "per_page", "match"}
PROXIABLE = {"A", "AAAA", "CNAME"}


def fail(status, code, message):
    body = {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    return Answer(status, body)


class Cloudflare(StandIn):
    name = "cloudflare"

    def __init__(self, world, token="cf-token", zone="example.org"):
        super().__init__(world)
        self.token = token
        self.zones = [self.new_zone(zone)]
        self.records = {}
        self.count = 0
        # Requests that are left in the window of five minutes.
        self.left = 1200

    @staticmethod
    def new_zone(name, status="active"):
        return {"id": f"{abs(hash(name)) & (1 << 128) - 1:032x}"[:32], "name": name, "status": status}

    def state(self):
        return {"records": list(self.records.values()), "zones": self.zones, "left": self.left}

    def configure(self, change):
        if "zone" in change:
            name = change["zone"]
            self.zones = [zone for zone in self.zones if zone["name"] != name]
            self.zones.append(self.new_zone(name, change.get("status", "active")))
        if "record" in change:
            record = {"proxied": False, "ttl": 300, "comment": None, **change["record"]}
            self.store(self.zone_of(record["name"]), record)
        if "left" in change:
            self.left = change["left"]

    def throttled(self, fault):
        answer = fail(429, 971, "Please wait and consider throttling your request speed")
        if fault.get("seconds") is not None:
            answer.headers["retry-after"] = str(fault["seconds"])
        return answer

    def internal_error(self):
        return fail(500, 10001, "internal error")

    def handle(self, request):
        self.left -= 1
        if self.left < 0:
            raise self.throttled({"seconds": 300})
        answer = self.route(request)
        answer.headers["Ratelimit"] = f'"default";r={max(0, self.left)};t=300'
        return answer

    def route(self, request):
        if "cf-token" in request.raw_query or self.token in request.path:
            self.violation("a secret in a URL")
        authorization = request.headers.get("authorization", "")
        if not authorization.startswith("Bearer "):
            raise fail(400, 6003, "Invalid request headers")
        if authorization != f"Bearer {self.token}":
            raise fail(403, 10000, "Authentication error")
        if request.body and request.headers.get("content-type") != "application/json":
            self.violation("a body without its type")
        prefix = "/client/v4"
        if not request.path.startswith(prefix):
            raise fail(400, 7000, "No route for that URI")
        path = request.path[len(prefix):]
        if path == "/zones" and request.method == "GET":
            return self.page(request, [zone for zone in self.zones if request.query.get("name") in (None, zone["name"])], 50)
        match = re.fullmatch(r"/zones/([^/]+)/dns_records(?:/([^/]+))?", path)
        if not match:
            raise fail(400, 7000, "No route for that URI")
        zone = next((zone for zone in self.zones if zone["id"] == match[1]), None)
        if zone is None:
            raise fail(404, 7003, "Could not route to /zones/…, perhaps your object identifier is invalid?")
        return self.records_call(request, zone, match[2])

    def records_call(self, request, zone, id):
        if request.method == "GET" and id is None:
            for name in request.query:
                if name not in LIST_FIELDS:
                    self.violation(f"no such filter: {name}")
            wanted = [record for record in self.records.values() if record["zone_id"] == zone["id"]]
            if "type" in request.query:
                wanted = [record for record in wanted if record["type"] == request.query["type"]]
            if "name.exact" in request.query:
                wanted = [record for record in wanted if record["name"] == request.query["name.exact"].lower()]
            return self.page(request, wanted, 5_000_000)
        if request.method == "POST" and id is None:
            return self.made(self.store(zone, self.checked(request.json(), zone)))
        record = self.records.get(id)
        if record is None or record["zone_id"] != zone["id"]:
            raise fail(404, 81044, "Record does not exist.")
        if request.method == "PATCH":
            return self.made(self.store(zone, self.checked({**self.open(record), **request.json()}, zone, id), id))
        if request.method == "DELETE":
            del self.records[id]
            return self.made({"id": id})
        raise fail(405, 7001, "Method not allowed")

    @staticmethod
    def open(record):
        return {key: value for key, value in record.items() if key in RECORD_FIELDS}

    @staticmethod
    def made(result):
        return Answer(200, {"success": True, "errors": [], "messages": [], "result": result})

    def page(self, request, items, most):
        size, page = int(request.query.get("per_page", min(100, most))), int(request.query.get("page", 1))
        if not 1 <= size <= most or page < 1:
            raise fail(400, 1004, "invalid page")
        answer = self.made(items[(page - 1) * size : page * size])
        answer.body["result_info"] = {
            "page": page, "per_page": size, "count": len(answer.body["result"]), "total_count": len(items),
            "total_pages": -(-len(items) // size)}
        return answer

    def zone_of(self, name):
        return next(zone for zone in self.zones if name == zone["name"] or name.endswith("." + zone["name"]))

    def checked(self, body, zone, id=None):
        if not isinstance(body, dict):
            raise fail(400, 9207, "Failed to parse request body")
        for field in body:
            if field not in RECORD_FIELDS:
                self.violation(f"no such field: {field}")
        kind, name, content = body.get("type"), str(body.get("name", "")).lower(), body.get("content")
        if kind not in {"A", "AAAA", "CNAME", "TXT", "MX", "NS"} or not isinstance(content, str):
            raise fail(400, 1004, "DNS Validation Error")
        if name != zone["name"] and not name.endswith("." + zone["name"]):
            raise fail(400, 1004, "DNS Validation Error: the name is not in the zone")
        try:
            if kind == "A":
                ipaddress.IPv4Address(content)
            if kind == "AAAA":
                ipaddress.IPv6Address(content)
        except ValueError:
            raise fail(400, 9005, f"Content for {kind} record is invalid")
        if kind == "TXT" and not content.startswith('"'):
            self.violation("a text without quotes")
            content = f'"{content}"'
        ttl, proxied = body.get("ttl", 1), body.get("proxied", False)
        if ttl != 1 and not 60 <= ttl <= 86400:
            raise fail(400, 9021, "TTL is invalid")
        if proxied and kind not in PROXIABLE:
            raise fail(400, 9004, "This record type cannot be proxied")
        if len(body.get("comment") or "") > 100:
            raise fail(400, 9207, "comment is too long")
        for other in self.records.values():
            if other["zone_id"] != zone["id"] or other["name"] != name or other["id"] == id:
                continue
            if other["type"] == kind and other["content"] == content:
                raise fail(400, 81058, "An identical record already exists.")
            if "CNAME" in (kind, other["type"]):
                raise fail(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
        return {**body, "name": name, "content": content, "ttl": 1 if proxied else ttl, "proxied": proxied}

    def store(self, zone, record, id=None):
        self.count += 1
        id = id or f"{self.count:032x}"
        self.records[id] = {
            "comment": None, **record, "id": id, "zone_id": zone["id"], "proxiable": record["type"] in PROXIABLE,
            "meta": {}, "created_on": "2026-11-30T12:00:00Z", "modified_on": "2026-11-30T12:00:00Z"}
        return self.records[id]

    def dns(self):
        """Zones and what they answer."""
        with self.lock:
            zones = {zone["name"] for zone in self.zones if zone["status"] == "active"}
            records = []
            for record in self.records.values():
                content = record["content"]
                if record["type"] == "TXT":
                    content = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', content)).replace('\\"', '"')
                records.append((record["name"], record["type"], content, record["ttl"]))
            return zones, records
