"""Verbs that look and that set."""

import hashlib
import re
import sys
import time

from . import conf, file_system, guest, locks, volumes
from . import pending as pending_changes
from .errors import BadParameter, Die
from .lifecycle import tags
from .params import GUEST_OPTIONS
from .tasks import run, say

REQUIRED = {"memory", "swap", "arch", "ostype", "rootfs"}
READ_ONLY = {"unprivileged", "template", "arch"}


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
        values = dict(found.values)
        if "current" not in options:
            values.update(found.pending)
            for key in pending_changes.removals(found) + ["delete"]:
                values.pop(key, None)
    for key in sorted(values):
        print("%s: %s" % (key, shown(key, values[key])))
    return 0


def shown(key, value):
    return conf.encode(value).replace("\n", "%0A").replace(":", "%3A") if key == "description" else value


def pending(world, positional, options):
    found = conf.load(world, positional["vmid"])
    gone = pending_changes.removals(found)
    for key in sorted((set(found.values) | set(found.pending)) - {"delete"}):
        if key in found.values:
            print("%s %s: %s" % ("del" if key in gone else "cur", key, shown(key, found.values[key])))
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
        """Puts all of it on the list of what waits, and takes from that what the container takes now."""
        found, touched = self.found, set(options)
        for key in [one for one in (revert or "").split(",") if one]:
            pending_changes.revert(found, key)
        for key in [one for one in (delete or "").split(",") if one]:
            if key in found.values:
                touched.add(key)
                pending_changes.remove(found, key)
            else:
                pending_changes.warn_absent(key)
        for key, value in options.items():
            pending_changes.revert(found, key)
            found.sections.setdefault(pending_changes.SECTION, {})[key] = self.completed(key, value)
        pending_changes.take(self.world, found, touched)
        found.save()

    def completed(self, key, value):
        if key == "rootfs" and self.found.values.get("protection") == "1":
            raise Die("can't update CT %s drive 'rootfs' - protection mode enabled" % self.found.vmid)
        if key.startswith("net"):
            return conf.network(value)
        if key == "tags":
            return tags(value)
        if key == "description":
            return value if value.endswith("\n") else value + "\n"
        return value


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
    if guest.is_running(world, vmid) and not world["online_resize"]:
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
    file_system.write(world.path(shown_path), new)


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
