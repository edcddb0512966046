"""Verbs that look and that set."""

import hashlib
import re
import sys
import time

from . import conf, guest, locks, volumes
from .errors import BadParameter, Die
from .lifecycle import tags
from .params import GUEST_OPTIONS
from .tasks import run, say

REQUIRED = {"memory", "swap", "arch", "ostype", "rootfs"}
READ_ONLY = {"unprivileged", "template", "arch"}
#: What takes effect at the next start only.
COLD = {"features", "ostype", "cmode", "tty", "console"}


def listing(world, positional, options):
    rows = []
    for vmid in conf.all_ids(world):
        try:
            config = conf.load(world, vmid)
        except Die:
            continue
        status = "running" if guest.is_running(world, vmid) else "stopped"
        rows.append("%-10s %-10s %-12s %-20s\n" % (vmid, status, config.values.get("lock", ""), config.name))
    if rows:
        sys.stdout.write("%-10s %-10s %-12s %-20s\n" % ("VMID", "Status", "Lock", "Name") + "".join(rows))
    return 0


def status(world, positional, options):
    vmid = positional["vmid"]
    config = conf.load(world, vmid)
    found = guest.state(world, vmid)
    word = "running" if found else "stopped"
    if "verbose" not in options:
        print("status: " + word)
        return 0
    memory = int(config.values.get("memory", "512")) << 20
    rootfs = config.volumes.get("rootfs", {})
    maximum = conf.size_bytes(rootfs.get("size", "4G" if not rootfs else "0"))
    table = {"cpus": config.values.get("cores", world["cpus"]), "disk": 0, "diskread": 0, "diskwrite": 0,
             "maxdisk": maximum, "maxmem": memory, "maxswap": int(config.values.get("swap", "512")) << 20, "mem": 0,
             "name": config.name, "netin": 0, "netout": 0, "status": word, "swap": 0, "type": "lxc", "uptime": 0,
             "vmid": vmid}
    for key in ("lock", "tags", "template"):
        if key in config.values:
            table[key] = config.values[key]
    if found:
        table.update({"pid": found["pid"], "mem": guest.memory(found), "uptime": int(time.time() - found["since"]),
                      "disk": int(volumes.fact(guest.root(world, config), "bytes", "0")),
                      "maxdisk": int(maximum * 0.9506)})
    for key in sorted(table):
        print("%s: %s" % (key, table[key]))
    return 0


def config(world, positional, options):
    found = conf.load(world, positional["vmid"])
    if "snapshot" in options:
        if options["snapshot"] not in found.snapshots:
            raise Die("snapshot '%s' does not exist" % options["snapshot"], 2)
        values = found.snapshots[options["snapshot"]]
    else:
        values = {**found.values, **({} if "current" in options else found.pending)}
    for key in sorted(values):
        print("%s: %s" % (key, shown(key, values[key])))
    return 0


def shown(key, value):
    return conf.encode(value).replace("\n", "%0A").replace(":", "%3A") if key == "description" else value


def pending(world, positional, options):
    found = conf.load(world, positional["vmid"])
    for key in sorted(set(found.values) | set(found.pending)):
        if key in found.values:
            print("cur %s: %s" % (key, shown(key, found.values[key])))
        if key in found.pending:
            print("new %s: %s" % (key, shown(key, found.pending[key])))
    return 0


def change(world, positional, options):
    vmid = positional["vmid"]
    found = conf.load(world, vmid)
    digest, delete, revert = (options.pop(key, None) for key in ("digest", "delete", "revert"))
    if not options and not delete and not revert:
        raise Die("no options specified", 2)
    for key in (delete or "").split(","):
        if key and key not in GUEST_OPTIONS and not re.fullmatch(r"(net|mp|unused|dev)\d+", key):
            raise BadParameter("delete", "unknown option '%s'" % key, 255)
        if key in REQUIRED:
            raise Die("unable to delete required option '%s'" % key)
    for key in options:
        if key in READ_ONLY:
            raise Die("unable to modify read-only option: '%s'" % key)
    with locks.guest(world, vmid):
        found = conf.load(world, vmid)
        found.check_lock()
        if digest and digest != hashlib.sha1(found.text().encode()).hexdigest():
            raise Die("detected modified configuration - file changed by other user? Try again.")
        Change(world, found).carry_out(options, delete, revert)
    return 0


