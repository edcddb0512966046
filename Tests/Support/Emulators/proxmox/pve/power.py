"""Verbs that start and stop."""

import os
import signal
import sys
import time

from . import conf, guest, ha, locks, pending, tasks
from .errors import Die
from .params import is_on
from .tasks import run, say


def start(world, positional, options):
    vmid = positional["vmid"]
    config = conf.load(world, vmid, 255)
    if guest.is_running(world, vmid) and not locks.holder(world, vmid):
        raise Die("CT %s already running" % vmid)
    if not world["quorum"]:
        raise Die("cluster not ready - no quorum?")
    if ha.is_managed(world, vmid):
        ha.request(world, vmid, "started")
        print("Requesting HA start for CT %s" % vmid)
        return 0
    ready(config)
    return run(world, "vzstart", vmid, lambda: starting(world, vmid))


def ready(config):
    if config.values.get("lock", "mounted") != "mounted":
        if not locks.holder(config.world, config.vmid):
            config.check_lock()
    if config.values.get("template") == "1":
        raise Die("you can't start a CT if it's a template")


def starting(world, vmid):
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        if config.values.get("lock", "mounted") != "mounted":
            config.check_lock()
        if guest.is_running(world, vmid):
            world.wait(10)
            say("problem with monitor socket, but continuing anyway: got timeout\n")
            return
        pending.apply(world, vmid)
        guest.start(world, conf.load(world, vmid))


def stop(world, positional, options):
    vmid = positional["vmid"]
    conf.load(world, vmid)
    running(world, vmid, "CT")
    if ha.is_managed(world, vmid):
        ha.request(world, vmid, "stopped")
        print("Requesting HA stop for CT %s" % vmid)
        return 0
    return run(world, "vzstop", vmid, lambda: stopping(world, vmid, options))


def running(world, vmid, kind):
    if not guest.is_running(world, vmid):
        raise Die("%s %s not running" % (kind, vmid))


def stopping(world, vmid, options):
    if is_on(options, "overrule-shutdown"):
        overrule(world, vmid)
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        if config.values.get("lock", "mounted") != "mounted":
            config.check_lock()
        world.wait(0.5)
        guest.stop(world, vmid)


def overrule(world, vmid):
    """Ends shutdowns that are under way, as their task list tells."""
    try:
        with open(world.path("var/log/pve/tasks/active")) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        name, _, rest = line.partition(" ")
        fields = name.split(":")
        if rest == "0" and fields[5:7] == ["vzshutdown", vmid]:
            say("overruled vzshutdown tasks: %s" % name)
            try:
                os.kill(int(fields[2], 16), signal.SIGTERM)
            except ProcessLookupError:
                pass


def shutdown(world, positional, options):
    vmid = positional["vmid"]
    conf.load(world, vmid)
    running(world, vmid, "CT")
    if ha.is_managed(world, vmid):
        ha.request(world, vmid, "stopped")
        print("Requesting HA stop for CT %s" % vmid)
        return 0
    return run(world, "vzshutdown", vmid, lambda: shutting_down(world, vmid, options))


def shutting_down(world, vmid, options):
    seconds = int(options.get("timeout", "60"))
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        if config.values.get("lock", "mounted") != "mounted":
            config.check_lock()
        command = "lxc-stop -n %s --nokill --timeout %d" % (vmid, seconds)
        try:
            has_stopped = guest.shutdown(world, config, seconds)
        except tasks.Interrupted:
            say("command '%s' failed: received interrupt" % command)
            raise Die("got unexpected control message: \n")
        if has_stopped:
            return
        if is_on(options, "forceStop"):
            guest.stop(world, vmid)
            return
        world.wait(seconds + 5)
        say("command '%s' failed: exit code 1" % command)
        raise Die("container did not stop")


def reboot(world, positional, options):
    vmid = positional["vmid"]
    conf.load(world, vmid)
    running(world, vmid, "VM")
    return run(world, "vzreboot", vmid, lambda: rebooting(world, vmid, options))


def rebooting(world, vmid, options):
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        config.check_lock()
        if not guest.shutdown(world, config, int(options.get("timeout", "60"))):
            raise Die("container did not stop")
        guest.start(world, conf.load(world, vmid))


def suspend(world, positional, options):
    vmid = positional["vmid"]
    conf.load(world, vmid)
    running(world, vmid, "CT")

    def work():
        say("lxc-checkpoint: %s: ../src/lxc/criu.c: criu_version_ok: 767 No such file or directory - execing criu "
            "failed, is it installed?" % vmid)
        say("lxc-checkpoint: %s: ../src/lxc/tools/lxc_checkpoint.c: checkpoint: 182 Checkpointing %s failed"
            % (vmid, vmid))
        raise Die("command 'lxc-checkpoint -n %s -s -D /var/lib/vz/dump' failed: exit code 1" % vmid)

    return run(world, "vzsuspend", vmid, work)


def resume(world, positional, options):
    conf.load(world, positional["vmid"])
    raise Die("CT %s already running" % positional["vmid"])
