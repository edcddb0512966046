"""Who vouches for the sites of the stand-in proxy: an authority of OpenSSL's at once, or a real ACME server that comes and looks."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Signs whatever it is asked to. `root` is the certificate that its clients have to trust."""

    def __init__(self, folder, name="Stand-in authority"):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.root = f"{folder}/authority.pem"
        openssl("req", "-x509", *EC, "-days", "30", "-subj", f"/CN={name}", "-keyout", f"{folder}/authority.key",
                "-out", self.root)

    def issue(self, base, names, kind="DNS"):
        """Writes BASE.pem and BASE.key. Returns why it does not; None when it did."""
        openssl("req", *EC, "-subj", "/", "-keyout", f"{base}.key", "-out", f"{base}.csr")
        with open(f"{base}.ext", "w") as file:
            file.write("subjectAltName=" + ",".join(f"{kind}:{name}" for name in names) + "\nextendedKeyUsage=serverAuth\n")
        openssl("x509", "-req", "-in", f"{base}.csr", "-CA", self.root, "-CAkey", f"{self.folder}/authority.key",
                "-CAcreateserial", "-days", "30", "-extfile", f"{base}.ext", "-out", f"{base}.pem")
        return None

    def stop(self):
        pass


class ACME:
    """pebble, and lego that asks it: each name must lead, by our name server, to the proxy that shows the answer."""

    def __init__(self, folder, ports, dns, webroot):
        """`ports` is where the proxy answers over HTTP and HTTPS, `dns` the port of the name server."""
        self.folder, self.webroot = folder, webroot
        own = Authority(f"{folder}/own", "Stand-in of the ACME server's own authority")
        own.issue(f"{folder}/api", ["127.0.0.1"], "IP")
        self.own = own.root
        directory, management = free_port(), free_port()
        with open(f"{folder}/pebble.json", "w") as file:
            json.dump({"pebble": {
                "listenAddress": f"127.0.0.1:{directory}", "managementListenAddress": f"127.0.0.1:{management}",
                "certificate": f"{folder}/api.pem", "privateKey": f"{folder}/api.key", "httpPort": ports[0],
                "tlsPort": ports[1], "ocspResponderURL": "", "externalAccountBindingRequired": False}}, file)
        self.directory = f"https://127.0.0.1:{directory}/dir"
        with open(f"{folder}/pebble.log", "w") as log:
            self.process = subprocess.Popen(
                ["pebble", "-config", f"{folder}/pebble.json", "-dnsserver", f"127.0.0.1:{dns}"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"})
        self.root = f"{folder}/authority.pem"
        with open(self.root, "wb") as file:
            file.write(self.get(f"https://127.0.0.1:{management}/roots/0"))

    def get(self, url):
        trust = ssl.create_default_context(cafile=self.own)
        for attempt in range(300):
            try:
                with urllib.request.urlopen(url, context=trust, timeout=10) as answer:
                    return answer.read()
            except OSError:
                if self.process.poll() is not None or attempt == 299:
                    raise
                time.sleep(0.1)

    def issue(self, base, names):
        path = f"{base}.lego"
        words = ["lego", "--accept-tos", "--email", "innkeeper@example.org", "--server", self.directory, "--path", path,
                 "--http", "--http.webroot", self.webroot]
        for name in names:
            words += ["--domains", name]
        done = subprocess.run(words + ["run"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "LEGO_CA_CERTIFICATES": self.own})
        if done.returncode != 0:
            return done.stderr.strip()[-2000:] or "lego failed"
        for kind, suffix in (("crt", "pem"), ("key", "key")):
            shutil.copyfile(f"{path}/certificates/{names[0]}.{kind}", f"{base}.{suffix}")
        return None

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def free_port(address="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]
