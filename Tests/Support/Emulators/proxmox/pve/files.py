"""Verbs that reach into a container's files."""

import grp
import os
import pwd
import sys

from . import conf, guest, locks, volumes
from .errors import Die
from .lifecycle import mount as note_mount, unmount as note_unmount
from .tasks import run


def execute(world, positional, options, words):
    vmid = positional["vmid"]
    config = conf.load(world, vmid)
    if not words:
        raise Die("missing command at /usr/share/perl5/PVE/CLI/pct.pm line 246.")
    return guest.execute(world, config, words, options.get("keep-env", "1") == "1")


def inside(world, config, path):
    """The real path of a container's file; links are followed below its root."""
    root = guest.root(world, config)
    found = root
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            found = os.path.dirname(found) if found != root else root
            continue
        found = os.path.join(found, part)
        if os.path.islink(found):
            target = os.readlink(found)
            found = inside(world, config, os.path.join(os.path.dirname(found[len(root):]), target)
                           if target[0] != "/" else target)
    return found


def push(world, positional, options):
    vmid, source, target = positional["vmid"], positional["file"], positional["destination"]
    config = conf.load(world, vmid)
    if not guest.is_running(world, vmid):
        raise Die("can only push files to a running CT")
    return run(world, "push_file", vmid, lambda: pushing(world, config, source, target, options), tells_failure=False)


def number(text, kind):
    if text.isdigit():
        return int(text)
    try:
        return pwd.getpwnam(text).pw_uid if kind == "uid" else grp.getgrnam(text).gr_gid
    except KeyError:
        raise Die("failed to get %s for: %s" % (kind, text))


def pushing(world, config, source, target, options):
    user = number(options["user"], "uid") if "user" in options else 0
    group = number(options["group"], "gid") if "group" in options else 0
    try:
        source_file = open(source, "rb")
    except OSError:
        raise Die("failed to open %s for reading" % source)
    real = inside(world, config, target)
    try:
        target_file = open(real, "wb")
    except IsADirectoryError:
        raise Die("failed to create file: %s: Is a directory" % target)
    except OSError:
        raise Die("failed to create file: %s: No such file or directory" % target)
    left = world["push_limit"]
    with source_file, target_file:
        while chunk := source_file.read(1 << 20):
            if left is not None:
                chunk, left = chunk[:left], left - len(chunk[:left])
            target_file.write(chunk)
        os.fchmod(target_file.fileno(), int(options.get("perms", "0644"), 8))
        os.fchown(target_file.fileno(), user, group)


def pull(world, positional, options):
    vmid, source, target = positional["vmid"], positional["path"], positional["destination"]
    config = conf.load(world, vmid)
    if not guest.is_running(world, vmid):
        raise Die("can only pull files from a running CT")
    return run(world, "pull_file", vmid, lambda: pulling(world, config, source, target, options), tells_failure=False)


def pulling(world, config, source, target, options):
    with open(target, "wb") as target_file:
        try:
            source_file = open(inside(world, config, source), "rb")
        except OSError:
            raise Die("failed to open %s: No such file or directory" % source)
        left = world["pull_limit"]
        with source_file:
            while chunk := source_file.read(1 << 20):
                if left is not None:
                    chunk, left = chunk[:left], left - len(chunk[:left])
                target_file.write(chunk)


def mount(world, positional, options):
    vmid = positional["vmid"]
    conf.load(world, vmid)
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        config.check_lock()
        if not guest.is_running(world, vmid):
            config.values["lock"] = "mounted"
            config.save()
            note_mount(world, vmid)
    print("mounted CT %s in '/var/lib/lxc/%s/rootfs'" % (vmid, vmid))
    return 0


def unmount(world, positional, options):
    vmid = positional["vmid"]
    config = conf.load(world, vmid)
    note_unmount(world, vmid)
    if config.values.get("lock") == "mounted":
        del config.values["lock"]
        config.save()
    return 0


def human(count):
    for unit, size in (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if count >= size:
            return "%.1f%s" % (count / size, unit)
    return "%d.0B" % count


def free(world, positional, options):
    vmid = positional["vmid"]
    config = conf.load(world, vmid)
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        if not guest.is_running(world, vmid):
            if not os.path.exists(world.path("var/lib/lxc", vmid, "config")):
                print("%s doesn't exist" % vmid, file=sys.stderr)
            config.check_lock()
    rows = [("MP", "Volume", "Size", "Used", "Avail", "Use%", "Path")]
    for key, one in config.volumes.items():
        if key.startswith("unused"):
            continue
        folder = volumes.tree(world, one["volume"])
        size = int(int(volumes.fact(folder, "size", "0")) * 0.9506)
        used = int(int(volumes.fact(folder, "bytes", "0")) * 1.085)
        room = max(int(size * 0.931) - used, 0)
        rows.append((key, one["volume"], human(size), human(used), human(room),
                     "%.1f" % (100.0 * used / max(size, 1)), one.get("mp", "/")))
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    for row in rows:
        print(" ".join([row[0].ljust(widths[0]), row[1].ljust(widths[1])]
                       + [row[column].rjust(widths[column]) for column in (2, 3, 4)]
                       + [row[5].ljust(widths[5]) if row[0] == "MP" else row[5].rjust(4), row[6]]))
    return 0


def check(world, positional, options):
    vmid = positional["vmid"]
    conf.load(world, vmid)
    if guest.is_running(world, vmid):
        raise Die("cannot run fsck when container is running")
    print("fsck from util-linux 2.38.1")
    return 0


def trim(world, positional, options):
    vmid = positional["vmid"]
    conf.load(world, vmid)
    if not guest.is_running(world, vmid):
        raise Die("CT is not running")
    print("/var/lib/lxc/%s/rootfs/: 84.1 MiB (88174592 bytes) trimmed" % vmid)
    return 0
