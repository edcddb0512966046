"""`clpctl`: options, commands, and the panel's way of failing: on standard output, with exit code 1."""

import os
import signal
import subprocess
import sys
import time

from . import databases, sites, users
from .world import Failure, World

SITE = ["domainName", "siteUser", "siteUserPassword"]
#: Command to (required options, other options, work). Work gets the options and whether a question was answered yes.
COMMANDS = {
    "site:add:php": (SITE + ["phpVersion", "vhostTemplate"], [], lambda w, o, y: sites.add(w, "php", o)),
    "site:add:static": (SITE, [], lambda w, o, y: sites.add(w, "static", o)),
    "site:add:nodejs": (SITE + ["nodejsVersion", "appPort"], [], lambda w, o, y: sites.add(w, "nodejs", o)),
    "site:add:python": (SITE + ["pythonVersion", "appPort"], [], lambda w, o, y: sites.add(w, "python", o)),
    "site:add:reverse-proxy": (SITE + ["reverseProxyUrl"], [], lambda w, o, y: sites.add(w, "reverse-proxy", o)),
    "site:delete": (["domainName"], ["force"], lambda w, o, y: sites.delete(w, o, y)),
    "site:install:certificate": (["domainName", "privateKey", "certificate"], ["certificateChain"],
                                 lambda w, o, y: sites.install(w, o)),
    "lets-encrypt:install:certificate": (["domainName"], ["subjectAlternativeName"], lambda w, o, y: sites.order(w, o)),
    "db:add": (["domainName", "databaseName", "databaseUserName", "databaseUserPassword"], [],
               lambda w, o, y: databases.add(w, o)),
    "db:delete": (["databaseName"], ["force"], lambda w, o, y: databases.delete(w, o, y)),
    "db:export": (["databaseName", "file"], [], lambda w, o, y: databases.export(w, o)),
    "db:import": (["databaseName", "file"], [], lambda w, o, y: databases.load(w, o)),
    "user:add": (["userName", "email", "firstName", "lastName", "password"], ["role", "sites", "timezone", "status"],
                 lambda w, o, y: users.add(w, o)),
    "user:delete": (["userName"], [], lambda w, o, y: users.delete(w, o)),
    "user:list": ([], [], lambda w, o, y: users.listing(w)),
    "user:reset:password": (["userName", "password"], [], lambda w, o, y: users.reset(w, o)),
    "vhost-templates:list": ([], [], lambda w, o, y: users.templates(w)),
    "vhost-template:add": (["name", "file"], [], lambda w, o, y: users.add_template(w, o)),
    "vhost-template:delete": (["name"], ["force"], lambda w, o, y: users.delete_template(w, o, y)),
    "vhost-template:view": (["name"], [], lambda w, o, y: users.view_template(w, o)),
    "system:permissions:reset": (["directories", "files", "path"], [], lambda w, o, y: permissions(w, o)),
    "varnish-cache:purge": (["purge"], [], lambda w, o, y: print("Varnish cache has been purged.")),
}
SMALL = {"db:export", "db:import", "system:permissions:reset", "varnish-cache:purge"}
COMMON = {"no-ansi", "no-interaction", "ansi", "quiet", "verbose", "force"}


def main(words):
    program = os.path.abspath(words[0])
    world = World(os.environ.get("CLP_EMULATOR_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(program))))
    world.prepare()
    commands = COMMANDS if world["user"] == "root" else {name: COMMANDS[name] for name in SMALL}
    if len(words) < 2:
        print("CloudPanel 2.5.3\n\nAvailable commands:\n" + "\n".join("  " + name for name in sorted(commands)))
        return 0
    if words[1] not in commands:
        print('\n  Command "%s" is not defined.  \n' % words[1], file=sys.stderr)
        return 1
    try:
        world.wait(0.5)
        disturb(world, words[1])
        options, flags = parse(commands[words[1]], words[2:])
        commands[words[1]][2](world, options, "force" in flags)
        return 0
    except Failure as failure:
        print(failure)
        return 1
    except SyntaxError as failure:
        print("\n  %s  \n" % failure.msg, file=sys.stderr)
        return 1


def parse(command, words):
    required, other, _ = command
    options, flags = {}, set()
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if word in ("-f", "-n"):
            flags.add("force" if word == "-f" else "no-interaction")
        elif equals and name in required + other:
            options[name] = value
        elif not equals and name in COMMON and (name != "force" or "force" in other):
            flags.add(name)
        elif not equals and name in required + other:
            raise SyntaxError('The "--%s" option requires a value.' % name)
        else:
            raise SyntaxError('The "--%s" option does not exist.' % name)
    for name in required:
        if not options.get(name, "").strip():
            raise Failure('The "--%s" option requires a value.' % name)
    return options, flags


def permissions(world, options):
    for folder, _, names in os.walk(options["path"]):
        os.chmod(folder, int(options["directories"], 8))
        for name in names:
            os.chmod(os.path.join(folder, name), int(options["files"], 8))
    print("Permissions have been reset.")


def disturb(world, command):
    behave(world["behave"].get(command, ""))
    if command in world["hang"]:
        time.sleep(world["hang"][command])
    if command in world["flood"]:
        for _ in range(int(world["flood"][command]) // 65536):
            os.write(1, b"x" * 65535 + b"\n")
    if command in world["fail"]:
        raise Failure(world["fail"][command])


def behave(manner):
    if "ignore-term" in manner:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "bytes" in manner:
        os.write(1, b"bad \xff\xfe bytes\n")
    if "grandchild" in manner:
        # It keeps the outputs open after everybody else is gone.
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    if "close" in manner:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.close(1)
        os.close(2)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