class Change:
    def __init__(self, world, found):
        self.world, self.found = world, found

    def carry_out(self, options, delete, revert):
        for key in (revert or "").split(","):
            self.found.pending.pop(key, None)
        for key in [one for one in (delete or "").split(",") if one]:
            self.delete(key)
        for key, value in options.items():
            self.set(key, value)
        if "pve:pending" in self.found.sections and not self.found.pending:
            del self.found.sections["pve:pending"]
        self.found.save()

    def delete(self, key):
        values = self.found.values
        if key not in values:
            print("cannot delete '%s' - not set in current configuration!" % key, file=sys.stderr)
            return
        value = values.pop(key)
        table = conf.properties(value, "volume")
        if key.startswith("mp"):
            number = 0
            while "unused%d" % number in values:
                number += 1
            values["unused%d" % number] = table["volume"]
        elif key.startswith("unused"):
            volumes.remove(self.world, table["volume"], quiet=True)

    def set(self, key, value):
        found, world = self.found, self.world
        if key == "rootfs" and found.values.get("protection") == "1":
            raise Die("can't update CT %s drive 'rootfs' - protection mode enabled" % found.vmid)
        if key.startswith("net"):
            bridge = conf.properties(value).get("bridge")
            if bridge and bridge not in world["bridges"]:
                raise Die("bridge '%s' does not exist" % bridge, 2)
            value = conf.network(value)
        elif key == "rootfs" or key.startswith("mp"):
            value = self.disk(key, value)
        elif key == "tags":
            value = tags(value)
        elif key == "description":
            value = value if value.endswith("\n") else value + "\n"
        if key in COLD and guest.is_running(world, found.vmid) and found.values.get(key) != value:
            found.sections.setdefault("pve:pending", {})[key] = value
        else:
            found.values[key] = value

    def disk(self, key, value):
        made, volid = volumes.realise(self.world, self.found.vmid, key, value)
        if volid and guest.is_running(self.world, self.found.vmid):
            volumes.remove(self.world, volid, quiet=True)
            raise BadParameter(
                key, "unable to hotplug %s: failed to change apparmor profile: Invalid argument\n" % key, 39)
        return made


def resize(world, positional, options):
    vmid, key, wish = positional["vmid"], positional["disk"], positional["size"]
    found = conf.load(world, vmid)
    if key not in found.values:
        raise Die("format error\nmp: property is missing and it is not optional\n"
                  "volume: property is missing and it is not optional")
    found.check_lock()
    new_size(found, key, wish)
    return run(world, "resize", vmid, lambda: resizing(world, vmid, key, wish), tells_failure=False)


def new_size(found, key, wish):
    table = conf.properties(found.values[key], "volume")
    old = conf.size_bytes(table.get("size", "0T"))
    new = old + conf.size_bytes(wish[1:]) if wish[0] == "+" else conf.size_bytes(wish)
    if new < old:
        raise Die("unable to shrink disk size")
    if new == old:
        raise Die("disk is already at specified size")
    return table, old, new


def resizing(world, vmid, key, wish):
    with locks.guest(world, vmid):
        found = conf.load(world, vmid)
        found.check_lock()
        table, old, new = new_size(found, key, wish)
        real = world.path(volumes.path(world, table["volume"]))
        if not real.endswith(".raw"):
            pass
        else:
            with open(real, "r+") as file:
                file.truncate(new)
            say("Image resized.")
            grow(world, vmid, volumes.path(world, table["volume"]), old, new)
        volumes.set_fact(volumes.tree(world, table["volume"]), "size", new)
        table["size"] = conf.size_text(new)
        found.values[key] = conf.property_text(table, "volume")
        found.save()


def grow(world, vmid, shown_path, old, new):
    if guest.is_running(world, vmid):
        say("resize2fs 1.47.0 (5-Feb-2023)")
        say("resize2fs: Permission denied to resize filesystem")
        say("Filesystem at /dev/loop2 is mounted on /tmp; on-line resizing required")
        say("old_desc_blocks = 1, new_desc_blocks = 1")
        say("Failed to update the container's filesystem: command 'unshare -m -- sh -c 'mount --make-rprivate / && "
            "mount /dev/loop2 /tmp && resize2fs /dev/loop2'' failed: exit code 1\n")
        return
    say("e2fsck 1.47.0 (5-Feb-2023)")
    world.wait(11)
    for number, what in enumerate(("inodes, blocks, and sizes", "directory structure", "directory connectivity",
                                   "reference counts", "group summary information"), 1):
        say("Pass %d: Checking %s" % (number, what))
    say("%s: 9525/%d files (0.1%% non-contiguous), 67137/%d blocks" % (shown_path, old >> 14, old >> 12))
    say("resize2fs 1.47.0 (5-Feb-2023)")
    world.wait(11)
    say("Resizing the filesystem on %s to %d (4k) blocks." % (shown_path, new >> 12))
    say("The filesystem on %s is now %d (4k) blocks long.\n" % (shown_path, new >> 12))


def rescan(world, positional, options):
    print("rescan volumes...")
    return 0


def cpusets(world, positional, options):
    running = [vmid for vmid in conf.all_ids(world) if guest.is_running(world, vmid)]
    print("---------")
    for vmid in running:
        print("%d:  %s" % (vmid, " ".join(str(one) for one in range(world["cpus"]))))
    print("---------")
    return 0
