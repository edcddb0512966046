"""A real nginx on two ports of a loopback address, configured as Nginx Proxy Manager does, with certificates of a test authority."""

import os
import signal
import socket
import subprocess
import time

from authorities import Authority

HEAD = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
# Its folder may be open to nobody but who runs the tests.
user root;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=public-cache:1m max_size=16m;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{ listen {address}:{http} default_server; {acme} location / {{ return 404; }} }}
  server {{
    listen {address}:{https} ssl http2 default_server; ssl_certificate {folder}/0.pem; ssl_certificate_key {folder}/0.key;
    return 404;
  }}
"""

HOST = """
  server {{
    listen {address}:{http};
    {tls}
    server_name {names};
    {acme}
    location / {{
      {force}
      proxy_pass {scheme}://{host}:{port};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Real-IP $remote_addr;
      {sockets}
      {cache}
    }}
  }}
"""


ACME = "location ^~ /.well-known/acme-challenge/ {{ auth_basic off; root {webroot}; default_type text/plain; }}"


class Nginx:
    """`authority` issues certificates; OpenSSL's own where none is given. The page of a name that is no host is 404."""

    def __init__(self, folder, http, https, address="127.0.0.1"):
        self.folder, self.http, self.https, self.address = folder, http, https, address
        self.webroot = f"{folder}/webroot"
        os.makedirs(self.webroot, exist_ok=True)
        self.authority = Authority(folder)
        self.authority.issue(f"{folder}/0", ["default.invalid"])
        self.write([])
        self.process = subprocess.Popen(
            ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

        self.await_workers()

    def await_workers(self):
        """A reload that is asked for before there are any is put off until something else happens to nginx."""
        for attempt in range(300):
            try:
                with socket.create_connection((self.address, self.http), timeout=10) as connection:
                    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    if connection.recv(1):
                        return
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"nginx does not answer: see {self.folder}/error.log")

    def issue(self, number, names):
        """Returns why there is no certificate; None when there is one."""
        return self.authority.issue(f"{self.folder}/{number}", names)

    def write(self, hosts):
        acme = ACME.format(webroot=self.webroot)
        ports = {"http": self.http, "https": self.https, "address": self.address, "acme": acme}
        text = HEAD.format(folder=self.folder, **ports)
        for host, certificate in hosts:
            tls = force = ""
            if certificate:
                base = f"{self.folder}/{certificate['id']}"
                tls = (
                    f"listen {self.address}:{self.https} ssl http2; ssl_certificate {base}.pem; "
                    f"ssl_certificate_key {base}.key;")
                if host["ssl_forced"]:
                    force = 'if ($scheme = "http") { return 301 https://$host$request_uri; }'
            target = host["forward_host"]
            text += HOST.format(
                **ports, tls=tls, force=force, names=" ".join(host["domain_names"]),
                scheme=host["forward_scheme"], host=f"[{target}]" if ":" in target else target,
                port=host["forward_port"],
                sockets="proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
                if host["allow_websocket_upgrade"] else "",
                cache="proxy_cache public-cache; proxy_cache_valid 200 5s;" if host["caching_enabled"] else "")
        with open(f"{self.folder}/nginx.conf.new", "w") as file:
            file.write(text + "}\n")
        os.replace(f"{self.folder}/nginx.conf.new", f"{self.folder}/nginx.conf")

    def apply(self, hosts):
        """Returns why nginx does not take it; None when it does. What was there before goes on then."""
        with open(f"{self.folder}/nginx.conf") as file:
            before = file.read()
        self.write(hosts)
        test = subprocess.run(
            ["nginx", "-t", "-q", "-p", self.folder, "-c", f"{self.folder}/nginx.conf"], capture_output=True, text=True)
        if test.returncode != 0:
            with open(f"{self.folder}/nginx.conf", "w") as file:
                file.write(before)
            return test.stderr.strip() or "nginx: configuration file test failed"
        self.process.send_signal(signal.SIGHUP)
        return None

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.authority.stop()
