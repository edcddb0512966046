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
    # Command to the point at which it stands still: the same names.
    "stand": {},
    # Command to what it does with its outputs and signals first: "ignore-term", "bytes", "close", "grandchild".
    "behave": {},
    # Databases that MySQL has though the panel does not know them.
    "foreign_databases": [],
    "mysqldump_fails": False,
    # Lines that mysql complains of while it loads a dump; it goes on after each.
    "mysql_errors": [],
    # What nginx says against its configuration.
    "nginx_error": "",
}
#: The columns that anyone but the panel needs to know, named as the panel names them.
SCHEMA = """
CREATE TABLE IF NOT EXISTS site (id INTEGER PRIMARY KEY, certificate_id INTEGER, created_at DATETIME,
    updated_at DATETIME, type VARCHAR(16), domain_name VARCHAR(255) UNIQUE, user VARCHAR(32) UNIQUE,
    user_password CLOB, root_directory VARCHAR(255), application VARCHAR(64), vhost_template CLOB,
    varnish_cache BOOLEAN DEFAULT 0, reverse_proxy_url VARCHAR(255));
CREATE TABLE IF NOT EXISTS php_settings (id INTEGER PRIMARY KEY, site_id INTEGER UNIQUE, php_version VARCHAR(8),
    pool_port INTEGER);
CREATE TABLE IF NOT EXISTS nodejs_settings (id INTEGER PRIMARY KEY, site_id INTEGER UNIQUE, nodejs_version VARCHAR(8),
    port INTEGER);
CREATE TABLE IF NOT EXISTS python_settings (id INTEGER PRIMARY KEY, site_id INTEGER UNIQUE, python_version VARCHAR(8),
    port INTEGER);
CREATE TABLE IF NOT EXISTS certificate (id INTEGER PRIMARY KEY, site_id INTEGER, uid VARCHAR(64), type SMALLINT,
    expires_at DATETIME, default_certificate BOOLEAN, private_key CLOB, certificate CLOB, certificate_chain CLOB,
    created_at DATETIME);
CREATE TABLE IF NOT EXISTS database (id INTEGER PRIMARY KEY, site_id INTEGER, database_server_id INTEGER DEFAULT 1,
    name VARCHAR(64) UNIQUE, created_at DATETIME);
CREATE TABLE IF NOT EXISTS database_user (id INTEGER PRIMARY KEY, database_id INTEGER, user_name VARCHAR(32) UNIQUE,
    password CLOB, permissions VARCHAR(8));
CREATE TABLE IF NOT EXISTS user (id INTEGER PRIMARY KEY, user_name VARCHAR(64) UNIQUE, email VARCHAR(255) UNIQUE,
    first_name VARCHAR(64), last_name VARCHAR(64), password VARCHAR(255), role VARCHAR(32), timezone_id INTEGER,
    status BOOLEAN);
CREATE TABLE IF NOT EXISTS user_sites (user_id INTEGER, site_id INTEGER);
CREATE TABLE IF NOT EXISTS vhost_template (id INTEGER PRIMARY KEY, name VARCHAR(64) UNIQUE, root_directory VARCHAR(255),
    php_version VARCHAR(8), type SMALLINT, template CLOB);
CREATE TABLE IF NOT EXISTS config (id INTEGER PRIMARY KEY, key VARCHAR(64) UNIQUE, value CLOB);
"""
#: Name, root directory, type: 1 is the panel's own, 2 somebody's.
TEMPLATES = [("Generic", "", 1), ("WordPress", "", 1), ("Laravel 11", "public", 1)]


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
                     "etc/logrotate.d", "var/lib/mysql", "run/lock"):
            self.folder(name)
        if not os.path.exists(self.path("etc/passwd")):
            self.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nclp:x:999:999::/home/clp:/bin/bash\n")
        database = self.database
        database.executescript(SCHEMA)
        for row in TEMPLATES:
            database.execute("INSERT OR IGNORE INTO vhost_template (name, root_directory, type, template) "
                             "VALUES (?, ?, ?, 'server { {{server_name}} {{root}} }')", row)
        database.execute("INSERT OR IGNORE INTO config (key, value) VALUES ('app_version', '2.5.3')")
        database.close()
        if self["foreign_databases"] and not os.path.exists(self.path("var/lib/mysql/state.json")):
            self.save_mysql(self.mysql())

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
        folder = os.path.dirname(path)
        kept = {shown_in_files(name) for name in state["databases"]}
        for name in os.listdir(folder):
            if name not in kept and os.path.isdir(os.path.join(folder, name)):
                os.rmdir(os.path.join(folder, name))
        for name in kept:
            os.makedirs(os.path.join(folder, name), exist_ok=True)


def shown_in_files(name):
    """MySQL's name for a database's folder."""
    return "".join(one if one.isalnum() or one == "_" else "@%04x" % ord(one) for one in name)
