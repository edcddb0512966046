"""Databases and their users."""

import gzip
import os
import re

from .sites import existing, point
from .world import Failure


def find(world, name):
    return world.database.execute(
        "SELECT database.*, site.domain_name, site.user FROM database JOIN site ON site.id = database.site_id "
        "WHERE database.name = ?", (name,)).fetchone()


def add(world, options):
    site = existing(world, options["domainName"])
    name, user = options["databaseName"], options["databaseUserName"]
    problems = []
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        problems.append("databaseName: This value is not valid.")
    if find(world, name):
        problems.append("databaseName: This value already exists.")
    if world.database.execute("SELECT 1 FROM database_user WHERE user_name = ?", (user,)).fetchone():
        problems.append("databaseUserName: This value already exists.")
    if problems:
        raise Failure("\n".join(problems))
    world.wait(0.5)
    state = world.mysql()
    state["databases"].setdefault(name, {})
    state["users"][user] = {"password": options["databaseUserPassword"].strip(), "database": name}
    world.save_mysql(state)
    point(world, "db:add", "mysql")
    database = world.database
    added = database.execute("INSERT INTO database (site_id, name, created_at) VALUES (?, ?, datetime())",
                             (site["id"], name))
    database.execute("INSERT INTO database_user (database_id, user_name, permissions) VALUES (?, ?, 'rw')",
                     (added.lastrowid, user))
    print("Database %s has been added." % name)


def existing_database(world, name):
    found = find(world, name)
    if not found:
        raise Failure('Database "%s" does not exist.' % name)
    return found


def delete(world, options, answers_yes):
    found = existing_database(world, options["databaseName"])
    if not answers_yes:
        return
    drop(world, found["name"])
    print("Database %s has been deleted." % found["name"])


def drop(world, name):
    found = find(world, name)
    database = world.database
    users = [row["user_name"] for row in
             database.execute("SELECT user_name FROM database_user WHERE database_id = ?", (found["id"],)).fetchall()]
    database.execute("DELETE FROM database_user WHERE database_id = ?", (found["id"],))
    database.execute("DELETE FROM database WHERE id = ?", (found["id"],))
    state = world.mysql()
    state["databases"].pop(name, None)
    for user in users:
        state["users"].pop(user, None)
    world.save_mysql(state)
    world.remove("home/%s/backups/databases/%s" % (found["user"], name))


def export(world, options):
    """Says that it has been exported, whatever became of the dump."""
    found = existing_database(world, options["databaseName"])
    world.wait(1)
    path = options["file"]
    text = "-- MySQL dump\n" + "".join("%s\n" % line for line in world.mysql()["databases"].get(found["name"], {}))
    if world["mysqldump_fails"]:
        data = text.encode()[: len(text) // 2]
    else:
        data = (text + "-- Dump completed\n").encode()
    try:
        with (gzip.open(path, "wb") if path.endswith(".gz") else open(path, "wb")) as file:
            file.write(data)
    except OSError:
        pass
    print("Database %s has been exported." % found["name"])


def load(world, options):
    found = existing_database(world, options["databaseName"])
    path = options["file"]
    if not os.path.exists(path):
        raise Failure('File "%s" does not exist.' % path)
    world.wait(1)
    with (gzip.open(path, "rt") if path.endswith(".gz") else open(path)) as file:
        lines = [line.rstrip("\n") for line in file if not line.startswith("--")]
    state = world.mysql()
    state["databases"][found["name"]] = {line: 1 for line in lines if line}
    world.save_mysql(state)
    for line in world["mysql_errors"]:
        print(line)
    print("Database %s has been imported." % found["name"])
