"""Guests' configuration files: `key: value` lines, then sections for pending changes and snapshots."""

import os
import random
import re
from urllib.parse import quote, unquote

from .errors import Die


class Guest:
    """`sections` maps '' to the present configuration, 'pve:pending' and snapshot names to theirs."""

    def __init__(self, world, vmid, sections=None):
        self.world, self.vmid = world, str(vmid)
        self.sections = sections or {"": {}}

    @property
    def values(self):
        return self.sections[""]

    @property
    def pending(self):
        return self.sections.get("pve:pending", {})

    @property
    def snapshots(self):
        return {name: one for name, one in self.sections.items() if name and name != "pve:pending"}

    @property
    def name(self):
        return self.values.get("hostname", "CT" + self.vmid)

    @property
    def volumes(self):
        """Keys of volumes that the guest owns, with their properties."""
        found = {}
        for key, value in self.values.items():
            if key == "rootfs" or re.fullmatch(r"mp\d+", key) or re.fullmatch(r"unused\d+", key):
                one = properties(value, "volume")
                if ":" in one["volume"]:
                    found[key] = one
        return found

    def check_lock(self):
        if "lock" in self.values:
            raise Die("CT is locked (%s)" % self.values["lock"])

    def save(self):
        """Writes the file as the cluster file system does; without quorum it cannot be written."""
        if not self.world["quorum"]:
            raise Die("unable to open file '/etc/pve/nodes/%s/lxc/%s.conf.tmp.%d' - Permission denied"
                      % (self.world.node, self.vmid, os.getpid()))
        path = file_of(self.world, self.vmid)
        temporary = "%s.tmp.%d" % (path, os.getpid())
        with open(temporary, "w") as file:
            file.write(self.text())
        os.rename(temporary, path)

    def text(self):
        parts = [section_text(self.values)]
        if self.pending:
            parts.append("[pve:pending]\n" + section_text(self.pending))
        for name, values in self.snapshots.items():
            parts.append("[%s]\n%s" % (name, section_text(values)))
        return "\n".join(parts)


def section_text(values):
    lines = ["#" + line for line in values.get("description", "").splitlines()]
    lines += ["%s: %s" % (key, values[key]) for key in sorted(values) if key != "description"]
    return "".join(line + "\n" for line in lines)


def file_of(world, vmid):
    return world.path("etc/pve/nodes", world.node, "lxc", "%s.conf" % vmid)


def missing(world, vmid, code=2):
    return Die("Configuration file 'nodes/%s/lxc/%s.conf' does not exist" % (world.node, vmid), code)


def load(world, vmid, code=2):
    try:
        with open(file_of(world, vmid)) as file:
            text = file.read()
    except FileNotFoundError:
        raise missing(world, vmid, code)
    sections, current = {"": {}}, ""
    for line in map(str.rstrip, text.splitlines()):
        head = re.fullmatch(r"\[([^\]]+)\]", line)
        if head:
            current = head[1]
            sections[current] = {}
        elif line.startswith("#"):
            values = sections[current]
            values["description"] = values.get("description", "") + line[1:] + "\n"
        elif ": " in line:
            key, value = line.split(": ", 1)
            sections[current][key] = value
    return Guest(world, vmid, sections)


def all_ids(world):
    """Ids of this node's containers, in order."""
    folder = world.path("etc/pve/nodes", world.node, "lxc")
    return sorted(int(name[:-5]) for name in os.listdir(folder) if re.fullmatch(r"\d+\.conf", name))


def owner(world, vmid):
    """('CT' or 'VM', node) of whoever has the id in the cluster."""
    base = world.path("etc/pve/nodes")
    for node in sorted(os.listdir(base)):
        for kind, folder in (("CT", "lxc"), ("VM", "qemu-server")):
            if os.path.exists(os.path.join(base, node, folder, "%s.conf" % vmid)):
                return kind, node
    return None


def forget(world, vmid):
    if not world["quorum"]:
        raise Die("unable to open file '/etc/pve/nodes/%s/lxc/%s.conf.tmp.%d' - Permission denied"
                  % (world.node, vmid, os.getpid()))
    os.unlink(file_of(world, vmid))


def properties(text, first=None):
    """`a,b=c` as a table; a part without `=` belongs to `first`."""
    table = {}
    for part in text.split(","):
        if "=" in part and not (first and ":" in part.split("=")[0]):
            key, value = part.split("=", 1)
            table[key] = value
        elif first:
            table[first] = part
    return table


def property_text(table, first):
    rest = [key for key in sorted(table) if key != first]
    return ",".join([table[first]] + ["%s=%s" % (key, table[key]) for key in rest])


def encode(text):
    return quote(text, safe=" !\"#$&'()*+,-./;<=>?@[\\]^_`{|}~")


def decode(text):
    return unquote(text)


def network(text, old=None):
    """A NIC's properties, completed as the tool does: a new address unless one is given."""
    table = properties(text)
    table.setdefault("hwaddr", "BC:24:11:%02X:%02X:%02X" % tuple(random.randrange(256) for _ in range(3)))
    table.setdefault("type", "veth")
    head = [key for key in ("name", "bridge") if key in table]
    rest = sorted(key for key in table if key not in head)
    return ",".join("%s=%s" % (key, table[key]) for key in head + rest)


UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def size_bytes(text):
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    return int(float(found[1]) * UNITS.get(found[2], 1))


def size_text(count):
    """In the largest unit that is exact."""
    for unit in "TGMK":
        if count % UNITS[unit] == 0:
            return "%d%s" % (count // UNITS[unit], unit)
    return str(count)
