"""Sites and their certificates."""

import os
import re
import subprocess
import time

from .world import Failure

VHOST = """server {{
  listen 80;
  listen [::]:80;
  listen 443 ssl;
  listen [::]:443 ssl;
  http2 on;
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
    template, root, application = "", domain, None
    if kind == "php":
        found = world.database.execute("SELECT * FROM vhost_template WHERE name = ?",
                                       (options["vhostTemplate"],)).fetchone()
        if not found:
            raise Failure('Vhost Template "%s" does not exist.' % options["vhostTemplate"])
        template, application = found["template"], found["name"]
        root = (domain + "/" + (found["root_directory"] or "")).rstrip("/")
    world.wait(1)
    add_user(world, user)
    point(world, "site:add:" + kind, "user")
    for name in ("htdocs/" + root, "logs/nginx", "logs/php", "backups/databases", "tmp"):
        world.folder("home", user, name)
    world.wait(1)
    port = pool(world, domain, user, options["phpVersion"]) if kind == "php" else options.get("appPort")
    body = "# " + kind
    if kind == "reverse-proxy":
        body = "location / { proxy_pass %s; }" % options["reverseProxyUrl"]
    elif kind in ("nodejs", "python"):
        body = "location / { proxy_pass http://127.0.0.1:%s; }" % options["appPort"]
    vhost = VHOST.format(domain=domain, user=user, body=body)
    world.write("etc/nginx/sites-enabled/%s.conf" % domain, vhost)
    key, certificate = make_certificate(names_of(domain))
    certificate_files(world, domain, key, certificate)
    world.write("etc/logrotate.d/%s" % user, "/home/%s/logs/*/*log {}\n" % user)
    world.write("etc/cron.d/%s" % user, "")
    point(world, "site:add:" + kind, "vhost")
    database = world.database
    database.execute("BEGIN IMMEDIATE")
    site = database.execute(
        "INSERT INTO site (created_at, type, domain_name, user, user_password, root_directory, application, "
        "vhost_template, reverse_proxy_url) VALUES (datetime(), ?, ?, ?, 'def50200', ?, ?, ?, ?)",
        (kind, domain, user, root, application, template or vhost, options.get("reverseProxyUrl"))).lastrowid
    if kind in ("php", "nodejs", "python"):
        database.execute("INSERT INTO %s_settings (site_id, %s_version, %s) VALUES (?, ?, ?)"
                         % (kind, kind, "pool_port" if kind == "php" else "port"),
                         (site, options[kind + "Version"], port))
    remember(database, site, SELF_SIGNED, key, certificate)
    database.execute("COMMIT")
    print("Site %s has been added." % domain)


def checks(world, domain, user, options):
    problems = []
    if not re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", domain):
        problems.append("domainName: This value is not valid.")
    if find(world, domain):
        problems.append("domainName: This value already exists.")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", user):
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
    return max(ports) + 1


def names_of(domain):
    names = [domain]
    if domain.count(".") == 1:
        names.append("www." + domain)
    elif domain.startswith("www."):
        names.append(domain[4:])
    return names


def make_certificate(names, days=90):
    """A key and a certificate, both as PEM."""
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "-",
         "-days", str(days), "-subj", "/CN=" + names[0],
         "-addext", "subjectAltName=" + ",".join("DNS:" + one for one in names)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
    place = made.index("-----BEGIN CERTIFICATE")
    return made[:place], made[place:]


def certificate_files(world, domain, key, certificate):
    world.write("etc/nginx/ssl-certificates/%s.crt" % domain, certificate)
    world.write("etc/nginx/ssl-certificates/%s.key" % domain, key)


def point(world, command, name):
    """A place in the work where it can be told to die or to stand still."""
    if world["die"].get(command) == name:
        os.kill(os.getpid(), 9)
    if world["stand"].get(command) == name:
        world.write("run/standing", name)
        time.sleep(600)


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
    for table in ("php_settings", "nodejs_settings", "python_settings"):
        world.database.execute("DELETE FROM %s WHERE site_id = ?" % table, (site["id"],))
    for version in os.listdir(world.folder("etc/php")):
        world.remove("etc/php/%s/fpm/pool.d/%s.conf" % (version, domain))
    remove_user(world, user)
    world.database.execute("DELETE FROM certificate WHERE site_id = ?", (site["id"],))
    world.database.execute("DELETE FROM site WHERE id = ?", (site["id"],))
    print("Site %s has been deleted." % domain)


SELF_SIGNED, LETS_ENCRYPT, IMPORTED = 1, 2, 3


def install(world, options):
    site = find(world, options["domainName"])
    if not site:
        raise Failure('Site "%s" does not exist.' % options["domainName"])
    texts = {}
    for key in ("privateKey", "certificate", "certificateChain"):
        if key not in options:
            continue
        try:
            with open(options[key]) as file:
                texts[key] = file.read().strip() + "\n"
        except OSError:
            raise Failure('File "%s" does not exist.' % options[key])
    if "BEGIN CERTIFICATE" not in texts["certificate"]:
        raise Failure("certificate: This value is not a valid certificate.")
    if "PRIVATE KEY" not in texts["privateKey"]:
        raise Failure("privateKey: This value is not a valid private key.")
    point(world, "site:install:certificate", "files")
    certificate_files(world, site["domain_name"], texts["privateKey"],
                      texts["certificate"] + texts.get("certificateChain", ""))
    remember(world.database, site["id"], IMPORTED, texts["privateKey"], texts["certificate"])
    print("Certificate has been installed.")


def order(world, options):
    site = existing(world, options["domainName"])
    domain = site["domain_name"]
    names = names_of(domain) + [one for one in options.get("subjectAlternativeName", "").split(",") if one]
    world.wait(10)
    wrong = [name for name in names if name in world["unresolved"]]
    if wrong:
        raise Failure(", ".join("%s: DNS problem: NXDOMAIN looking up A for %s" % (name, name) for name in wrong))
    key, certificate = make_certificate(names)
    certificate_files(world, domain, key, certificate)
    remember(world.database, site["id"], LETS_ENCRYPT, key, certificate)
    print("Certificate installation was successful.")


def remember(database, site, kind, key, certificate):
    if kind != SELF_SIGNED:
        database.execute("DELETE FROM certificate WHERE site_id = ? AND type != ?", (site, SELF_SIGNED))
    added = database.execute(
        "INSERT INTO certificate (site_id, type, private_key, certificate, default_certificate, expires_at, created_at) "
        "VALUES (?, ?, ?, ?, ?, datetime('now', '+90 days'), datetime())",
        (site, kind, key, certificate, int(kind == SELF_SIGNED)))
    database.execute("UPDATE site SET certificate_id = ?, updated_at = datetime() WHERE id = ?", (added.lastrowid, site))
