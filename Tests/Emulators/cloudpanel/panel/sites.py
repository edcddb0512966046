"""Sites and their certificates."""

import os
import random
import re
import string
import time

from .world import Failure

VHOST = """server {{
  listen 80;
  listen 443 ssl;
  server_name {domain} www.{domain};
  ssl_certificate /etc/nginx/ssl-certificates/{domain}.crt;
  ssl_certificate_key /etc/nginx/ssl-certificates/{domain}.key;
  root /home/{user}/htdocs/{domain};
  {body}
}}
"""


def find(world, domain):
    return world.database.execute("SELECT * FROM site WHERE domain_name = ?", (domain,)).fetchone()


def existing(world, domain):
    found = find(world, domain)
    if not found:
        raise Failure('DomainName "%s" does not exist.' % domain)
    return found


def add(world, kind, options):
    domain, user = options["domainName"], options["siteUser"]
    problems = checks(world, domain, user, options)
    if problems:
        raise Failure("\n".join(problems))
    template = ""
    if kind == "php":
        found = world.database.execute("SELECT template FROM vhost_template WHERE name = ?",
                                       (options["vhostTemplate"],)).fetchone()
        if not found:
            raise Failure('Vhost Template "%s" does not exist.' % options["vhostTemplate"])
        template = found["template"]
    world.wait(1)
    add_user(world, user)
    die(world, "site:add:" + kind, "user")
    for name in ("htdocs/" + domain, "logs/nginx", "logs/php", "backups/databases", "tmp"):
        world.folder("home", user, name)
    world.wait(1)
    if kind == "php":
        pool(world, domain, user, options["phpVersion"])
    body = "# " + kind
    if kind == "reverse-proxy":
        body = "location / { proxy_pass %s; }" % options["reverseProxyUrl"]
    elif kind in ("nodejs", "python"):
        body = "location / { proxy_pass http://127.0.0.1:%s; }" % options["appPort"]
    vhost = VHOST.format(domain=domain, user=user, body=body)
    world.write("etc/nginx/sites-enabled/%s.conf" % domain, vhost)
    certificate_files(world, domain, "self-signed", [domain])
    world.write("etc/logrotate.d/%s" % user, "/home/%s/logs/*/*log {}\n" % user)
    world.write("etc/cron.d/%s" % user, "")
    die(world, "site:add:" + kind, "vhost")
    world.database.execute(
        "INSERT INTO site (created_at, type, domain_name, user, root_directory, php_version, nodejs_version, "
        "python_version, app_port, reverse_proxy_url, vhost_template) VALUES (datetime(), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (kind, domain, user, domain, options.get("phpVersion"), options.get("nodejsVersion"),
         options.get("pythonVersion"), options.get("appPort"), options.get("reverseProxyUrl"), template or vhost))
    print("Site %s has been added." % domain)


def checks(world, domain, user, options):
    problems = []
    if not re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", domain):
        problems.append("domainName: This value is not valid.")
    if find(world, domain):
        problems.append("domainName: This value already exists.")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", user):
        problems.append("user: This value is not valid.")
    elif user in users(world):
        problems.append("user: This value already exists.")
    if len(options["siteUserPassword"].strip()) < 8:
        problems.append("siteUserPassword: This value is too short. It should have 8 characters or more.")
    if "nodejsVersion" in options and options["nodejsVersion"] not in ("12", "14", "16", "18", "20", "22"):
        problems.append("nodejsVersion: The value you selected is not a valid choice.")
    if "phpVersion" in options and not re.fullmatch(r"[78]\.\d", options["phpVersion"]):
        problems.append("phpVersion: The value you selected is not a valid choice.")
    return problems


def users(world):
    with open(world.path("etc/passwd")) as file:
        return [line.split(":")[0] for line in file]


def add_user(world, name):
    number = 1000 + len(users(world))
    with open(world.path("etc/passwd"), "a") as file:
        file.write("%s:x:%d:%d::/home/%s:/bin/bash\n" % (name, number, number, name))


def remove_user(world, name):
    with open(world.path("etc/passwd")) as file:
        lines = [line for line in file if line.split(":")[0] != name]
    world.write("etc/passwd", "".join(lines))


