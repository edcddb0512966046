"""`ha-manager`, with the rules of version 9."""

import json
import re
import sys
import time

from . import conf, ha
from .errors import Die
from .storage_tool import option


def main(world, words):
    try:
        ha.act(world)
        verb = words[0] if words else ""
        work = {"add": add, "remove": remove, "set": change, "config": config, "status": status, "rules": rules,
                "crm-command": command}
        if has_groups(world):
            work.pop("rules")
            work.update({"groupadd": group_add, "groupset": group_set, "groupremove": group_remove})
        work = work.get(verb)
        if not work:
            raise Die("ERROR: unknown command 'ha-manager %s'" % verb)
        world.wait(0.6)
        return work(world, words[1:])
    except Die as failure:
        print(failure.message, file=sys.stderr)
        return failure.code


def has_groups(world):
    """Before version 9."""
    return int(world["version"].split(".")[0]) < 9


def sid_of(world, text):
    found = re.fullmatch(r"(?:(ct|vm):)?(\d+)", text)
    if not found:
        raise Die("400 Parameter verification failed.\nsid: invalid format - value '%s' does not look like a valid ha "
                  "resource id" % text)
    vmid = found[2]
    owner = conf.owner(world, vmid)
    if not owner and not found[1]:
        raise Die("unable to detect SID from VMID - VM/CT %s does not exist" % vmid)
    return "%s:%s" % (found[1] or ("ct" if owner[0] == "CT" else "vm"), vmid)


def writable(world):
    if not world["quorum"]:
        raise Die("cluster not ready - no quorum?")


def add(world, words):
    writable(world)
    check_group(world, words)
    sid = sid_of(world, words[0])
    table = ha.load(world)
    if sid in table:
        raise Die("resource ID '%s' already defined" % sid)
    if not conf.owner(world, sid.split(":")[1]):
        raise Die("resource '%s' does not exist in cluster" % sid)
    table[sid] = properties(words)
    ha.save(world, table)
    return 0


def check_group(world, words):
    group = option(words, "group")
    if group and not has_groups(world):
        raise Die("invalid parameter 'group': ha groups have been migrated to rules")
    if group and group not in ha.load_groups(world):
        raise Die("ha group '%s' does not exist" % group)


def group_add(world, words):
    writable(world)
    table = ha.load_groups(world)
    if words[0] in table:
        raise Die("ha group ID '%s' already defined" % words[0])
    return group_save(world, table, words)


def group_set(world, words):
    writable(world)
    table = ha.load_groups(world)
    if words[0] not in table:
        raise Die("no such ha group '%s'" % words[0])
    return group_save(world, table, words)


def group_save(world, table, words):
    one = table.setdefault(words[0], {"type": "group"})
    for key in ("nodes", "restricted", "nofailback", "comment"):
        value = option(words, key)
        if value is not None:
            one[key] = value
    ha.save_sections(world, "groups", table)
    return 0


def group_remove(world, words):
    writable(world)
    table = ha.load_groups(world)
    if any(one.get("group") == words[0] for one in ha.load(world).values()):
        raise Die("ha group is used by service")
    if table.pop(words[0], None) is None:
        raise Die("no such ha group '%s'" % words[0])
    ha.save_sections(world, "groups", table)
    return 0


def properties(words):
    table = {"state": (option(words, "state") or "started").replace("enabled", "started")}
    for key in ("max_restart", "max_relocate", "failback", "comment", "group"):
        value = option(words, key)
        if value is not None:
            table[key] = value
    return table


def remove(world, words):
    writable(world)
    sid = sid_of(world, words[0])
    if sid not in ha.load(world):
        raise Die("cannot delete service '%s', not HA managed!" % sid)
    ha.remove(world, sid.split(":")[1])
    return 0


def change(world, words):
    writable(world)
    sid = sid_of(world, words[0])
    table = ha.load(world)
    if sid not in table:
        raise Die("no such resource '%s'" % sid)
    check_group(world, words)
    table[sid].update({key: value for key, value in properties(words).items()
                       if key != "state" or option(words, "state")})
    ha.save(world, table)
    return 0


def config(world, words):
    table = ha.load(world)
    for sid in sorted(table):
        print(sid)
        for key, value in sorted(table[sid].items()):
            print("\t%s %s" % (key, value))
        print()
    return 0


def status(world, words):
    now = time.strftime("%a %b %d %H:%M:%S %Y")
    print("quorum OK" if world["quorum"] else "quorum No quorum on node '%s'!" % world.node)
    manager = ha.manager(world)
    if manager:
        state = "active" if time.time() - manager["timestamp"] <= 30 else "old timestamp - dead?"
        print("master %s (%s, %s)" % (manager["master_node"], state, time.ctime(manager["timestamp"])))
    if ha.load(world):
        print("lrm %s (active, %s)" % (world.node, now))
    for sid, values in sorted(ha.load(world).items()):
        found = ha.state(world, sid.split(":")[1], values.get("state", "started"))
        print("service %s (%s, %s)" % (sid, world.node, found))
    return 0


def rules(world, words):
    verb = words[0] if words else ""
    table = ha.load_rules(world)
    if verb in ("list", "config"):
        if option(words, "output-format") == "json":
            print(json.dumps([{"rule": name, **one} for name, one in sorted(table.items())]))
        else:
            for name, one in sorted(table.items()):
                print("%s: %s\n\tresources %s\n" % (one["type"], name, one["resources"]))
        return 0
    writable(world)
    if verb == "remove":
        if words[1] not in table:
            raise Die("no such ha rule '%s'" % words[1])
        del table[words[1]]
    elif verb in ("add", "set"):
        kind, name = words[1], words[2]
        if verb == "add" and name in table:
            raise Die("HA rule '%s' already defined" % name)
        if verb == "set" and name not in table:
            raise Die("no such ha rule '%s'" % name)
        for sid in (option(words, "resources") or "").split(","):
            if sid and sid not in ha.load(world):
                raise Die("cannot use unmanaged resource(s) %s." % sid)
        one = table.setdefault(name, {"type": kind})
        for key in ("resources", "nodes", "strict", "disable", "comment", "affinity"):
            value = option(words, key)
            # A rule is off by having the key, whatever its value; only leaving it out of the file switches it on.
            if value is not None and not (key == "disable" and value in ("0", "no", "off")):
                one[key] = value
        for key in (option(words, "delete") or "").split(","):
            one.pop(key, None)
    else:
        raise Die("ERROR: unknown command 'ha-manager rules %s'" % verb)
    ha.save_rules(world, table)
    return 0


def command(world, words):
    if words[:1] == ["stop"]:
        ha.request(world, words[1].split(":")[1], "stopped")
        return 0
    if words[:1] in (["migrate"], ["relocate"]):
        return 0
    raise Die("ERROR: unknown command 'ha-manager crm-command %s'" % " ".join(words[:1]))
