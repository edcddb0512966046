"""Changes that wait: what a container that runs does not take at once stands in a section of its own until it stops."""

import os
import shutil
import sys

from . import conf, guest, volumes
from .errors import BadParameter, Die

SECTION = "pve:pending"
#: What a container that runs takes at once: the first by being written down, the rest from the kernel.
WRITTEN = {"description", "onboot", "startup", "protection", "hostname", "hookscript", "cores", "tags"}
KERNEL = {"memory", "swap", "cpulimit", "cpuunits"}


def removals(found):
    """Keys that go when the container stops."""
    return [key for key in found.pending.get("delete", "").split(",") if key]


def tidy(found):
    """Leaves only what waits for something."""
    section = found.sections.setdefault(SECTION, {})
    left = [key for key in removals(found) if key in found.values]
    for key in [key for key in section if key != "delete" and found.values.get(key) == section[key]]:
        del section[key]
    section.pop("delete", None)
    if left:
        section["delete"] = ",".join(sorted(set(left)))
    if not section:
        del found.sections[SECTION]


def remove(found, key):
    """Puts a key on the list of what goes."""
    section = found.sections.setdefault(SECTION, {})
    section.pop(key, None)
    section["delete"] = ",".join(removals(found) + [key])


def keep(found, key):
    """Takes a key off that list."""
    section = found.sections.setdefault(SECTION, {})
    section["delete"] = ",".join(one for one in removals(found) if one != key)


def revert(found, key):
    keep(found, key)
    found.pending.pop(key, None)


def take(world, found, keys):
    """Carries out what can be at once, for these keys.

    A container that runs refuses some of it: then nothing is written, but what a card's change has written already stays.
    """
    tidy(found)
    errors = {}
    running = guest.is_running(world, found.vmid)
    for key in [key for key in removals(found) if key in keys]:
        if not running or key in WRITTEN | KERNEL or key.startswith(("net", "unused")):
            delete(world, found, key)
            keep(found, key)
    for key in sorted(key for key in found.pending if key != "delete" and key in keys):
        value = found.pending[key]
        try:
            if running and not plugs(world, found, key, value):
                continue
            if not running and key.startswith("net"):
                check_bridge(world, value)
            if key == "rootfs" or key.startswith("mp"):
                value = disk(world, found, key, value, running)
        except BadParameter as refusal:
            errors[key] = refusal
            continue
        found.values[key] = value
        found.pending.pop(key, None)
    if errors:
        first = errors[sorted(errors)[0]]
        raise first
    tidy(found)


def check_bridge(world, text):
    bridge = conf.properties(text).get("bridge")
    if bridge and bridge not in world["bridges"]:
        raise Die("bridge '%s' does not exist" % bridge, 2)


def plugs(world, found, key, value):
    """Whether a container that runs takes it; refuses what it tried and could not."""
    if key in WRITTEN | KERNEL:
        return True
    if key.startswith("net"):
        plug(world, found, key, value)
        return True
    return key.startswith("mp") and key not in found.values


def plug(world, found, key, value):
    """A card of a container that runs, which loses its cable first when its name or its address changes."""
    number = int(key[3:])
    new, old = conf.properties(value), conf.properties(found.values.get(key, ""))
    is_known = new.get("bridge") in world["bridges"] + [None]
    if key in found.values and all(old.get(one) == new.get(one) for one in ("name", "hwaddr")):
        if not is_known:
            raise BadParameter(key, "unable to hotplug %s: interface %s does not exist\n" % (key, new["bridge"]), 2)
        return
    if key in found.values:
        shutil.rmtree(guest.cable(world, found.vmid, number), ignore_errors=True)
        del found.values[key]
        found.save()
    if not is_known:
        raise BadParameter(key, "unable to hotplug %s: bridge '%s' does not exist\n" % (key, new["bridge"]), 2)
    guest.plug(world, found.vmid, number)


def disk(world, found, key, value, running):
    made, volid = volumes.realise(world, found.vmid, key, value)
    if volid and running and not world["hotplug_mounts"]:
        volumes.remove(world, volid, quiet=True)
        raise BadParameter(
            key, "unable to hotplug %s: failed to change apparmor profile: Invalid argument\n" % key, 39)
    return made


def delete(world, found, key):
    values = found.values
    volume = conf.properties(values.pop(key), "volume")["volume"] if not key.startswith("net") else values.pop(key)
    if key.startswith("mp"):
        number = 0
        while "unused%d" % number in values:
            number += 1
        values["unused%d" % number] = volume
    elif key.startswith("unused"):
        volumes.remove(world, volume, quiet=True)
    elif key.startswith("net"):
        shutil.rmtree(guest.cable(world, found.vmid, int(key[3:])), ignore_errors=True)


def apply(world, vmid):
    """What waits for a container to stop. A bridge that is not there shows at the next start only."""
    if not os.path.exists(conf.file_of(world, vmid)):
        return
    found = conf.load(world, vmid)
    if SECTION not in found.sections:
        return
    for key in removals(found):
        if key in found.values:
            delete(world, found, key)
    for key, value in found.sections.pop(SECTION).items():
        if key != "delete":
            is_disk = key == "rootfs" or key.startswith("mp")
            found.values[key] = volumes.realise(world, vmid, key, value)[0] if is_disk else value
    found.save()


def warn_absent(key):
    print("cannot delete '%s' - not set in current configuration!" % key, file=sys.stderr)
