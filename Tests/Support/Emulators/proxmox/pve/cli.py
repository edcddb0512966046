"""`pct`."""

import os
import signal
import sys
import time

from . import conf, files, ha, lifecycle, moving, power, settings, snapshots
from .errors import Die
from .params import VERBS, parse, usage

WORK = {
    "list": settings.listing, "status": settings.status, "config": settings.config, "pending": settings.pending,
    "set": settings.change, "resize": settings.resize, "rescan": settings.rescan, "cpusets": settings.cpusets,
    "create": lifecycle.create, "destroy": lifecycle.destroy, "clone": lifecycle.clone,
    "template": lifecycle.template, "unlock": lifecycle.unlock, "restore": moving.restore,
    "migrate": moving.migrate, "move-volume": moving.move_volume,
    "start": power.start, "stop": power.stop, "shutdown": power.shutdown, "reboot": power.reboot,
    "suspend": power.suspend, "resume": power.resume,
    "snapshot": snapshots.make, "delsnapshot": snapshots.delete, "rollback": snapshots.rollback,
    "listsnapshot": snapshots.listing,
    "push": files.push, "pull": files.pull, "mount": files.mount, "unmount": files.unmount, "df": files.free,
    "fsck": files.check, "fstrim": files.trim,
}
#: The tool's own summary, which it prints when it gets no verb that it knows.
GROUPS = [
    ["clone <vmid> <newid> [OPTIONS]", "create <vmid> <ostemplate> [OPTIONS]", "destroy <vmid> [OPTIONS]", "list ",
     "migrate <vmid> <target> [OPTIONS]",
     "move-volume <vmid> <volume> [<storage>] [<target-vmid>] [<target-volume>] [OPTIONS]", "pending <vmid>",
     "resize <vmid> <disk> <size> [OPTIONS]", "restore <vmid> <ostemplate> [OPTIONS]", "template <vmid>"],
    ["config <vmid> [OPTIONS]", "set <vmid> [OPTIONS]"],
    ["delsnapshot <vmid> <snapname> [OPTIONS]", "listsnapshot <vmid>", "rollback <vmid> <snapname> [OPTIONS]",
     "snapshot <vmid> <snapname> [OPTIONS]"],
    ["reboot <vmid> [OPTIONS]", "resume <vmid>", "shutdown <vmid> [OPTIONS]", "start <vmid> [OPTIONS]",
     "stop <vmid> [OPTIONS]", "suspend <vmid>"],
    ["console <vmid> [OPTIONS]", "cpusets ", "df <vmid>", "enter <vmid> [OPTIONS]",
     "exec <vmid> [<extra-args>] [OPTIONS]", "fsck <vmid> [OPTIONS]", "fstrim <vmid> [OPTIONS]", "mount <vmid>",
     "pull <vmid> <path> <destination> [OPTIONS]", "push <vmid> <file> <destination> [OPTIONS]",
     "remote-migrate <vmid> [<target-vmid>] <target-endpoint> --target-bridge <string> --target-storage <string> "
     "[OPTIONS]", "rescan  [OPTIONS]", "status <vmid> [OPTIONS]", "unlock <vmid>", "unmount <vmid>"],
    ["help [<extra-args>] [OPTIONS]"],
]


def main(world, words):
    if not words or words[0] not in VERBS:
        head = "ERROR: unknown command 'pct %s'" % words[0] if words else "ERROR: no command specified"
        body = "\n\n".join("\n".join("       pct " + line for line in group) for group in GROUPS)
        print("%s\nUSAGE: pct <COMMAND> [ARGS] [OPTIONS]\n\n%s" % (head, body), file=sys.stderr)
        return 255
    verb = words[0]
    try:
        disturb(world, verb)
        ha.act(world)
        positional, options, extra = parse(verb, words[1:])
        if verb == "exec":
            return files.execute(world, positional, options, extra)
        return WORK[verb](world, positional, options)
    except Die as failure:
        print(failure.message, file=sys.stderr)
        if getattr(failure, "wants_usage", False):
            print(usage(verb), file=sys.stderr)
        return failure.code


def disturb(world, verb):
    """Start-up, and what tests ask for."""
    if not world["cluster_fs"]:
        first = world.path("run/pve/refused")
        if not os.path.exists(first):
            open(first, "w").close()
            world.wait(10)
        for number in (1, 2, 3):
            print("ipcc_send_rec[%d] failed: Connection refused" % number, file=sys.stderr)
        raise Die("Unable to load access control list: Connection refused", 111)
    world.wait(0.7)
    if verb in world["hang"]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN) if world["hang"][verb] < 0 else None
        time.sleep(abs(world["hang"][verb]))
    if verb in world["flood"]:
        chunk = b"x" * 65535 + b"\n"
        for _ in range(int(world["flood"][verb]) // 65536):
            os.write(1, chunk)
    if verb in world["fail"]:
        raise Die(world["fail"][verb])
