"""The file lock that every change of a guest takes."""

import contextlib
import fcntl
import os
import sys
import time

from .errors import Die


@contextlib.contextmanager
def guest(world, vmid, seconds=10):
    """Waits for the lock as the tool does, and says so on standard error."""
    shown = "/run/lock/lxc/pve-config-%s.lock" % vmid
    with open(world.path(shown), "a") as file:
        if not take(file):
            print("trying to acquire lock...", file=sys.stderr, flush=True)
            end = time.monotonic() + seconds * world["pace"]
            while not take(file):
                if time.monotonic() > end:
                    raise Die("can't lock file '%s' - got timeout" % shown, 4)
                time.sleep(0.01)
            print(" OK", file=sys.stderr, flush=True)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def take(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def holder(world, vmid):
    """Whether somebody holds it now."""
    with open(world.path("run/lock/lxc/pve-config-%s.lock" % vmid), "a") as file:
        return not take(file)
