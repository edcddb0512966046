"""`pvesh`, as far as it is used: reading, as JSON."""

import json
import os
import re
import sys
import time

from . import conf, guest, ha, volumes

PATHS = []


def route(pattern):
    def add(work):
        PATHS.append((re.compile(pattern + "$"), work))
        return work
    return add


def main(world, words):
    ha.act(world)
    world.wait(0.8)
    if words[:1] != ["get"] or len(words) < 2:
        print("No 'get' handler defined for '%s'" % " ".join(words[1:2]), file=sys.stderr)
        return 1
    for pattern, work in PATHS:
        found = pattern.match(words[1].rstrip("/"))
        if found:
            print(json.dumps(work(world, *found.groups())))
            return 0
    print("No 'get' handler defined for '%s'" % words[1], file=sys.stderr)
    return 1


@route("/version")
def version(world):
    return {"version": world["version"], "release": world["version"].rsplit(".", 1)[0], "repoid": "14a22df3"}


@route("/cluster/status")
def cluster(world):
    nodes = [world.node] + world["nodes"]
    return [{"type": "cluster", "id": "cluster", "name": "lab", "nodes": len(nodes), "quorate": int(world["quorum"]),
             "version": 3}] + \
        [{"type": "node", "id": "node/" + name, "name": name, "nodeid": index + 1, "online": 1,
          "local": int(name == world.node), "ip": "10.99.0.%d" % (index + 1), "level": ""}
         for index, name in enumerate(nodes)]


@route("/nodes/([^/]+)/status")
def node(world, name):
    memory = dict(re.findall(r"(\w+):\s+(\d+)", open("/proc/meminfo").read()))
    return {"pveversion": "pve-manager/%s/14a22df3" % world["version"], "uptime": int(float(open("/proc/uptime").read().split()[0])),
            "loadavg": open("/proc/loadavg").read().split()[:3], "cpu": 0.02, "cpuinfo": {"cpus": world["cpus"]},
            "memory": {"total": int(memory["MemTotal"]) << 10, "free": int(memory["MemFree"]) << 10,
                       "used": (int(memory["MemTotal"]) - int(memory["MemAvailable"])) << 10},
            "kversion": "Linux 6.14.11-4-pve"}


@route("/nodes/([^/]+)/lxc")
def containers(world, name):
    return [{"vmid": str(vmid), "name": conf.load(world, vmid).name, "type": "lxc",
             "status": "running" if guest.is_running(world, vmid) else "stopped"} for vmid in conf.all_ids(world)]


@route("/nodes/([^/]+)/storage")
def storages(world, name):
    return [{"storage": one, "type": base["type"], "content": base["content"], "active": int(not base.get("inactive")),
             "enabled": 1, "total": base["size"], "used": volumes.used(world, one), "avail": volumes.free(world, one)}
            for one, base in sorted(world["storages"].items())]


@route("/nodes/([^/]+)/lxc/([0-9]+)/snapshot")
def snapshots(world, name, vmid):
    config = conf.load(world, vmid)
    rows = []
    for one, values in config.snapshots.items():
        row = {"name": one, "snaptime": int(values["snaptime"]), "description": values.get("description", "")}
        if "parent" in values:
            row["parent"] = values["parent"]
        rows.append(row)
    last = {"name": "current", "description": "You are here!", "running": int(guest.is_running(world, vmid))}
    if "parent" in config.values:
        last["parent"] = config.values["parent"]
    return rows + [last]


@route("/nodes/([^/]+)/tasks")
def tasks(world, name):
    try:
        with open(world.path("var/log/pve/tasks/active")) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    rows = []
    for line in lines:
        upid, _, rest = line.partition(" ")
        fields = upid.split(":")
        row = {"upid": upid, "node": fields[1], "pid": int(fields[2], 16), "starttime": int(fields[4], 16),
               "type": fields[5], "id": fields[6], "user": fields[7]}
        if rest.startswith("1 "):
            row["endtime"], row["status"] = int(rest.split()[1], 16), rest.split(" ", 2)[2]
        elif not os.path.exists("/proc/%d" % row["pid"]):
            row["status"] = "unexpected status"
        rows.append(row)
    return rows


@route("/cluster/ha/status/current")
def ha_status(world):
    rows = [{"id": "quorum", "type": "quorum", "node": world.node, "quorate": int(world["quorum"]),
             "status": "OK" if world["quorum"] else "No quorum on node '%s'!" % world.node}]
    manager = ha.manager(world)
    active = bool(manager) and time.time() - manager["timestamp"] <= 30
    if manager:
        state = "active" if active else "old timestamp - dead?"
        rows.append({"id": "master", "type": "master", "node": manager["master_node"], "timestamp": manager["timestamp"],
                     "status": "%s (%s, %s)" % (manager["master_node"], state, time.ctime(manager["timestamp"]))})
    rows.append({"id": "fencing", "type": "fencing", "node": world.node, "armed-state": "armed" if active else "standby"})
    for sid, values in sorted(ha.load(world).items()):
        wish = values.get("state", "started")
        found = ha.state(world, sid.split(":")[1], wish)
        rows.append({"id": "service:" + sid, "type": "service", "sid": sid, "node": world.node, "crm_state": found,
                     "request_state": wish, "state": found, "status": "%s (%s, %s)" % (sid, world.node, found),
                     "max_restart": int(values.get("max_restart", 1)), "max_relocate": int(values.get("max_relocate", 1)),
                     "failback": int(values.get("failback", 1))})
    return rows
