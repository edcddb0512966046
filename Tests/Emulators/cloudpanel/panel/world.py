"""The emulated server: its folder, its settings, the panel's database."""

import json
import os
import sqlite3
import time

DEFAULTS = {
    # Factor on every delay: 1 is a real server's pace.
    "pace": 1.0,
    # What the caller is: root has every command, others four.
    "user": "root",
    # Names without an A record here; a certificate order for one fails.
    "unresolved": [],
    # Command to seconds that it hangs, to a text that it fails with, to bytes that it prints first.
    "hang": {}, "fail": {}, "flood": {},
    # Command to the point at which it is killed: "user", "vhost".
    "die": {},
    # Databases that MySQL has though the panel does not know them.
    "foreign_databases": [],
    "mysqldump_fails": False,
}
SCHEMA = """
CREATE TABLE IF NOT EXISTS site (id INTEGER PRIMARY KEY, created_at TEXT, type TEXT, domain_name TEXT UNIQUE,
    user TEXT UNIQUE, root_directory TEXT, php_version TEXT, nodejs_version TEXT, python_version TEXT, app_port INTEGER,
    reverse_proxy_url TEXT, vhost_template TEXT, certificate_id INTEGER);
CREATE TABLE IF NOT EXISTS certificate (id INTEGER PRIMARY KEY, site_id INTEGER, type TEXT, domains TEXT,
    expires_at TEXT, created_at TEXT);
CREATE TABLE IF NOT EXISTS database (id INTEGER PRIMARY KEY, site_id INTEGER, name TEXT UNIQUE, created_at TEXT);
CREATE TABLE IF NOT EXISTS database_user (id INTEGER PRIMARY KEY, database_id INTEGER, user_name TEXT UNIQUE,
    permissions TEXT);
CREATE TABLE IF NOT EXISTS user (id INTEGER PRIMARY KEY, user_name TEXT UNIQUE, email TEXT UNIQUE, first_name TEXT,
    last_name TEXT, role TEXT, timezone TEXT, status INTEGER, sites TEXT);
CREATE TABLE IF NOT EXISTS vhost_template (id INTEGER PRIMARY KEY, name TEXT UNIQUE, root_directory TEXT, type TEXT,
    template TEXT);
"""
TEMPLATES = [("Generic", "", "System"), ("WordPress", "", "System"), ("Laravel 11", "public", "System")]


class Failure(Exception):
    """Lines on standard OUTPUT and exit code 1: the panel's way of failing."""


class World:
    def __init__(self, root):
        self.root = root
        self.settings = dict(DEFAULTS)
        try:
            with open(os.path.join(root, "emulator.json")) as file:
                self.settings.update(json.load(file))
        except FileNotFoundError:
            pass

    def __getitem__(self, key):
        return self.settings[key]

    def path(self, *parts):
        return os.path.join(self.root, *[part.lstrip("/") for part in parts])

    def folder(self, *parts):
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, shown, text, mode=0o644):
        path = self.path(shown)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def remove(self, *shown):
        import shutil
        for one in shown:
            path = self.path(one)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.lexists(path):
                os.unlink(path)

    def wait(self, seconds):
        time.sleep(seconds * self["pace"])

    @property
    def database(self):
        path = self.path("home/clp/htdocs/app/data/db.sq3")
        found = sqlite3.connect(path, timeout=5, isolation_level=None)
        found.row_factory = sqlite3.Row
        return found

    def prepare(self):
        for name in ("home/clp/htdocs/app/data", "etc/nginx/sites-enabled", "etc/nginx/ssl-certificates", "etc/cron.d",
                     "etc/logrotate.d", "var/lib/mysql"):
            self.folder(name)
        if not os.path.exists(self.path("etc/passwd")):
            self.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nclp:x:999:999::/home/clp:/bin/bash\n")
        database = self.database
        database.executescript(SCHEMA)
        for row in TEMPLATES:
            database.execute("INSERT OR IGNORE INTO vhost_template (name, root_directory, type, template) "
                             "VALUES (?, ?, ?, 'server { {{root}} }')", row)
        database.close()

    # MySQL: a table of databases and users.
    def mysql(self):
        try:
            with open(self.path("var/lib/mysql/state.json")) as file:
                return json.load(file)
        except FileNotFoundError:
            return {"databases": {name: {} for name in self["foreign_databases"]}, "users": {}}

    def save_mysql(self, state):
        path = self.path("var/lib/mysql/state.json")
        with open(path + ".new", "w") as file:
            json.dump(state, file)
        os.rename(path + ".new", path)
