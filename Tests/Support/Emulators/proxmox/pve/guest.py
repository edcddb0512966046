"""Containers that run: a process of their own in a namespace of their own, over the files of their root volume."""

import ctypes
import json
import os
import shutil
import signal
import stat
import sys
import time

from . import network, pending, tasks, volumes
from .errors import Die

NEW_UTS, NEW_PID, NEW_MOUNTS, NEW_NET = 0x04000000, 0x20000000, 0x00020000, 0x40000000
PRIVATE = 0x40000 | 0x4000
LIBC = ctypes.CDLL(None, use_errno=True)
#: The first process: it sleeps until somebody inside asks for an end.
INIT = r"""
rm -f /run/poweroff /run/reboot
while [ ! -e /run/poweroff ]; do
  rm -f /run/reboot
  # Whose file system was taken away with its node has nobody left to run for, and no sleep either.
  sleep 0.05 || exit
done
"""


def state_file(world, vmid):
    return world.path("run/pve", "%s.json" % vmid)


def state(world, vmid):
    """{pid, since} of a container that runs, or None."""
    try:
        with open(state_file(world, vmid)) as file:
            found = json.load(file)
    except (FileNotFoundError, ValueError):
        return None
    return found if birth(found["pid"]) == found["birth"] else None


def birth(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rpartition(") ")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_running(world, vmid):
    return state(world, vmid) is not None


def root(world, config):
    volumes_of = config.volumes
    if "rootfs" not in volumes_of:
        raise Die("rootfs is missing")
    return volumes.tree(world, volumes_of["rootfs"]["volume"])


def systemd_warning(config, folder):
    version = int(volumes.fact(folder, "systemd", "0"))
    if version >= 250 and "nesting=1" not in config.values.get("features", ""):
        tasks.warn("Systemd %d detected. You may need to enable nesting." % version)


def start(world, config):
    """Starts it, or dies with what the tool says."""
    vmid = config.vmid
    for key, value in config.values.items():
        if key.startswith("net"):
            bridge = dict(part.split("=", 1) for part in value.split(",")).get("bridge")
            if bridge and bridge not in world["bridges"]:
                raise Die("bridge '%s' does not exist" % bridge)
    for one in config.volumes.values():
        if not volumes.exists(world, one["volume"]):
            raise Die("volume '%s' does not exist" % one["volume"])
    folder = root(world, config)
    lines = failure(world, config, folder)
    if lines:
        for line in lines:
            tasks.say(line)
        version = int(volumes.fact(folder, "systemd", "0"))
        if "hook" not in lines[1] and version >= 250 and "nesting=1" not in config.values.get("features", ""):
            tasks.say("WARN: Systemd %d detected. You may need to enable nesting." % version)
        raise Die("startup for container '%s' failed" % vmid)
    world.wait(1.2)
    os.makedirs(world.path("var/lib/lxc", vmid, "rootfs"), exist_ok=True)
    volumes.set_fact(world.path("var/lib/lxc", vmid, "config"), "made", "")
    with open(world.path("var/lib/lxc", vmid, "config"), "w") as file:
        file.write("lxc.uts.name = %s\n" % config.name)
    pid = launch(folder, config.name, world["network"])
    if world["network"]:
        network.join(config, pid)
    with open(state_file(world, vmid), "w") as file:
        json.dump({"pid": pid, "birth": birth(pid), "since": time.time()}, file)
    control_group(world, config, pid)
    systemd_warning(config, folder)


def control_group(world, config, pid):
    """What the kernel shows of a container that runs."""
    vmid = config.vmid
    folder = world.folder("sys/fs/cgroup/lxc", str(vmid))
    with open(world.path("sys/fs/cgroup/cgroup.controllers"), "w") as file:
        file.write("cpuset cpu io memory pids\n")
    for key in [key for key in config.values if key.startswith("net")]:
        plug(world, vmid, int(key[3:]))
    for name, text in (("cpu.stat", "usage_usec 120000\nuser_usec 80000\nsystem_usec 40000\n"),
                       ("memory.current", "%d\n" % memory({"pid": pid})), ("memory.stat", "inactive_file 0\n"),
                       ("memory.max", "max\n"), ("pids.current", "1\n"), ("io.stat", "8:0 rbytes=4096 wbytes=8192\n"),
                       ("cgroup.procs", ""), ("cgroup.events", "populated 1\nfrozen 0\n")):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)


def plug(world, vmid, number):
    """The node's end of a network cable."""
    counts = os.path.join(cable(world, vmid, number), "statistics")
    os.makedirs(counts, exist_ok=True)
    for name, count in (("rx_bytes", 1000), ("tx_bytes", 2000)):
        with open(os.path.join(counts, name), "w") as file:
            file.write("%d\n" % (count + number))


