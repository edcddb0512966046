"""HA resources: requests are written down; the manager, if there is one, carries them out some seconds later."""

import json
import os
import re
import time

from . import conf, guest
from .errors import Die


def file_of(world):
    return world.path("etc/pve/ha/resources.cfg")


def load(world):
    """Service id to its properties."""
    try:
        with open(file_of(world)) as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    table, current = {}, None
    for line in map(str.rstrip, text.splitlines()):
        if re.fullmatch(r"(ct|vm):\s*\d+", line):
            current = table.setdefault(line.replace(" ", ""), {})
        elif line.startswith("\t") and current is not None:
            key, _, value = line.strip().partition(" ")
            current[key] = value
    return table


def save(world, table):
    text = "".join("%s\n%s\n" % (sid, "".join("\t%s %s\n" % one for one in values.items()))
                   for sid, values in table.items())
    path = file_of(world)
    with open("%s.%d" % (path, os.getpid()), "w") as file:
        file.write(text)
    os.rename("%s.%d" % (path, os.getpid()), path)


def is_managed(world, vmid):
    return load(world).get("ct:%s" % vmid, {"state": "ignored"}).get("state", "started") != "ignored"


def add(world, vmid, state="started"):
    table = load(world)
    table["ct:%s" % vmid] = {"state": state}
    save(world, table)


def remove(world, vmid):
    table = load(world)
    table.pop("ct:%s" % vmid, None)
    save(world, table)
    rules = load_rules(world)
    for rule in list(rules):
        left = [one for one in rules[rule]["resources"].split(",") if one != "ct:%s" % vmid]
        if left:
            rules[rule]["resources"] = ",".join(left)
        else:
            del rules[rule]
    save_rules(world, rules)


def request(world, vmid, state):
    """A start is written down at once; a stop is a command that waits for a CRM."""
    if state == "stopped":
        with open(commands_of(world), "a") as file:
            file.write("stop ct:%s 0\n" % vmid)
        return
    table = load(world)
    table["ct:%s" % vmid]["state"] = state
    save(world, table)
    with open(world.path("run/pve/ha-%s" % vmid), "w") as file:
        json.dump({"state": state, "at": time.time()}, file)


def commands_of(world):
    return world.path("etc/pve/ha/crm_commands")


def obey(world):
    """Takes up the commands that have waited long enough."""
    try:
        if time.time() - os.path.getmtime(commands_of(world)) < world["ha_delay"] * world["pace"]:
            return
        os.rename(commands_of(world), commands_of(world) + ".taken")
        with open(commands_of(world) + ".taken") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return
    table = load(world)
    for line in lines:
        words = line.split()
        if words[0] == "stop" and words[1] in table:
            table[words[1]]["state"] = "stopped"
            with open(world.path("run/pve/ha-%s" % words[1].split(":")[1]), "w") as file:
                json.dump({"state": "stopped", "at": 0}, file)
            os.utime(file.name, (0, 0))
    save(world, table)


def act(world):
    """What the manager has done by now. Every call of a tool looks first."""
    if not world["ha_manager"]:
        return
    path = world.path("etc/pve/ha/manager_status")
    with open("%s.%d" % (path, os.getpid()), "w") as file:
        json.dump({"master_node": world.node, "timestamp": int(time.time()), "node_status": {world.node: "online"}}, file)
    os.rename("%s.%d" % (path, os.getpid()), path)
    obey(world)
    for sid, values in load(world).items():
        vmid, wish = sid.split(":")[1], values.get("state", "started")
        path = world.path("run/pve/ha-%s" % vmid)
        since = os.path.getmtime(path if os.path.exists(path) else file_of(world))
        if time.time() - since < world["ha_delay"] * world["pace"]:
            continue
        if not sid.startswith("ct:") or not os.path.exists(conf.file_of(world, vmid)):
            continue
        config = conf.load(world, vmid)
        if wish == "started" and not guest.is_running(world, vmid):
            silently(lambda: guest.start(world, config))
        if wish in ("stopped", "disabled") and guest.is_running(world, vmid):
            guest.stop(world, vmid)


def silently(work):
    import contextlib
    import io
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            work()
        except Die:
            pass


def manager(world):
    """What the CRM says of itself; None where none has run."""
    try:
        with open(world.path("etc/pve/ha/manager_status")) as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def load_sections(world, name):
    """A file of sections: name to its type and properties."""
    table, current = {}, None
    try:
        with open(world.path("etc/pve/ha/%s.cfg" % name)) as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    for line in map(str.rstrip, text.splitlines()):
        head = re.fullmatch(r"([\w-]+):\s*(\S+)", line)
        if head:
            current = table.setdefault(head[2], {"type": head[1]})
        elif line.startswith("\t") and current is not None:
            key, _, value = line.strip().partition(" ")
            current[key] = value or "1"
    return table


def save_sections(world, name, table):
    path = world.path("etc/pve/ha/%s.cfg" % name)
    with open("%s.%d" % (path, os.getpid()), "w") as file:
        for one, values in table.items():
            file.write("%s: %s\n" % (values["type"], one))
            file.write("".join("\t%s %s\n" % pair for pair in values.items() if pair[0] != "type") + "\n")
    os.rename("%s.%d" % (path, os.getpid()), path)


def load_groups(world):
    return load_sections(world, "groups")


def load_rules(world):
    return load_sections(world, "rules")


def save_rules(world, rules):
    save_sections(world, "rules", rules)


def state(world, vmid, wish):
    running = guest.is_running(world, vmid)
    if wish == "started":
        return "started" if running else "starting"
    return "stopping" if running else "stopped"
