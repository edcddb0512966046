"""Verbs that move containers: to another node, to another storage, back from a backup. Read from the tool's source, not recorded."""

import os
import shutil
import tarfile

from . import conf, guest, ha, lifecycle, locks, tasks, volumes
from .errors import Die
from .params import is_on
from .tasks import run, say


def migrate(world, positional, options):
    vmid, target = positional["vmid"], positional["target"]
    if target not in world["nodes"] + [world.node]:
        raise Die("no such cluster node '%s'" % target, 2)
    if target == world.node:
        raise Die("target is local node.", 2)
    config = conf.load(world, vmid)
    if guest.is_running(world, vmid) and not is_on(options, "restart") and not is_on(options, "online"):
        raise Die("CT %s is running - use 'restart' or 'online' to migrate it" % vmid)
    if ha.is_managed(world, vmid):
        return run(world, "hamigrate", vmid, lambda: say("Requesting HA migration for CT %s to node %s" % (vmid, target)))
    return run(world, "vzmigrate", vmid, lambda: migrating(world, vmid, target, options))


def migrating(world, vmid, target, options):
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        config.check_lock()
        if guest.is_running(world, vmid):
            say("shutdown CT %s" % vmid)
            if not guest.shutdown(world, config, int(options.get("timeout", "180"))):
                raise Die("container did not stop")
        say("starting migration of CT %s to node '%s' (10.99.0.2)" % (vmid, target))
        config.values["lock"] = "migrate"
        config.save()
        world.wait(3)
        for one in config.volumes.values():
            say("found local volume '%s' (in current VM config)" % one["volume"])
        del config.values["lock"]
        config.save()
        folder = world.folder("etc/pve/nodes", target, "lxc")
        os.rename(conf.file_of(world, vmid), os.path.join(folder, "%s.conf" % vmid))
        say("migration finished successfully (duration 00:00:03)")


def move_volume(world, positional, options):
    vmid, key = positional["vmid"], positional["volume"]
    config = conf.load(world, vmid)
    if guest.is_running(world, vmid):
        raise Die("cannot move volumes of a running container")
    name = positional.get("storage")
    volumes.storage(world, name or "")
    return run(world, "move_volume", vmid, lambda: moving(world, vmid, key, name, options))


def moving(world, vmid, key, name, options):
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        config.check_lock()
        table = conf.properties(config.values[key], "volume")
        old = table["volume"]
        new = volumes.allocate(world, name, vmid, conf.size_bytes(table.get("size", "0T")))
        shutil.rmtree(volumes.tree(world, new))
        volumes.copy(volumes.tree(world, old), volumes.tree(world, new))
        for one in ("systemd", "bytes"):
            volumes.set_fact(volumes.tree(world, new), one, volumes.fact(volumes.tree(world, old), one, "0"))
        lifecycle.statistics(9482, 185962337)
        table["volume"] = new
        config.values[key] = conf.property_text(table, "volume")
        if is_on(options, "delete"):
            volumes.remove(world, old, quiet=True)
        else:
            config.values["unused0"] = old
        config.save()


def restore(world, positional, options):
    vmid, archive = positional["vmid"], positional["ostemplate"]
    if conf.owner(world, vmid) and not is_on(options, "force"):
        lifecycle.taken(world, vmid, 2)
    if not world["quorum"]:
        raise Die("cluster not ready - no quorum?", 2)
    return run(world, "vzrestore", vmid, lambda: restoring(world, vmid, archive, options))


def restoring(world, vmid, archive, options):
    shown = archive
    if ":" in archive and archive[0] != "/":
        name, rest = archive.split(":", 1)
        shown = "%s/dump/%s" % (volumes.storage(world, name)["path"], rest.split("/")[-1])
    real = world.path(shown)
    with locks.guest(world, vmid, 5):
        if conf.owner(world, vmid):
            old = conf.load(world, vmid)
            lifecycle.refuse(world, old, {"purge": "1"})
            for one in old.volumes.values():
                volumes.remove(world, one["volume"], quiet=True)
        conf.Guest(world, vmid, {"": {"lock": "create"}}).save()
        try:
            unpack(world, vmid, archive, real, shown, options)
        except (Die, tasks.Interrupted) as failure:
            for volid in volumes.of_guest(world, vmid):
                volumes.remove(world, volid, quiet=True)
            conf.forget(world, vmid)
            raise Die("unable to restore CT %s - %s" % (vmid, failure.message))
    if is_on(options, "start"):
        guest.start(world, conf.load(world, vmid))


def unpack(world, vmid, archive, real, shown, options):
    if not os.path.exists(real):
        raise Die("volume '%s' does not exist" % archive)
    say("recovering backed-up configuration from '%s'" % archive)
    with tarfile.open(real) as file:
        saved = file.extractfile("./etc/vzdump/pct.conf").read().decode()
        values = dict(line.split(": ", 1) for line in saved.splitlines() if line[:1] != "#" and ": " in line)
        values["description"] = "".join(line[1:] + "\n" for line in saved.splitlines() if line[:1] == "#")
        table = conf.properties(values["rootfs"], "volume")
        name = options.get("storage", table["volume"].split(":")[0])
        volid = volumes.allocate(world, name, vmid, conf.size_bytes(table.get("size", "4G")))
        say("restoring '%s' now.." % archive)
        say("extracting archive '%s'" % shown)
        for _ in range(20):
            world.wait(0.05)
        folder = volumes.tree(world, volid)
        for member in file.getmembers():
            if not member.name.startswith("./etc/vzdump"):
                file.extract(member, folder)
    volumes.set_fact(folder, "systemd", "252")
    volumes.set_fact(folder, "bytes", os.path.getsize(real))
    table["volume"] = volid
    values["rootfs"] = conf.property_text(table, "volume")
    values.pop("lock", None)
    if is_on(options, "unique"):
        for key in [key for key in values if key.startswith("net")]:
            parts = [part for part in values[key].split(",") if not part.startswith("hwaddr=")]
            values[key] = conf.network(",".join(parts))
    values.update({key: value for key, value in options.items() if key in ("description", "hostname", "memory", "cores")})
    conf.Guest(world, vmid, {"": values}).save()
    say("merging backed-up and given configuration..")
