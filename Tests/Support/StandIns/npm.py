"""Nginx Proxy Manager's REST API 2.15, with its misleading statuses, over a real nginx where one is given."""

import re
import secrets
import time

from common import Answer, StandIn

HOST_FIELDS = set(
    "domain_names forward_scheme forward_host forward_port certificate_id ssl_forced http2_support hsts_enabled "
    "hsts_subdomains trust_forwarded_proto block_exploits caching_enabled allow_websocket_upgrade access_list_id "
    "advanced_config enabled meta locations".split())
REQUIRED = ("domain_names", "forward_scheme", "forward_host", "forward_port")
CERTIFICATE_META = {
    "dns_challenge", "dns_provider", "dns_provider_credentials", "propagation_seconds", "key_type", "certificate",
    "certificate_key"}
FORBIDDEN = re.compile("[&|@!#%^();:/\\\\}{=+?<>,~`'\" ]")


def error(status, message, debug=None):
    body = {"error": {"code": status, "message": message}}
    if debug:
        body["debug"] = {"stack": debug.split("\n"), "previous": None}
    return Answer(status, body)


class ProxyManager(StandIn):
    name = "npm"

    def __init__(self, world, nginx=None, email="innkeeper@example.org", password="npm-password"):
        super().__init__(world)
        self.nginx = nginx
        self.user = (email, password)
        self.tokens, self.hosts, self.certificates = {}, {}, {}
        self.count, self.busy, self.orders = 0, 0, 0
        # What a test sets: a second factor, why certbot fails, whether nginx refuses what is written, what we may see.
        self.second_factor, self.certbot_error, self.nginx_error, self.broken = False, None, None, None
        self.sees_all = True

    def state(self):
        return {
            "hosts": list(self.hosts.values()), "certificates": list(self.certificates.values()),
            "orders": self.orders, "tokens": len(self.tokens)}

    def configure(self, change):
        for name in ("second_factor", "certbot_error", "nginx_error", "broken", "sees_all"):
            if name in change:
                setattr(self, name, change[name])
        if change.get("expire_tokens"):
            self.tokens = {token: 0.0 for token in self.tokens}
        if change.get("forget_tokens"):
            self.tokens = {}
        if "host" in change:
            self.insert_host({"owner_user_id": 1, **change["host"]})
        if "certificate" in change:
            self.insert_certificate(change["certificate"], 1)

    def handle(self, request):
        if self.user[1] in request.path + request.raw_query:
            self.violation("a secret in a URL")
        if not request.path.startswith("/api"):
            return Answer(404, "<html>not found</html>")
        path = request.path[4:]
        if path in ("", "/"):
            return Answer(200, {"status": "OK", "setup": True, "version": {"major": 2, "minor": 15, "revision": 1}})
        if path == "/tokens" and request.method == "POST":
            return self.log_in(request.json())
        owner = self.authorize(request, path)
        match = re.fullmatch(r"/nginx/(proxy-hosts|certificates)(?:/(\d+))?(?:/(enable|disable))?", path)
        if path == "/users/me":
            return Answer(200, {"id": owner, "email": self.user[0], "is_disabled": False, "roles": []})
        if not match:
            raise error(404, f"Not Found - {path}")
        table = self.hosts if match[1] == "proxy-hosts" else self.certificates
        if match[2] is None:
            if request.method == "GET":
                return Answer(200, self.listed(table, request, owner))
            make = self.make_host if table is self.hosts else self.make_certificate
            return make(request.json(), owner)
        thing = table.get(int(match[2]))
        if thing is None or not (self.sees_all or thing["owner_user_id"] == owner):
            raise error(404, f"Not Found - {match[2]}")
        if request.method == "GET":
            return Answer(200, self.shown(thing))
        if request.method == "DELETE":
            del table[thing["id"]]
            self.configure_nginx()
            return Answer(200, True)
        if match[3]:
            return self.switch(thing, match[3] == "enable")
        if request.method == "PUT" and table is self.hosts:
            return self.change_host(thing, request.json())
        raise error(404, f"Not Found - {path}")

    # Tokens

    def log_in(self, body):
        if not isinstance(body, dict) or not {"identity", "secret"} <= set(body) <= {"identity", "secret", "scope"}:
            self.violation("a log-in with fields that are not taken")
            raise error(400, "data must NOT have additional properties")
        if (body["identity"], body["secret"]) != self.user:
            raise error(400, "Invalid email or password")
        if self.second_factor:
            return Answer(200, {"requires_2fa": True, "challenge_token": "challenge"})
        token = secrets.token_urlsafe(48)
        self.tokens[token] = time.monotonic() + 86400
        return Answer(200, {"token": token, "expires": "2026-12-01T12:00:00.000Z"})

    def authorize(self, request, path):
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            raise error(500 if request.method == "POST" else 404, f"Not Found - {path}")
        if token not in self.tokens:
            # Signed by another instance, or with keys that were made anew.
            raise error(500, "Internal Error")
        if self.tokens[token] < time.monotonic():
            raise error(400, "Token has expired")
        return 7

    # Hosts

    def listed(self, table, request, owner):
        query = request.query.get("query", "")
        things = [thing for thing in table.values() if self.sees_all or thing["owner_user_id"] == owner]
        return [
            self.shown(thing) for thing in things if any(query in domain for domain in thing["domain_names"])]

    def shown(self, thing):
        if "forward_host" not in thing:
            hidden = {"dns_provider_credentials"}
            return {**thing, "meta": {key: value for key, value in thing["meta"].items() if key not in hidden}}
        certificate = self.certificates.get(thing["certificate_id"])
        return {**thing, "certificate": {**certificate, "meta": {}} if certificate else None, "access_list": None}

    def checked_host(self, body, needed):
        if not isinstance(body, dict) or not body:
            raise error(400, "data must be object")
        for name in body:
            if name not in HOST_FIELDS:
                self.violation(f"no such field of a host: {name}")
                raise error(400, "data must NOT have additional properties")
        for name in needed:
            if name not in body:
                raise error(400, f"data must have required property '{name}'")
        domains = body.get("domain_names", ["x"])
        if not 1 <= len(domains) <= 100 or len(set(domains)) != len(domains):
            raise error(400, "data/domain_names must NOT have fewer than 1 items")
        if any(FORBIDDEN.search(domain) for domain in domains):
            raise error(400, "data/domain_names/0 must match pattern")
        if body.get("forward_scheme", "http") not in ("http", "https"):
            raise error(400, "data/forward_scheme must be equal to one of the allowed values")
        if not 1 <= int(body.get("forward_port", 1)) <= 65535:
            raise error(400, "data/forward_port must be <= 65535")
        if re.search(r"[;{}\s'\"]", body.get("forward_host", "")) or body.get("advanced_config"):
            self.violation("a target that nginx would read as its configuration")

    def taken(self, domains, but=None):
        for host in self.hosts.values():
            for domain in domains:
                if host["id"] != but and domain.lower() in (name.lower() for name in host["domain_names"]):
                    raise error(400, f"{domain} is already in use")

    def insert_host(self, body):
        self.count += 1
        host = {
            "certificate_id": 0, "ssl_forced": False, "http2_support": False, "hsts_enabled": False,
            "hsts_subdomains": False, "block_exploits": False, "caching_enabled": False,
            "allow_websocket_upgrade": False, "access_list_id": 0, "advanced_config": "", "enabled": True,
            "locations": [], "meta": {}, **body, "id": self.count, "created_on": "2026-11-30 12:00:00",
            "modified_on": "2026-11-30 12:00:00"}
        self.hosts[host["id"]] = host
        return self.settle(host)

    @staticmethod
    def settle(host):
        if not host["certificate_id"]:
            for name in ("ssl_forced", "http2_support", "hsts_enabled", "hsts_subdomains"):
                host[name] = False
        return host

    def make_host(self, body, owner):
        self.checked_host(body, REQUIRED)
        self.taken(body["domain_names"])
        host = self.insert_host({**body, "owner_user_id": owner})
        # The answer is read before nginx is asked.
        answer = Answer(201, self.shown({**host, "meta": dict(body.get("meta", {}))}))
        self.test(host)
        return answer

    def change_host(self, host, body):
        self.checked_host(body, ())
        if "domain_names" in body:
            self.taken(body["domain_names"], but=host["id"])
        host.update(body)
        self.settle(host)
        self.test(host)
        return Answer(200, self.shown(host))

    def switch(self, host, on):
        if host["enabled"] == on:
            raise error(400, f"Host is already {'enabled' if on else 'disabled'}")
        host["enabled"] = on
        self.test(host)
        return Answer(200, True)

    def test(self, host):
        """nginx -t of everything. Raises where somebody else's configuration is broken: the row is there by then."""
        host["meta"] = {key: value for key, value in host["meta"].items() if not key.startswith("nginx_")}
        if self.broken:
            raise error(500, "Internal Error")
        trouble = self.nginx_error or self.configure_nginx()
        host["meta"].update({"nginx_online": not trouble, "nginx_err": trouble or None})

    def configure_nginx(self):
        if self.nginx is None:
            return None
        return self.nginx.apply(
            [(host, self.certificates.get(host["certificate_id"])) for host in self.hosts.values() if host["enabled"]])

    # Certificates

    def next_number(self):
        self.count += 1
        return self.count

    def insert_certificate(self, body, owner, number=None):
        if number is None:
            number = self.next_number()
        names = body["domain_names"]
        certificate = {
            "provider": "letsencrypt", "nice_name": ", ".join(names), "expires_on": "2027-02-28 12:00:00", "meta": {},
            **body, "id": number, "owner_user_id": owner, "created_on": "2026-11-30 12:00:00",
            "modified_on": "2026-11-30 12:00:00"}
        self.certificates[certificate["id"]] = certificate
        return certificate

    def make_certificate(self, body, owner):
        if set(body) - {"provider", "nice_name", "domain_names", "meta"}:
            self.violation("a certificate with fields that are not taken")
            raise error(400, "data must NOT have additional properties")
        meta = body.get("meta", {})
        if set(meta) - CERTIFICATE_META:
            self.violation("a certificate with meta that is not taken")
            raise error(400, "data/meta must NOT have additional properties")
        if meta.get("dns_challenge") and not {"dns_provider", "dns_provider_credentials"} <= set(meta):
            raise error(400, "data/meta must have required property 'dns_provider'")
        self.orders += 1
        if self.busy:
            self.violation("two certificates at once: certbot is one")
            raise error(500, "Internal Error", "Another instance of Certbot is already running.")
        if self.certbot_error:
            raise error(500, "Internal Error", "CommandError: Some challenges have failed.\n" + self.certbot_error)
        self.busy += 1
        number, trouble = self.next_number(), None
        # Others are served meanwhile.
        self.lock.release()
        try:
            if self.nginx is None:
                time.sleep(0.05)
            else:
                trouble = self.nginx.issue(number, body["domain_names"])
        finally:
            self.lock.acquire()
            self.busy -= 1
        if trouble:
            raise error(500, "Internal Error", "CommandError: Some challenges have failed.\n" + trouble)
        certificate = self.insert_certificate(body, owner, number)
        certificate["meta"]["letsencrypt_certificate"] = {"cn": body["domain_names"][0], "issuer": "Test CA"}
        return Answer(201, self.shown(certificate))
