"""The emulated node: a root folder with what a real one has below /, and settings that tests change while it runs."""

import json
import os
import shutil
import sys
import time

DEFAULTS = {
    "node": "pvelab",
    "version": "9.2.11",
    # Factor on every delay and time limit: 1 is a real node's pace.
    "pace": 1.0,
    "quorum": True,
    "cluster_fs": True,
    # Whether somebody carries out HA requests, and how long (s, before `pace`) that takes.
    "ha_manager": False,
    "ha_delay": 10,
    "bridges": ["vmbr0"],
    # Whether a container that runs takes a new mount point, and a larger file system, at once.
    "hotplug_mounts": False,
    "online_resize": False,
    # Whether containers have a network namespace of their own with net0's address. Needs root and iproute2.
    "network": False,
    "nodes": [],
    "cpus": 2,
    # Verb to seconds that it hangs before it begins; verb to a text that it fails with.
    "hang": {},
    "fail": {},
    "flood": {},
    # Work that waits in its middle until a file of its name is among emulator/gates.
    "gates": [],
    # Whether a backup ends in success without having made any.
    "backup_nothing": False,
    # Whether an unprivileged container can be unpacked to a data set.
    "zfs_idmap": True,
    # Bytes after which a push or a pull is cut without a word.
    "push_limit": None,
    "pull_limit": None,
    "storages": {
        "local": {"type": "dir", "path": "/var/lib/vz", "size": 40 << 30, "content": "vztmpl,rootdir,backup,iso"},
        "btr": {"type": "btrfs", "path": "/mnt/btr", "size": 6 << 30, "content": "rootdir"},
        "labzfs": {"type": "zfspool", "pool": "pctpool", "path": "/pctpool", "size": 6 << 30, "content": "rootdir"},
        "tiny": {"type": "dir", "path": "/run/tiny", "size": 85 << 20, "content": "rootdir"},
    },
}


class World:
    """`root` is the folder that stands for /."""

    def __init__(self, root):
        self.root = root
        self.settings = dict(DEFAULTS)
        try:
            with open(os.path.join(root, "emulator.json")) as file:
                self.settings.update(json.load(file))
        except FileNotFoundError:
            pass

    def __getitem__(self, key):
        return self.settings[key]

    @property
    def node(self):
        return self.settings["node"]

    def path(self, *parts):
        """The real path of an emulated one."""
        return os.path.join(self.root, *[part.lstrip("/") for part in parts])

    def folder(self, *parts):
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        return path

    def wait(self, seconds):
        time.sleep(seconds * self.settings["pace"])

    def show(self, pid, words):
        """Makes a process one of the emulated node, with a command line of its own for as long as it lives."""
        folder = self.folder("proc", str(pid))
        with open(os.path.join(folder, "cmdline"), "w") as file:
            file.write("\0".join(words) + "\0")
        link = os.path.join(folder, "stat")
        if not os.path.lexists(link):
            os.symlink("/proc/%d/stat" % pid, link)

    def hide(self, pid):
        shutil.rmtree(self.path("proc", str(pid)), ignore_errors=True)

    def gate(self, name):
        while name in self["gates"] and not os.path.exists(self.path("emulator/gates", name)):
            time.sleep(0.01)

    def prepare(self):
        """What every node has, made if it is not there."""
        for name in ("etc/pve/nodes/%s/lxc" % self.node, "etc/pve/nodes/%s/qemu-server" % self.node, "etc/pve/ha",
                     "run/lock/lxc", "run/pve", "var/lib/lxc", "var/log/pve/tasks", "proc"):
            self.folder(name)
        for bridge in self.settings["bridges"]:
            self.folder("sys/class/net", bridge)
        link = self.path("etc/pve/lxc")
        if not os.path.lexists(link):
            try:
                os.symlink("nodes/%s/lxc" % self.node, link)
            except FileExistsError:
                pass
        # The cluster's file system shows the loss of quorum in its modes.
        os.chmod(self.path("etc/pve/nodes", self.node), 0o755 if self.settings["quorum"] else 0o555)
        for storage in self.settings["storages"].values():
            self.folder(storage["path"], "images")
        for other in self.settings["nodes"]:
            self.folder("etc/pve/nodes", other, "lxc")
        self.folder("var/lib/vz/template/cache")
        self.folder("var/lib/vz/dump")


def here():
    """The world of the program that runs: ROOT/usr/sbin/pct and the like."""
    program = os.path.abspath(sys.argv[0])
    world = World(os.environ.get("PVE_EMULATOR_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(program))))
    world.prepare()
    return world
