"""ISPConfig 3's remote API over JSON, as far as DNS goes: parameters by PHP's names, 200 for everything, changes that come late."""

import re
import secrets
import time

from common import Answer, StandIn

PARAMETERS = {
    "login": ["username", "password", "client_login"],
    "logout": ["session_id"],
    "dns_zone_add": ["session_id", "client_id", "params"],
    "dns_zone_update": ["session_id", "client_id", "primary_id", "params"],
    "dns_zone_get": ["session_id", "primary_id"],
    "dns_zone_get_id": ["session_id", "origin"],
    "dns_zone_delete": ["session_id", "primary_id"],
    "dns_rr_get_all_by_zone": ["session_id", "zone_id"],
    "monitor_jobqueue_count": ["session_id", "server_id"],
}
TYPES = "a aaaa alias caa cname dname hinfo loc mx naptr ns ptr rp srv sshfp tlsa txt".split()
for kind in TYPES:
    PARAMETERS[f"dns_{kind}_add"] = ["session_id", "client_id", "params", "update_serial"]
    PARAMETERS[f"dns_{kind}_update"] = ["session_id", "client_id", "primary_id", "params", "update_serial"]
    PARAMETERS[f"dns_{kind}_delete"] = ["session_id", "primary_id", "update_serial"]

ZONE_FIELDS = "server_id origin ns mbox serial refresh retry expire minimum ttl active xfer also_notify update_acl".split()
RECORD_FIELDS = "server_id zone name type data aux ttl active stamp serial".split()


class Fault(Exception):
    pass


