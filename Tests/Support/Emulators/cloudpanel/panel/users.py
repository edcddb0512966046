"""Users of the panel and templates of virtual hosts."""

import hashlib
import json
import os

from .world import Failure


def add(world, options):
    database, name = world.database, options["userName"]
    role = "ROLE_" + options.get("role", "User").upper().replace("-", "_")
    sites = [one for one in options.get("sites", "").split(",") if one]
    if role not in ("ROLE_USER", "ROLE_SITE_MANAGER", "ROLE_ADMIN"):
        raise Failure('Role "%s" is not valid, valid roles: ROLE_USER, ROLE_SITE_MANAGER, ROLE_ADMIN' % role)
    if role == "ROLE_USER" and not sites:
        raise Failure("Sites cannot be empty.")
    numbers = []
    for site in sites if role == "ROLE_USER" else []:
        found = database.execute("SELECT id FROM site WHERE domain_name = ?", (site,)).fetchone()
        if not found:
            raise Failure('Site "%s" does not exist.' % site)
        numbers.append(found["id"])
    problems = []
    if database.execute("SELECT 1 FROM user WHERE user_name = ?", (name,)).fetchone():
        problems.append("userName: This value already exists.")
    if database.execute("SELECT 1 FROM user WHERE email = ?", (options["email"],)).fetchone():
        problems.append("email: This value already exists.")
    if problems:
        raise Failure("\n".join(problems))
    added = database.execute(
        "INSERT INTO user (user_name, email, first_name, last_name, password, role, timezone_id, status) "
        "VALUES (?, ?, ?, ?, ?, ?, 1, ?)",
        (name, options["email"], options["firstName"], options["lastName"], digest(options["password"]), role,
         int(options.get("status", "1"))))
    for number in numbers:
        database.execute("INSERT INTO user_sites (user_id, site_id) VALUES (?, ?)", (added.lastrowid, number))
    print('User "%s" has been added.' % name)


def digest(password):
    """Another one each time, as the panel's hashes are salted."""
    salt = os.urandom(8).hex()
    return "$emulated$%s$%s" % (salt, hashlib.sha256((salt + password).encode()).hexdigest())


def delete(world, options):
    if not world.database.execute("DELETE FROM user WHERE user_name = ?", (options["userName"],)).rowcount:
        raise Failure('User "%s" does not exist.' % options["userName"])
    print('User "%s" has been deleted.' % options["userName"])


def reset(world, options):
    if not world.database.execute("SELECT 1 FROM user WHERE user_name = ?", (options["userName"],)).fetchone():
        raise Failure('User "%s" does not exist.' % options["userName"])
    world.database.execute("UPDATE user SET password = ? WHERE user_name = ?",
                           (digest(options["password"]), options["userName"]))
    print('Password for "%s" has been reset.' % options["userName"])


def table(head, rows):
    widths = [max(len(str(row[index])) for row in [head] + rows) for index in range(len(head))]
    line = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    show = lambda row: "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) + " |"
    print("\n".join([line, show(head), line] + [show(row) for row in rows] + [line]))


def listing(world):
    rows = world.database.execute("SELECT user_name, email, role, status FROM user ORDER BY user_name").fetchall()
    table(("User Name", "Email", "Role", "Status"), [tuple(row) for row in rows])


def templates(world):
    rows = world.database.execute("SELECT name, root_directory, type FROM vhost_template ORDER BY name").fetchall()
    table(("Name", "Root Directory", "Type"), [
        (row["name"], row["root_directory"], "System" if row["type"] == 1 else "Custom") for row in rows])


def add_template(world, options):
    text = ""
    if os.path.exists(options["file"]):
        with open(options["file"]) as file:
            text = file.read().strip()
    if not text:
        raise Failure("Vhost Template cannot be empty.")
    for placeholder in ("{{server_name}}", "{{root}}"):
        if placeholder not in text:
            raise Failure('Placeholder "%s" is required and missing.' % placeholder)
    if world.database.execute("SELECT 1 FROM vhost_template WHERE name = ?", (options["name"],)).fetchone():
        raise Failure('Vhost Template "%s" already exist.' % options["name"])
    root = ""
    if text.startswith("#"):
        # A first line of settings, which the panel does not keep with the text.
        settings, _, text = text[1:].partition("\n")
        try:
            root = json.loads(settings).get("rootDirectory", "").strip("/")
        except ValueError:
            pass
    world.database.execute("INSERT INTO vhost_template (name, root_directory, type, template) VALUES (?, ?, 2, ?)",
                           (options["name"], root, text.strip()))
    print('Vhost Template "%s" has been added.' % options["name"])


def existing_template(world, name):
    found = world.database.execute("SELECT * FROM vhost_template WHERE name = ?", (name,)).fetchone()
    if not found:
        raise Failure('Vhost Template "%s" does not exist.' % name)
    return found


def delete_template(world, options, answers_yes):
    found = existing_template(world, options["name"])
    if not answers_yes:
        return
    world.database.execute("DELETE FROM vhost_template WHERE id = ?", (found["id"],))
    print('Vhost Template "%s" has been deleted.' % options["name"])


def view_template(world, options):
    print(existing_template(world, options["name"])["template"])
