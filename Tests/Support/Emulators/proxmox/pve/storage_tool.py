"""`pvesm`."""

import os
import re
import sys
import tarfile

from . import volumes
from .errors import Die


def main(world, words):
    try:
        if words[:1] == ["status"]:
            return status(world, words[1:])
        if words[:1] == ["list"]:
            return listing(world, words[1], words[2:])
        if words[:1] == ["path"]:
            print(volumes.path(world, words[1]))
            return 0
        if words[:1] == ["extractconfig"]:
            return extract(world, words[1])
        if words[:1] == ["free"]:
            if ":backup/" in words[1]:
                return forget(world, words[1])
            volumes.remove(world, words[1], quiet=True)
            print("Removed volume '%s'" % words[1])
            return 0
    except Die as failure:
        print(failure.message, file=sys.stderr)
        return failure.code
    print("ERROR: unknown command 'pvesm %s'" % " ".join(words[:1]), file=sys.stderr)
    return 255


def backup_file(world, volid):
    name, _, rest = volid.partition(":")
    return world.path(volumes.storage(world, name)["path"], "dump", rest.split("/")[-1])


def extract(world, volid):
    """The configuration that a backup holds."""
    if not os.path.exists(backup_file(world, volid)):
        raise Die("volume '%s' does not exist" % volid)
    with tarfile.open(backup_file(world, volid)) as file:
        sys.stdout.write(file.extractfile("./etc/vzdump/pct.conf").read().decode())
    return 0


def forget(world, volid):
    """Exits 0 whatever became of it."""
    path = backup_file(world, volid)
    if os.path.exists(path + ".protected"):
        print("cannot remove protected volume '%s' on '%s'" % (volid, volid.split(":")[0]), file=sys.stderr)
    elif os.path.exists(path):
        os.unlink(path)
        print("Removed volume '%s'" % volid)
    return 0


def option(words, name):
    for index, word in enumerate(words):
        if word == "--" + name:
            return words[index + 1]
        if word.startswith("--%s=" % name):
            return word.split("=", 1)[1]
    return None


def status(world, words):
    only, content = option(words, "storage"), option(words, "content")
    if only:
        volumes.storage(world, only)
    print("%-20s %10s %10s %15s %15s %15s %8s"
          % ("Name", "Type", "Status", "Total (KiB)", "Used (KiB)", "Available (KiB)", "%"))
    for name, one in sorted(world["storages"].items()):
        if only and name != only or content and content not in one["content"].split(","):
            continue
        if one.get("inactive"):
            print("%-20s %10s %10s %15d %15d %15d %8s" % (name, one["type"], "inactive", 0, 0, 0, "0.00%"))
            continue
        used = volumes.used(world, name)
        total = one["size"]
        print("%-20s %10s %10s %15d %15d %15d %7.2f%%"
              % (name, one["type"], "active", total >> 10, used >> 10, (total - used) >> 10, 100.0 * used / total))
    return 0


def listing(world, name, words):
    base = volumes.storage(world, name)
    content, vmid = option(words, "content"), option(words, "vmid")
    rows = []
    if content in (None, "vztmpl") and "vztmpl" in base["content"]:
        for one in files(world, base, "template/cache"):
            rows.append(("%s:vztmpl/%s" % (name, one[0]), "tzst", "vztmpl", one[1], ""))
    if content in (None, "backup") and "backup" in base["content"]:
        for one in files(world, base, "dump"):
            found = re.match(r"vzdump-lxc-(\d+)-", one[0])
            rows.append(("%s:backup/%s" % (name, one[0]), "tar.zst", "backup", one[1], found[1] if found else ""))
    if content in (None, "rootdir"):
        for volid in [volid for guest in guests(world) for volid in volumes.of_guest(world, guest)
                      if volid.split(":")[0] == name]:
            owner = re.search(r"-(\d+)-disk", volid)[1]
            rows.append((volid, "raw" if volid.endswith(".raw") else "subvol", "rootdir",
                         int(volumes.fact(volumes.tree(world, volid), "size", "0")), owner))
    print("%-60s %-7s %-9s %12s %s" % ("Volid", "Format", "Type", "Size", "VMID"))
    for volid, kind, what, size, owner in rows:
        if vmid in (None, owner):
            print("%-60s %-7s %-9s %12d %s" % (volid, kind, what, size, owner))
    return 0


def guests(world):
    """Every id that has a volume somewhere."""
    found = set()
    for one in world["storages"].values():
        folder = world.path(one["path"], "" if one["type"] == "zfspool" else "images")
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            match = re.fullmatch(r"\d+", name) or re.search(r"-(\d+)-disk", name)
            if match:
                found.add(int(match[1] if match.groups() else match[0]))
    return sorted(found)


def files(world, base, folder):
    path = world.path(base["path"], folder)
    names = sorted(os.listdir(path)) if os.path.isdir(path) else []
    return [(name, os.path.getsize(os.path.join(path, name))) for name in names
            if not name.endswith((".json", ".log", ".notes", ".dat", ".protected"))]