def pool(world, domain, user, version):
    """The next port is the highest plus one: two at once get the same."""
    folder = world.folder("etc/php", version, "fpm/pool.d")
    ports = [15000]
    for name in os.listdir(folder):
        with open(os.path.join(folder, name)) as file:
            ports += [int(one) for one in re.findall(r"listen = 127.0.0.1:(\d+)", file.read())]
    world.wait(0.3)
    world.write("etc/php/%s/fpm/pool.d/%s.conf" % (version, domain),
                "[%s]\nuser = %s\nlisten = 127.0.0.1:%d\n" % (domain, user, max(ports) + 1))


def certificate_files(world, domain, kind, names):
    text = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % random_text()
    world.write("etc/nginx/ssl-certificates/%s.crt" % domain, "# %s %s\n%s" % (kind, ",".join(names), text))
    world.write("etc/nginx/ssl-certificates/%s.key" % domain, "# key of %s\n" % random_text())


def random_text():
    return "".join(random.choice(string.ascii_letters) for _ in range(60))


def die(world, command, point):
    if world["die"].get(command) == point:
        os.kill(os.getpid(), 9)


def delete(world, options, answers_yes):
    site = existing(world, options["domainName"])
    if not answers_yes:
        return
    world.wait(1)
    domain, user = site["domain_name"], site["user"]
    from . import databases
    for row in world.database.execute("SELECT name FROM database WHERE site_id = ?", (site["id"],)).fetchall():
        databases.drop(world, row["name"])
    world.remove("etc/nginx/sites-enabled/%s.conf" % domain, "etc/nginx/ssl-certificates/%s.crt" % domain,
                 "etc/nginx/ssl-certificates/%s.key" % domain, "etc/logrotate.d/" + user, "etc/cron.d/" + user,
                 "home/" + user)
    for version in os.listdir(world.folder("etc/php")):
        world.remove("etc/php/%s/fpm/pool.d/%s.conf" % (version, domain))
    remove_user(world, user)
    world.database.execute("DELETE FROM certificate WHERE site_id = ?", (site["id"],))
    world.database.execute("DELETE FROM site WHERE id = ?", (site["id"],))
    print("Site %s has been deleted." % domain)


def install(world, options):
    site = existing(world, options["domainName"])
    texts = {}
    for key in ("privateKey", "certificate", "certificateChain"):
        if key not in options:
            continue
        try:
            with open(options[key]) as file:
                texts[key] = file.read()
        except OSError:
            raise Failure('File "%s" does not exist.' % options[key])
    if "BEGIN CERTIFICATE" not in texts["certificate"]:
        raise Failure("certificate: This value is not a valid certificate.")
    domain = site["domain_name"]
    world.write("etc/nginx/ssl-certificates/%s.crt" % domain, texts["certificate"] + texts.get("certificateChain", ""))
    world.write("etc/nginx/ssl-certificates/%s.key" % domain, texts["privateKey"])
    remember(world, site, "imported", [domain])
    print("Certificate installation was successful.")


def order(world, options):
    site = existing(world, options["domainName"])
    domain = site["domain_name"]
    names = [domain]
    if domain.count(".") == 1:
        names.append("www." + domain)
    elif domain.startswith("www."):
        names.append(domain[4:])
    names += [one for one in options.get("subjectAlternativeName", "").split(",") if one]
    world.wait(10)
    wrong = [name for name in names if name in world["unresolved"]]
    if wrong:
        raise Failure(", ".join("%s: DNS problem: NXDOMAIN looking up A for %s" % (name, name) for name in wrong))
    certificate_files(world, domain, "lets-encrypt", names)
    remember(world, site, "lets-encrypt", names)
    print("Certificate installation was successful.")


def remember(world, site, kind, names):
    database = world.database
    added = database.execute(
        "INSERT INTO certificate (site_id, type, domains, expires_at, created_at) "
        "VALUES (?, ?, ?, datetime('now', '+90 days'), datetime())", (site["id"], kind, ",".join(names)))
    database.execute("UPDATE site SET certificate_id = ? WHERE id = ?", (added.lastrowid, site["id"]))