def failure(world, config, folder):
    """What lxc-start says when it cannot, or nothing."""
    vmid = config.vmid
    if os.path.exists(folder + ".corrupt"):
        return ["run_buffer: 322 Script exited with status 255",
                'lxc_init: 844 Failed to run lxc.hook.pre-start for container "%s"' % vmid,
                '__lxc_start: 2027 Failed to initialize container "%s"' % vmid]
    names = [dict(part.split("=", 1) for part in value.split(",")).get("name")
             for key, value in config.values.items() if key.startswith("net")]
    if len(names) != len(set(names)):
        name = next(name for name in names if names.count(name) > 1)
        return ['__netdev_configure_container_common: 1288 File exists - Failed to rename network device "veth%06x" to '
                '"%s"' % (os.getpid(), name),
                "lxc_setup_network_in_child_namespaces: 4017 File exists - Failed to setup netdev",
                "lxc_setup: 4396 Failed to setup network",
                'do_start: 1272 Failed to setup container "%s"' % vmid,
                "sync_wait: 34 An error occurred in another process (expected sequence number 3)",
                '__lxc_start: 2107 Failed to spawn container "%s"' % vmid]
    return []


def launch(folder, name, has_network):
    """Starts the first process; returns its id as the node sees it. What a run leaves in /run is gone with it."""
    shutil.rmtree(os.path.join(folder, "run"), ignore_errors=True)
    os.makedirs(os.path.join(folder, "run/lock"), exist_ok=True)
    receiver, sender = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.setsid()
        LIBC.unshare(NEW_UTS | NEW_PID | NEW_MOUNTS | (NEW_NET if has_network else 0))
        LIBC.sethostname(name.encode(), len(name.encode()))
        child = os.fork()
        if child == 0:
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nothing, descriptor)
            os.closerange(3, 256)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            LIBC.mount(None, b"/", None, PRIVATE, None)
            os.chroot(folder)
            os.chdir("/")
            LIBC.mount(b"proc", b"/proc", b"proc", 0, None)
            for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
                if not os.path.exists("/dev/" + name):
                    os.mknod("/dev/" + name, stat.S_IFCHR, os.makedev(1, minor))
                    os.chmod("/dev/" + name, 0o666)
            for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
                if not os.path.lexists("/dev/" + name):
                    os.symlink("/proc/self/" + target, "/dev/" + name)
            os.execve("/bin/sh", ["sh", "-c", INIT], {"PATH": "/bin", "container": "lxc"})
        os.write(sender, str(child).encode())
        os._exit(0)
    os.close(sender)
    pid = int(os.read(receiver, 32))
    os.waitpid(middle, 0)
    return pid


def stop(world, vmid):
    """At once, as by the kernel."""
    found = state(world, vmid)
    if found:
        os.kill(found["pid"], signal.SIGKILL)
        while birth(found["pid"]) == found["birth"]:
            time.sleep(0.005)
    shutil.rmtree(world.path("sys/fs/cgroup/lxc", str(vmid)), ignore_errors=True)
    for number in range(10):
        shutil.rmtree(cable(world, vmid, number), ignore_errors=True)
    try:
        os.unlink(state_file(world, vmid))
    except FileNotFoundError:
        return
    pending.apply(world, vmid)


def cable(world, vmid, number):
    return world.path("sys/class/net", "veth%si%s" % (vmid, number))


def shutdown(world, config, seconds):
    """Asks it to end; whether it has within the time. `etc/shutdown-delay` inside says how long it takes."""
    try:
        with open(os.path.join(root(world, config), "etc/shutdown-delay")) as file:
            takes = float(file.read() or 0)
    except FileNotFoundError:
        takes = 1.0
    if takes > seconds:
        world.wait(seconds)
        return False
    world.wait(takes)
    stop(world, config.vmid)
    return True


def execute(world, config, words, keeps_environment):
    """Becomes the command inside. Exits as it does."""
    found = state(world, config.vmid)
    if not found:
        raise Die("container '%s' not running!" % config.vmid)
    folder = root(world, config)
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container": "lxc",
                   "TERM": "linux"}
    if keeps_environment:
        environment = {**os.environ, "PATH": "/sbin:/bin:/usr/sbin:/usr/bin", "HOME": "/root", "TERM": "linux",
                       "LANG": "C.UTF-8", "container": "lxc"}
        environment.pop("PVE_EMULATOR_ROOT", None)
    spaces = [open("/proc/%d/ns/%s" % (found["pid"], name)) for name in ("uts", "pid_for_children", "net", "mnt")]
    for space in spaces:
        LIBC.setns(space.fileno(), 0)
        space.close()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.chroot(folder)
        os.makedirs("/root", exist_ok=True)
        os.chdir("/root")
        try:
            os.execvpe(words[0], words, environment)
        except FileNotFoundError:
            code, reason = 127, "No such file or directory"
        except PermissionError:
            code, reason = 126, "Permission denied"
        os.write(2, ("lxc-attach: %s: ../src/lxc/attach.c: lxc_attach_run_command: 1841 %s - Failed to exec \"%s\"\n"
                     % (config.vmid, reason, words[0])).encode())
        os._exit(code)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda one, _: os.kill(child, one))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def memory(found):
    """Resident bytes of the container's first process."""
    try:
        with open("/proc/%d/statm" % found["pid"]) as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        return 0
