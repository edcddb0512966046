"""A PostgreSQL of its own: as a user who is not root, in a folder of its own, on a socket in it, ended with whoever started it."""

import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import time

import psycopg2


def program(name):
    found = shutil.which(name)
    if found:
        return found
    versions = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: float(path.split("/")[4]))
    if not versions:
        raise SystemExit(f"there is no {name}: packaging/prerequisites test installs PostgreSQL")
    return versions[-1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


class Postgres:
    def __init__(self, folder):
        self.folder = f"{folder}/postgres"
        os.mkdir(self.folder, 0o700)
        self.account = {}
        if os.geteuid() == 0:
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            user = names.get("postgres") or names["nobody"]
            # Their way into it, and nothing more.
            os.chmod(folder, 0o711)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "HOME": self.folder}
        data = f"{self.folder}/data"
        common = {"cwd": self.folder, "env": environment, "stdin": subprocess.DEVNULL, **self.account}
        subprocess.run(
            [program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, **common)
        options = {
            "listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off", "autovacuum": "off",
            "shared_buffers": "8MB", "max_connections": "30", "lc_messages": "C"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [program("postgres"), "-D", data, *words], preexec_fn=die_with_parent, **common)
        self.wait()

    def wait(self):
        for _ in range(600):
            try:
                return self.connect().close()
            except psycopg2.OperationalError:
                if self.process.poll() is not None:
                    raise SystemExit("PostgreSQL does not start")
                time.sleep(0.05)
        raise SystemExit("PostgreSQL does not answer")

    def connect(self):
        return psycopg2.connect(host=self.folder, user="postgres", dbname="postgres")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
