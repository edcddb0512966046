"""Snapshots."""

import shutil
import time

from . import conf, guest, locks, volumes
from .errors import Die
from .params import is_on
from .tasks import run

NOT_KEPT = {"lock", "parent", "snaptime", "description"}


def can(world, config):
    owned = [one for key, one in config.volumes.items() if not key.startswith("unused")]
    return owned and all(volumes.can_snapshot(world, one["volume"]) for one in owned)


def copy_of(world, volid, name):
    return volumes.tree(world, volid) + ".snap-" + name


def make(world, positional, options):
    vmid, name = positional["vmid"], positional["snapname"]
    conf.load(world, vmid)
    if name in ("current", "vzdump"):
        raise Die("unable to use snapshot name '%s' (reserved name)" % name, 2)
    return run(world, "vzsnapshot", vmid, lambda: making(world, vmid, name, options))


def making(world, vmid, name, options):
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        config.check_lock()
        if name in config.snapshots:
            raise Die("snapshot name '%s' already used" % name)
        if not can(world, config):
            raise Die("snapshot feature is not available")
        values = {key: value for key, value in config.values.items() if key not in NOT_KEPT}
        if "parent" in config.values:
            values["parent"] = config.values["parent"]
        values["snaptime"] = str(int(time.time()))
        if options.get("description"):
            text = options["description"]
            values["description"] = text if text.endswith("\n") else text + "\n"
        world.wait(0.4)
        for one in config.volumes.values():
            volumes.copy(volumes.tree(world, one["volume"]), copy_of(world, one["volume"], name))
        config.sections[name] = values
        config.values["parent"] = name
        config.save()


def existing(config, name):
    if name not in config.snapshots:
        raise Die("snapshot '%s' does not exist" % name)


def delete(world, positional, options):
    vmid, name = positional["vmid"], positional["snapname"]
    existing(conf.load(world, vmid), name)
    return run(world, "vzdelsnapshot", vmid, lambda: deleting(world, vmid, name, options))


def deleting(world, vmid, name, options):
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        existing(config, name)
        config.check_lock()
        parent = config.sections[name].get("parent")
        del config.sections[name]
        for values in config.sections.values():
            if values.get("parent") == name:
                values.pop("parent")
                if parent:
                    values["parent"] = parent
        world.wait(0.3)
        for one in config.volumes.values():
            shutil.rmtree(copy_of(world, one["volume"], name), ignore_errors=True)
        config.save()


def rollback(world, positional, options):
    vmid, name = positional["vmid"], positional["snapname"]
    existing(conf.load(world, vmid), name)
    return run(world, "vzrollback", vmid, lambda: rolling_back(world, vmid, name, options))


def rolling_back(world, vmid, name, options):
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        existing(config, name)
        config.check_lock()
        newest = max(config.snapshots, key=lambda one: (int(config.snapshots[one].get("snaptime", 0)),
                                                        list(config.sections).index(one)))
        for one in config.volumes.values():
            kind = volumes.storage(world, one["volume"].split(":")[0])["type"]
            if kind == "zfspool" and name != newest:
                raise Die("can't rollback, '%s' is not most recent snapshot on '%s'" % (name, one["volume"]))
        guest.stop(world, vmid)
        world.wait(0.5)
        for one in config.volumes.values():
            folder = volumes.tree(world, one["volume"])
            shutil.rmtree(folder, ignore_errors=True)
            volumes.copy(copy_of(world, one["volume"], name), folder)
        kept = {key: value for key, value in config.snapshots[name].items() if key not in NOT_KEPT}
        config.sections[""] = {**kept, "parent": name}
        config.save()
        if is_on(options, "start"):
            world.wait(45)
            guest.start(world, config)


def listing(world, positional, options):
    config = conf.load(world, positional["vmid"])
    children = {}
    for name, values in config.snapshots.items():
        children.setdefault(values.get("parent"), []).append(name)
    chain, parent = [], None

    def walk(name, depth):
        values = config.snapshots[name]
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(values["snaptime"])))
        text = (values.get("description") or "no-description").splitlines()[0]
        row(depth, name, at, text)
        for child in children.get(name, []):
            walk(child, depth + 1)
        if config.values.get("parent") == name:
            row(depth + 1, "current", "", "You are here!")

    for name in children.get(None, []):
        walk(name, 0)
    if "parent" not in config.values:
        row(0, "current", "", "You are here!")
    return 0


def row(depth, name, at, text):
    head = " " * depth + "`-> " + name
    print("%-31s %-23s %s" % (head, at, text) if depth < 0 else "%s%s" % ((head + " " * 40)[:32], "%-23s %s" % (at, text)))
