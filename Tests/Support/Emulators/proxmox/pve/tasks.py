"""Tasks: a worker of its own whose output the tool copies to its standard output, whose end it tells on standard error."""

import os
import signal
import sys
import time

from .errors import Die
from . import guest


class Interrupted(Exception):
    """The worker was told to end, or its reader went away."""

    def __init__(self, message):
        super().__init__(message)
        self.message = message


warnings = 0


def warn(text):
    global warnings
    warnings += 1
    say("WARN: " + text)


def say(text, end="\n"):
    """A line of the task's log. A reader that has gone ends the task."""
    try:
        sys.stdout.write(text + end)
        sys.stdout.flush()
    except BrokenPipeError:
        raise Interrupted("broken pipe ")


def upid(world, kind, vmid, pid, start):
    """The name of a task: its process, when that and the task began, and the guest that the task is filed under."""
    birth = int(guest.birth(pid) or 0)
    return "UPID:%s:%08X:%08X:%08X:%s:%s:root@pam:" % (world.node, pid, birth, start, kind, vmid)


def log_of(world, name):
    """The file of a task's log, in a folder by the last digit of the time at which it began."""
    return os.path.join(world.folder("var/log/pve/tasks", name.split(":")[4][-1]), name)


def record(world, name, status=None):
    """The list of tasks, as `active` has it: one line each, ended ones with time and status."""
    path = world.path("var/log/pve/tasks/active")
    try:
        with open(path) as file:
            lines = [line for line in file.read().splitlines() if not line.startswith(name)]
    except FileNotFoundError:
        lines = []
    lines.append(name + (" 0" if status is None else " 1 %08X %s" % (int(time.time()), status)))
    temporary = "%s.%d" % (path, os.getpid())
    with open(temporary, "w") as file:
        file.write("\n".join(lines[-50:]) + "\n")
    os.rename(temporary, path)


def run(world, kind, vmid, work, tells_failure=True):
    """Runs `work` in a worker and exits as the tool does.

    A task whose failure is not told exits 0 with its message on standard error. TERM and INT to the tool go to the worker,
    which rolls back; KILL leaves the worker alone until it writes again.
    """
    sys.stdout.flush()
    output, error, ready = os.pipe(), os.pipe(), os.pipe()
    start = int(time.time())
    ends = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    # Neither of the two may die of a signal before it can pass it on.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    pid = os.fork()
    if pid == 0:
        # Its work begins when it is on the list of tasks.
        os.close(ready[1])
        os.read(ready[0], 1)
        worker(world, work, output, error)
    os.close(ready[0])
    os.close(output[1])
    os.close(error[1])
    name = upid(world, kind, vmid, pid, start)
    world.show(pid, ["task " + name])
    record(world, name)
    os.close(ready[1])
    for number in ends:
        signal.signal(number, lambda *_: os.kill(pid, signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)
    with open(log_of(world, name), "wb", buffering=0) as log:
        copy(output[0], pid, log)
    message = b""
    while chunk := os.read(error[0], 65536):
        message += chunk
    _, status = os.waitpid(pid, 0)
    world.hide(pid)
    text = message.decode()
    found = os.waitstatus_to_exitcode(status)
    record(world, name, "OK" if found == 0 else text.replace("\n", " "))
    if found == 0:
        if text:
            print("Task finished with %s warning(s)!" % text, file=sys.stderr)
        return 0
    print(text.replace("\n", " ") if text else "unexpected end of task", file=sys.stderr)
    return (255 if found != 1 else 255) if tells_failure else 0


def copy(source, worker_pid, log):
    broken = False
    while chunk := os.read(source, 65536):
        log.write(chunk)
        if broken:
            continue
        try:
            os.write(1, chunk)
        except BrokenPipeError:
            broken = True
            os.kill(worker_pid, signal.SIGUSR1)


def worker(world, work, output, error):
    """Never returns."""
    os.setsid()
    os.close(output[0])
    os.close(error[0])
    os.dup2(output[1], 1)
    os.dup2(output[1], 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def interrupted(number, _):
        raise Interrupted("broken pipe " if number == signal.SIGUSR1 else "received interrupt")

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, interrupted)
    code, message = 0, ""
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        work()
        message = str(warnings) if warnings else ""
    except Die as failure:
        code, message = 1, failure.message
    except Interrupted as failure:
        code, message = 1, failure.message
    try:
        sys.stdout.flush()
        os.write(error[1], message.encode())
    except OSError:
        pass
    os._exit(code)