class ISPConfig(StandIn):
    name = "ispconfig"

    def __init__(self, world, username="innkeeper", password="isp-password"):
        super().__init__(world)
        self.user = (username, password)
        self.sessions, self.zones, self.rows = {}, {}, {}
        self.count = 0
        # Seconds until the server daemon has taken a change over, and when the last one came.
        self.lag, self.changed, self.jobs = 0, 0.0, 0
        self.applied = (set(), [])
        self.denied = set()

    def state(self):
        return {"zones": list(self.zones.values()), "rows": list(self.rows.values()), "sessions": len(self.sessions)}

    def configure(self, change):
        self.lag = change.get("lag", self.lag)
        self.denied = set(change.get("denied", self.denied))
        if change.get("expire_sessions"):
            self.sessions = {}
        if "zone" in change:
            self.insert(self.zones, {"origin": change["zone"] + ".", "active": "Y", "serial": "1", "server_id": "1"})
            self.apply()
        if "row" in change:
            self.insert(self.rows, {"aux": "0", "ttl": "3600", "active": "Y", **change["row"]})
            self.apply()

    def internal_error(self):
        return Answer(500, "")

    @staticmethod
    def fault(message):
        return Answer(200, {"code": "remote_fault", "message": message, "response": False})

    def handle(self, request):
        if "isp-password" in request.raw_query:
            self.violation("a secret in a URL")
        if request.method != "POST" or request.path != "/remote/json.php":
            return Answer(404, "<html>not found</html>")
        method = re.split(r"[&=]", request.raw_query)[0]
        body = request.json()
        if not isinstance(body, dict):
            return Answer(200, {"code": "invalid_data", "message": "", "response": False})
        if method not in PARAMETERS:
            return Answer(200, {"code": "invalid_method", "message": "", "response": False})
        for name in body:
            if name not in PARAMETERS[method]:
                self.violation(f"{method} has no parameter {name}")
        # What is left out is null, whatever PHP's default is.
        arguments = {name: body.get(name) for name in PARAMETERS[method]}
        try:
            response = self.dispatch(method, arguments)
        except Fault as fault:
            return self.fault(str(fault))
        return Answer(200, {"code": "ok", "message": "", "response": response})

    def dispatch(self, method, arguments):
        if method == "login":
            if (arguments["username"], arguments["password"]) != self.user:
                raise Fault("The login failed. Username or password wrong.")
            session = secrets.token_hex(16)
            self.sessions[session] = time.monotonic()
            return session
        session = arguments.pop("session_id")
        if not session:
            raise Fault("The SessionID is empty.")
        if time.monotonic() - self.sessions.get(session, -1e9) > 1800:
            raise Fault("The Session is expired or does not exist.")
        if method in self.denied:
            raise Fault("You do not have the permissions to access this function.")
        if method == "logout":
            return self.sessions.pop(session, None) is not None
        match = re.fullmatch(r"dns_([a-z]+)_(add|update|delete)", method)
        if match and match[1] != "zone":
            return self.record(match[1].upper(), match[2], **arguments)
        return getattr(self, method)(**arguments)

    def insert(self, table, row):
        self.count += 1
        table[self.count] = {"id": str(self.count), **{name: str(value) for name, value in row.items()}}
        self.note()
        return self.count

    def note(self):
        self.settle()
        self.changed = time.monotonic()
        self.jobs += 1
        if self.lag == 0:
            self.apply()

    def settle(self):
        if self.jobs and time.monotonic() - self.changed >= self.lag:
            self.apply()

    def apply(self):
        self.jobs = 0
        names = {id: zone["origin"].rstrip(".") for id, zone in self.zones.items() if zone["active"] == "Y"}
        records = []
        for row in self.rows.values():
            origin = names.get(int(row["zone"]))
            if origin is None or row["active"] != "Y":
                continue
            name = row["name"]
            full = origin if name in ("", "@") else name[:-1] if name.endswith(".") else f"{name}.{origin}"
            data = row["data"]
            if row["type"] in ("CNAME", "NS"):
                data = data[:-1] if data.endswith(".") else f"{data}.{origin}"
            records.append((full, row["type"], data, int(row["ttl"])))
        self.applied = (set(names.values()), records)

    def monitor_jobqueue_count(self, server_id):
        self.settle()
        return self.jobs

    def dns_zone_add(self, client_id, params):
        for name in params:
            if name not in ZONE_FIELDS:
                self.violation(f"no such field of a zone: {name}")
        origin = params.get("origin", "")
        if not re.fullmatch(r"[a-z0-9.\-]{2,255}\.", origin):
            raise Fault("origin_error_regex<br>")
        if any(zone["origin"] == origin for zone in self.zones.values()):
            raise Fault("origin_error_unique<br>")
        for name in ("ns", "mbox"):
            if not str(params.get(name, "")).endswith("."):
                raise Fault(f"{name}_error_regex<br>")
        return self.insert(self.zones, params)

    def dns_zone_update(self, client_id, primary_id, params):
        zone = self.zones.get(int(primary_id))
        if zone is None or all(zone.get(name) == str(value) for name, value in params.items()):
            return 0
        zone.update({name: str(value) for name, value in params.items()})
        self.note()
        return 1

    def dns_zone_get(self, primary_id):
        if isinstance(primary_id, dict):
            return [
                zone for zone in self.zones.values() if all(zone.get(name) == value for name, value in primary_id.items())]
        if int(primary_id) == -1:
            return list(self.zones.values())
        return self.zones.get(int(primary_id), False)

    def dns_zone_get_id(self, origin):
        self.violation("dns_zone_get_id takes the beginning of a longer name for the name")
        for id, zone in self.zones.items():
            if zone["origin"].startswith(origin):
                return id
        raise Fault("There is no domain ID with informed domain name.")

    def dns_zone_delete(self, primary_id):
        if any(row["zone"] == str(primary_id) for row in self.rows.values()):
            self.violation("a zone was deleted before its records")
        return 1 if self.zones.pop(int(primary_id), None) and not self.note() else 0

    def dns_rr_get_all_by_zone(self, zone_id):
        return [row for row in self.rows.values() if row["zone"] == str(zone_id)]

    def record(self, kind, verb, primary_id=None, client_id=None, params=None, update_serial=None):
        if update_serial is not True:
            self.violation("the serial is not updated: secondaries never hear of the change")
        if verb == "delete":
            row = self.rows.pop(int(primary_id), None)
            return 1 if row and not self.note() else 0
        for name in params:
            if name not in RECORD_FIELDS:
                self.violation(f"no such field of a record: {name}")
        if int(params.get("zone") or 0) not in self.zones:
            self.violation("a record without its zone")
        if params.get("type") != kind:
            self.violation(f"a record of type {params.get('type')} by the call for {kind}")
        if not re.fullmatch(r"[A-Za-z0-9.\-*_]{0,255}", params.get("name", "")):
            raise Fault("name_error_regex<br />")
        if int(params.get("ttl", 0)) < 60:
            raise Fault("ttl_range_error<br>")
        if kind == "A" and not re.fullmatch(r"\d+(\.\d+){3}", params.get("data", "")):
            raise Fault("data_error_regex<br>")
        if verb == "add":
            return self.insert(self.rows, params)
        row = self.rows.get(int(primary_id))
        if row is None:
            return 0
        row.update({name: str(value) for name, value in params.items()})
        self.note()
        return 1

    def dns(self):
        with self.lock:
            self.settle()
            return self.applied
