"""Storages and what is on them: a sparse file or a folder that shows, and a tree that holds the guest's files."""

import os
import shutil
import subprocess
import uuid

from . import conf, file_system
from .errors import Die
from .tasks import say

SPARSE_GROUPS = sorted({1} | {base ** power for base in (3, 5, 7) for power in range(1, 12)})


def storage(world, name):
    try:
        return world["storages"][name]
    except KeyError:
        raise Die("storage '%s' does not exist" % name)


def activate(world, name):
    """What every use of a storage's contents begins with."""
    one = storage(world, name)
    if one.get("inactive"):
        raise Die("unable to activate storage '%s' - directory is expected to be a mount point but is not mounted: '%s'"
                  % (name, one["path"]))
    return one


def split(volid):
    name, _, rest = volid.partition(":")
    return name, rest


def path(world, volid):
    """The emulated path of a volume."""
    name, rest = split(volid)
    base = storage(world, name)
    if base["type"] == "zfspool":
        return "%s/%s" % (base["path"], rest)
    return "%s/images/%s" % (base["path"], rest)


def tree(world, volid):
    """Where the guest's files of a volume are, really."""
    name, rest = split(volid)
    return world.path("emulator/volumes", name, rest.replace("/", "_"))


def copy(source, target):
    """Copies a tree with its owners; devices are made again at the start. What goes while it is copied is not there."""
    if os.geteuid() != 0:
        skipped = lambda folder, names: names if os.path.relpath(folder, source) == "dev" else []
        shutil.copytree(source, target, symlinks=True, ignore=skipped)
        return
    os.mkdir(target)
    shutil.copystat(source, target)
    inside = [os.path.join(source, name) for name in sorted(os.listdir(source)) if name != "dev"]
    if inside:
        subprocess.run(["cp", "-a", "--reflink=auto", "--", *inside, target], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if os.path.isdir(os.path.join(source, "dev")):
        os.makedirs(os.path.join(target, "dev"), exist_ok=True)


def exists(world, volid):
    return os.path.exists(world.path(path(world, volid)))


def used(world, name):
    """Bytes taken on a storage: what each tree's facts say, and files that somebody put there."""
    base = storage(world, name)
    total = 0
    folder = world.path("emulator/volumes", name)
    for one in os.listdir(folder) if os.path.isdir(folder) else []:
        total += int(fact(os.path.join(folder, one), "bytes", "0"))
    for one in os.scandir(world.path(base["path"])):
        if one.is_file():
            total += one.stat().st_size
    return min(total, base["size"])


def free(world, name):
    return storage(world, name)["size"] - used(world, name)


def fact(folder, key, default=None):
    try:
        with open("%s.%s" % (folder, key)) as file:
            return file.read()
    except FileNotFoundError:
        return default


def set_fact(folder, key, value):
    with open("%s.%s" % (folder, key), "w") as file:
        file.write(str(value))


def new_id(world, name, vmid, subvolume):
    kind = storage(world, name)["type"]
    taken = lambda number: any(
        os.path.exists(world.path(path(world, one))) for one in (pattern(kind, name, vmid, number, True),
                                                                 pattern(kind, name, vmid, number, False)))
    number = 0
    while taken(number):
        number += 1
    return pattern(kind, name, vmid, number, subvolume)


def pattern(kind, name, vmid, number, subvolume):
    if kind == "zfspool":
        return "%s:subvol-%s-disk-%d" % (name, vmid, number)
    if subvolume:
        return "%s:%s/subvol-%s-disk-%d.subvol" % (name, vmid, vmid, number)
    return "%s:%s/vm-%s-disk-%d.raw" % (name, vmid, vmid, number)


def allocate(world, name, vmid, size):
    """Makes a volume of `size` bytes, with a file system in it. Returns its id."""
    kind = activate(world, name)["type"]
    if kind == "dir" and size == 0:
        raise Die("unable to create image: size must not be 0")
    volid = new_id(world, name, vmid, size == 0)
    shown = path(world, volid)
    real = world.path(shown)
    os.makedirs(tree(world, volid), exist_ok=True)
    if kind == "zfspool" or size == 0:
        os.makedirs(real, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(real), exist_ok=True)
        with open(real, "w") as file:
            file.truncate(size)
        if kind == "dir":
            say("Formatting '%s', fmt=raw size=%d preallocation=off" % (shown, size))
        make_file_system(world, name, shown, size)
    set_fact(tree(world, volid), "size", size)
    return volid


def make_file_system(world, name, shown, size):
    block = 4096 if size >= 512 << 20 else 1024
    blocks = size // block
    group = 32768 if block == 4096 else 8192
    groups = -(-blocks // group)
    inodes = -(-(size // (16384 if block == 4096 else 4096)) // groups)
    inodes = -(-inodes // (block // 256)) * (block // 256) * groups
    say("Creating filesystem with %d %dk blocks and %d inodes" % (blocks, block // 1024, inodes))
    say("Filesystem UUID: %s" % uuid.uuid4())
    say("Superblock backups stored on blocks: ")
    line, column = "\t", 8
    backups = [one * group + (block == 1024) for one in SPARSE_GROUPS if one < groups]
    for index, number in enumerate(backups):
        word = str(number) + (", " if index < len(backups) - 1 else "")
        if column + len(word) > 80:
            say(line)
            line, column = "\t", 8
        line, column = line + word, column + len(word)
    say(line)
    file_system.write(world.path(shown), size)
    if free(world, name) < 1 << 20:
        say("Error while enabling multiple mount protection feature.")
        raise Die("command 'mkfs.ext4 -O mmp -E 'root_owner=100000:100000' %s' failed: exit code 1" % shown)


def remove(world, volid, quiet=False):
    """Says so when it was gone already, as the tool does, and goes on."""
    activate(world, split(volid)[0])
    shown = path(world, volid)
    real = world.path(shown)
    if not os.path.exists(real):
        if not quiet:
            say("disk image '%s' does not exist" % shown)
    elif os.path.isdir(real):
        shutil.rmtree(real)
    else:
        os.unlink(real)
    folder = os.path.dirname(real)
    if "/images/" in shown and os.path.isdir(folder) and not os.listdir(folder):
        os.rmdir(folder)
    drop(tree(world, volid))


def drop(folder):
    shutil.rmtree(folder, ignore_errors=True)
    base, name = os.path.split(folder)
    for one in os.listdir(base) if os.path.isdir(base) else []:
        if one.startswith(name + "."):
            target = os.path.join(base, one)
            shutil.rmtree(target) if os.path.isdir(target) else os.unlink(target)


def rename(world, volid, new):
    os.rename(world.path(path(world, volid)), world.path(path(world, new)))
    old_tree, new_tree = tree(world, volid), tree(world, new)
    base, name = os.path.split(old_tree)
    for one in os.listdir(base):
        if one == name or one.startswith(name + "."):
            os.rename(os.path.join(base, one), new_tree + one[len(name):])


def of_guest(world, vmid):
    """Every volume of an id on any storage, referenced or not."""
    found = []
    for name, base in world["storages"].items():
        if base["type"] == "zfspool":
            folder, prefix = world.path(base["path"]), ""
        else:
            folder, prefix = world.path(base["path"], "images", str(vmid)), "%s/" % vmid
        for one in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if ("-%s-disk-" % vmid) in one:
                found.append("%s:%s%s" % (name, prefix, one))
    return found


def search(world):
    """What a look for volumes on all storages for containers begins with: one that is away ends it."""
    for name, one in world["storages"].items():
        if "rootdir" in one["content"].split(","):
            activate(world, name)


def fill(world, name, volid, size):
    """Puts data onto a volume. A storage without room for it breaks the file system in silence."""
    folder = tree(world, volid)
    has_room = size <= free(world, name)
    set_fact(folder, "bytes", size)
    if not has_room or used(world, name) >= storage(world, name)["size"]:
        set_fact(folder, "corrupt", "")


def can_snapshot(world, volid):
    return storage(world, split(volid)[0])["type"] in ("btrfs", "zfspool")


def new_volume(text):
    """`STORAGE:GiB` as (storage, bytes), or None for a volume that is there."""
    name, _, rest = text.partition(":")
    try:
        return name, int(float(rest) * (1 << 30))
    except ValueError:
        return None


def realise(world, vmid, key, text, default="local"):
    """The property string of a disk, its volume made when the text asks for a new one."""
    table = conf.properties(text, "volume")
    if ":" not in table["volume"]:
        table["volume"] = "%s:%s" % (default, table["volume"])
    wish = new_volume(table["volume"])
    if wish is None:
        return text, None
    name, size = wish
    volid = allocate(world, name, vmid, size)
    table["volume"] = volid
    table["size"] = "0T" if size == 0 else conf.size_text(size)
    return conf.property_text(table, "volume"), volid
