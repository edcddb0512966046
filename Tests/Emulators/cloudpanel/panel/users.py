"""Users of the panel and templates of virtual hosts."""

import os

from .world import Failure


def add(world, options):
    database, name = world.database, options["userName"]
    role, sites = options.get("role", "admin"), options.get("sites", "")
    if database.execute("SELECT 1 FROM user WHERE user_name = ?", (name,)).fetchone():
        raise Failure("userName: This value already exists.")
    if role not in ("admin", "site-manager", "user"):
        raise Failure("role: The value you selected is not a valid choice.")
    if role == "user" and not sites:
        raise Failure("Sites cannot be empty.")
    for site in [one for one in sites.split(",") if one]:
        if not database.execute("SELECT 1 FROM site WHERE domain_name = ?", (site,)).fetchone():
            raise Failure('Site "%s" does not exist.' % site)
    database.execute(
        "INSERT INTO user (user_name, email, first_name, last_name, role, timezone, status, sites) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, options["email"], options["firstName"], options["lastName"], role, options.get("timezone", "UTC"),
         int(options.get("status", "1")), sites))
    print('User "%s" has been added.' % name)


def delete(world, options):
    if not world.database.execute("DELETE FROM user WHERE user_name = ?", (options["userName"],)).rowcount:
        raise Failure('User "%s" does not exist.' % options["userName"])
    print('User "%s" has been deleted.' % options["userName"])


def reset(world, options):
    if not world.database.execute("SELECT 1 FROM user WHERE user_name = ?", (options["userName"],)).fetchone():
        raise Failure('User "%s" does not exist.' % options["userName"])
    print("Password has been changed.")


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
    table(("Name", "Root Directory", "Type"), [tuple(row) for row in rows])


def add_template(world, options):
    if not os.path.exists(options["file"]):
        raise Failure('File "%s" does not exist.' % options["file"])
    with open(options["file"]) as file:
        text = file.read()
    if world.database.execute("SELECT 1 FROM vhost_template WHERE name = ?", (options["name"],)).fetchone():
        raise Failure("name: This value already exists.")
    world.database.execute("INSERT INTO vhost_template (name, root_directory, type, template) VALUES (?, '', 'Custom', ?)",
                           (options["name"], text))
    print("Vhost Template %s has been added." % options["name"])


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
    print("Vhost Template %s has been deleted." % options["name"])


def view_template(world, options):
    print(existing_template(world, options["name"])["template"])
