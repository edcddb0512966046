"""Verbs that make and remove containers."""

import contextlib
import os
import shutil
import signal
import tarfile
import time

from . import conf, guest, ha, locks, volumes
from .errors import Die
from .params import is_on
from .tasks import Interrupted, record, run, say, warn

NOT_IN_CONFIG = {"storage", "password", "ssh-public-keys", "pool", "start", "bwlimit", "force", "unique", "ha-managed",
                 "ignore-unpack-errors", "restore"}


def create(world, positional, options):
    vmid, template = positional["vmid"], positional["ostemplate"]
    taken(world, vmid, 2)
    if not world["quorum"]:
        raise Die("cluster not ready - no quorum?", 2)
    volumes.storage(world, options.get("storage", "local"))
    if ":" in template and not template.startswith("/"):
        volumes.storage(world, template.split(":")[0])
    for key, value in options.items():
        if key == "rootfs" or key.startswith("mp"):
            name = conf.properties(value, "volume")["volume"]
            if ":" in name:
                volumes.storage(world, name.split(":")[0])
    return run(world, "vzcreate", vmid, lambda: Creation(world, vmid, template, options).work())


def taken(world, vmid, code):
    found = conf.owner(world, vmid)
    if found:
        raise Die("%s %s already exists on node '%s'" % (found[0], vmid, found[1]), code)


class Creation:
    def __init__(self, world, vmid, template, options):
        self.world, self.vmid, self.template, self.options = world, vmid, template, options
        self.made = []

    def work(self):
        with locks.guest(self.world, self.vmid, 5):
            taken(self.world, self.vmid, 2)
            config = conf.Guest(self.world, self.vmid, {"": {"lock": "create"}})
            config.save()
            try:
                os.makedirs(self.world.path("var/lib/lxc", self.vmid, "rootfs"), exist_ok=True)
                self.fill(config)
            except (Die, Interrupted) as failure:
                if isinstance(failure, Interrupted) and failure.message == "broken pipe " and os.getppid() == 1:
                    raise
                self.roll_back()
                if failure.message in ("broken pipe ", "received interrupt") and failure.message[0] == "b":
                    raise
                raise Die("unable to create CT %s - %s" % (self.vmid, self.reason(failure)))
        if is_on(self.options, "start"):
            self.start(conf.load(self.world, self.vmid))

    def reason(self, failure):
        if isinstance(failure, Interrupted):
            return "command '%s' failed: received interrupt" % self.extraction()
        return failure.message

    def fill(self, config):
        values = {key: value for key, value in self.options.items() if key not in NOT_IN_CONFIG}
        default = self.options.get("storage", "local")
        values.setdefault("rootfs", "%s:4" % default)
        for key in [key for key in values if key == "rootfs" or key.startswith("mp")]:
            values[key], made = volumes.realise(self.world, self.vmid, key, values[key], default)
            if made:
                self.made.append(made)
        for key in [key for key in values if key.startswith("net")]:
            values[key] = conf.network(values[key])
        archive = self.archive()
        volid = conf.properties(values["rootfs"], "volume")["volume"]
        folder = volumes.tree(self.world, volid)
        mount(self.world, self.vmid)
        self.world.gate("create")
        facts = self.extract(archive, folder, volid)
        self.finish(config, values, facts, folder)

    def archive(self):
        if self.template.startswith("/"):
            if not os.path.exists(self.world.path(self.template)) and not os.path.exists(self.template):
                say("can't find file '%s'" % self.template)
                raise Die("can't find file '%s'" % self.template)
            return self.template
        name, rest = self.template.split(":", 1)
        shown = "%s/template/cache/%s" % (self.world["storages"][name].get("path", ""), rest.split("/")[-1])
        if not os.path.exists(self.world.path(shown)):
            say("volume '%s' does not exist" % self.template)
            raise Die("volume '%s' does not exist" % self.template)
        return shown

    def extraction(self):
        words = "tar xpf - --zstd --totals --one-file-system -p --sparse --numeric-owner --acls --xattrs " \
                "'--xattrs-include=user.*' '--xattrs-include=security.capability' '--warning=no-file-ignored' " \
                "'--warning=no-xattr-write' -C %s --skip-old-files --anchored --exclude './dev/*'" \
                % ("/var/lib/lxc/%s/rootfs" % self.vmid)
        if self.options.get("unprivileged", "1") == "1":
            words = "lxc-usernsexec -m u:0:100000:65536 -m g:0:100000:65536 -- " + words
        if "bwlimit" in self.options:
            words = "set -o pipefail && cstream -t %d | %s" % (int(self.options["bwlimit"]) * 1024, words)
        return words

    def extract(self, shown, folder, volid):
        real = self.world.path(shown)
        facts = template_facts(real)
        say("extracting archive '%s'" % shown)
        if volumes.storage(self.world, volid.split(":")[0])["type"] == "zfspool" \
                and self.options.get("unprivileged", "1") == "1" and not self.world["zfs_idmap"]:
            say("tar: unable to record current working directory: Permission denied")
            raise Die("command '%s' failed: exit code 2" % self.extraction())
        size = facts["bytes"]
        rate = int(self.options["bwlimit"]) * 1024 if "bwlimit" in self.options else 200 << 20
        started = time.monotonic()
        for _ in range(20):
            self.world.wait(facts["packed"] / rate / 20 if "bwlimit" in self.options else size / rate / 20)
        with tarfile.open(real) as archive:
            archive.extractall(folder)
        self.check_room(folder, volid, size)
        say("Total bytes read: %d (%dMiB, %dMiB/s)"
            % (size, -(-size >> 20), int((size >> 20) / max(time.monotonic() - started, 0.01))))
        return facts

    def check_room(self, folder, volid, size):
        """A volume that is too small stops tar; a storage that is too small corrupts the file system in silence."""
        name = volid.split(":")[0]
        room = int(volumes.fact(folder, "size", "0"))
        quota = volumes.storage(self.world, name)["type"] == "zfspool"
        if 0 < room < size:
            text = "Disk quota exceeded" if quota else "No space left on device"
            for number in range(self.world["flood"].get("tar", 11000)):
                say("tar: ./usr/share/locale/%d/LC_MESSAGES/libc.mo: Cannot write: %s" % (number, text))
            say("Total bytes read: %d (%dMiB, 200MiB/s)" % (size, -(-size >> 20)))
            say("tar: Exiting with failure status due to previous errors")
            raise Die("command '%s' failed: exit code 2" % self.extraction())
        volumes.fill(self.world, name, volid, size)

    def finish(self, config, values, facts, folder):
        say("Detected container architecture: %s" % facts["arch"])
        host = values.get("hostname", "localhost")
        for kind in ("ecdsa", "ed25519", "rsa"):
            say("Creating SSH host key 'ssh_host_%s_key' - this may take some time ..." % kind)
            say("done: SHA256:%s root@%s" % (os.urandom(16).hex(), host))
        volumes.set_fact(folder, "systemd", facts["systemd"])
        with open(os.path.join(folder, "etc/hostname"), "w") as file:
            file.write(host + "\n")
        if "ssh-public-keys" in self.options:
            os.makedirs(os.path.join(folder, "root/.ssh"), exist_ok=True)
            shutil.copy(self.options["ssh-public-keys"], os.path.join(folder, "root/.ssh/authorized_keys"))
        values.update({"arch": facts["arch"], "ostype": values.get("ostype", facts["ostype"])})
        values.setdefault("memory", "512")
        values.setdefault("swap", "512")
        if values.setdefault("unprivileged", "1") == "0":
            del values["unprivileged"]
        if "tags" in values:
            values["tags"] = tags(values["tags"])
        config.sections[""] = values
        unmount(self.world, self.vmid)
        config.save()
        guest.systemd_warning(config, folder)
        if is_on(self.options, "ha-managed"):
            ha.add(self.world, self.vmid, "started" if is_on(self.options, "start") else "stopped")

    def roll_back(self):
        unmount(self.world, self.vmid)
        for volid in self.made:
            volumes.remove(self.world, volid, quiet=True)
        for volid in volumes.of_guest(self.world, self.vmid):
            volumes.remove(self.world, volid, quiet=True)
        try:
            conf.forget(self.world, self.vmid)
        except (Die, FileNotFoundError):
            pass

    def start(self, config):
        """A start that fails is only told in the log."""
        try:
            guest.start(self.world, config)
        except Die as failure:
            say(failure.message)


def template_facts(path):
    import json
    facts = {"bytes": 189030400, "packed": 66454450, "arch": "amd64", "ostype": "debian", "systemd": 252}
    try:
        with open(path + ".json") as file:
            facts.update(json.load(file))
    except FileNotFoundError:
        pass
    return facts


def tags(text):
    return ";".join(sorted(set(one for one in text.replace(",", ";").replace(" ", ";").split(";") if one)))


def mounts(world):
    try:
        with open(world.path("proc/mounts")) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def mount(world, vmid):
    lines = mounts(world) + ["/dev/loop%s /var/lib/lxc/%s/rootfs ext4 rw,relatime 0 0" % (vmid, vmid)]
    write_mounts(world, lines)


def unmount(world, vmid):
    write_mounts(world, [line for line in mounts(world) if "/var/lib/lxc/%s/" % vmid not in line])


def write_mounts(world, lines):
    path = world.path("proc/mounts")
    with open("%s.%d" % (path, os.getpid()), "w") as file:
        file.write("".join(line + "\n" for line in lines))
    os.rename("%s.%d" % (path, os.getpid()), path)


def destroy(world, positional, options):
    vmid = positional["vmid"]
    config = conf.load(world, vmid)
    refuse(world, config, options)
    return run(world, "vzdestroy", vmid, lambda: destruction(world, vmid, options))


def refuse(world, config, options):
    if ha.is_managed(world, config.vmid) and not is_on(options, "purge"):
        raise Die("unable to remove CT %s - used in HA resources and purge parameter not set." % config.vmid)
    if config.values.get("protection") == "1":
        raise Die("can't remove CT %s - protection mode enabled" % config.vmid)
    config.check_lock()
    if guest.is_running(world, config.vmid) and not is_on(options, "force"):
        raise Die("unable to destroy CT %s - container is running" % config.vmid)


def destruction(world, vmid, options):
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        refuse(world, config, options)
        if is_on(options, "force") and guest.is_running(world, vmid):
            say("forced to stop CT %s before destroying!" % vmid)
            guest.stop(world, vmid)
            config = conf.load(world, vmid)
        world.wait(0.3)
        for one in sorted(config.volumes.items(), key=lambda one: (one[0] != "rootfs", one[0])):
            volumes.remove(world, one[1]["volume"])
        if is_on(options, "destroy-unreferenced-disks"):
            # Only now, when the container's own are gone.
            volumes.search(world)
            for volid in volumes.of_guest(world, vmid):
                volumes.remove(world, volid, quiet=True)
        if is_on(options, "purge"):
            say("purging CT %s from related configurations.." % vmid)
            if ha.is_managed(world, vmid):
                ha.remove(world, vmid)
                say("NOTE: removed CT %s from HA resource configuration." % vmid)
        conf.forget(world, vmid)


def clone(world, positional, options):
    vmid, new = positional["vmid"], positional["newid"]
    conf.load(world, vmid)
    if "storage" in options:
        volumes.storage(world, options["storage"])
    if not world["quorum"]:
        raise Die("cluster not ready - no quorum?")
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        config.check_lock()
        config.values["lock"] = "disk"
        config.save()
    cloning = Cloning(world, vmid, new, options)
    try:
        with locks.guest(world, new):
            taken(world, new, 255)
            conf.Guest(world, new, {"": {"lock": "create"}}).save()
    except Die:
        cloning.release_source()
        raise
    try:
        cloning.prepare(config)
    except Die:
        cloning.release_source()
        conf.forget(world, new)
        raise
    return run(world, "vzclone", vmid, cloning.work)


class Cloning:
    """A copy at work: the source has the lock `disk`, the target `create`. The task is filed under the source alone, and
    nothing holds the target's file lock while the data are copied."""

    def __init__(self, world, vmid, new, options):
        self.world, self.vmid, self.new, self.options = world, vmid, new, options
        self.disks, self.made, self.is_linked = {}, [], False

    def prepare(self, config):
        world, vmid, options = self.world, self.vmid, self.options
        source = config.values
        is_running = guest.is_running(world, vmid)
        self.is_linked = source.get("template") == "1" and not is_on(options, "full")
        if "snapname" in options:
            if options["snapname"] not in config.snapshots:
                raise Die("snapshot '%s' does not exist" % options["snapname"], 2)
            source = config.snapshots[options["snapname"]]
        values = {}
        for key, value in source.items():
            if key == "rootfs" or key.startswith("mp"):
                self.disks[key] = self.disk(key, value, is_running)
            elif key.startswith("net"):
                table = conf.properties(value)
                table.pop("hwaddr", None)
                values[key] = conf.network(",".join("%s=%s" % one for one in table.items()))
            elif not key.startswith("unused") and key not in ("parent", "snaptime", "snapstate", "template"):
                values[key] = value
        values["lock"] = "create"
        values.update({key: options[key] for key in ("hostname", "description") if key in options})
        with self.target() as config:
            config.sections[""] = values

    def disk(self, key, value, is_running):
        table = conf.properties(value, "volume")
        if ":" not in table["volume"]:
            raise Die("unable to clone mountpoint '%s' (type bind)" % key)
        if not self.is_linked and is_running and "snapname" not in self.options:
            raise Die("Full clone of a running container is only possible from a snapshot", 2)
        if self.is_linked and volumes.storage(self.world, table["volume"].split(":")[0])["type"] == "dir":
            raise Die("Linked clone feature for '%s' is not available" % table["volume"], 2)
        return table

    @contextlib.contextmanager
    def target(self):
        """The configuration of the copy, which has to have kept its lock."""
        with locks.guest(self.world, self.new):
            config = conf.load(self.world, self.new)
            if config.values.get("lock") != "create":
                raise Die("Lost 'create' config lock, aborting.")
            yield config
            config.save()

    def release_source(self):
        with locks.guest(self.world, self.vmid):
            config = conf.load(self.world, self.vmid)
            if config.values.get("lock") == "disk":
                del config.values["lock"]
                config.save()

    def work(self):
        try:
            say("creating a clone of container %s with ID %s" % (self.vmid, self.new))
            for key in sorted(self.disks, reverse=True):
                self.copy(key, self.disks[key])
        except (Die, Interrupted) as failure:
            self.release_source()
            for volid in self.made:
                volumes.remove(self.world, volid, quiet=True)
            self.drop()
            raise Die("clone failed: %s" % failure.message.replace("received interrupt", "interrupted by signal"))
        self.release_source()
        with self.target() as config:
            del config.values["lock"]
        guest.systemd_warning(config, guest.root(self.world, config))

    def drop(self):
        """One that has lost its lock stays, without its disks."""
        try:
            with self.target():
                pass
            conf.forget(self.world, self.new)
        except Die as lost:
            say("Failed to remove target CT config - %s" % lost.message)

    def copy(self, key, table):
        world, volid = self.world, table["volume"]
        say("create %s clone of mountpoint %s (%s)" % ("linked" if self.is_linked else "full", key, volid))
        name = self.options.get("storage", volid.split(":")[0])
        if "snapname" in self.options and volumes.storage(world, volid.split(":")[0])["type"] == "btrfs":
            if ".subvol" in volid:
                say("Specified filename /var/lib/lxc/%s/.copy-volume-1 does not exist." % self.new)
                raise Die("cannot mount subvol snapshots for storage type 'btrfs'")
        new = volumes.allocate(world, name, self.new, conf.size_bytes(table.get("size", "0T")))
        self.made.append(new)
        world.gate("clone")
        folder, old = volumes.tree(world, new), volumes.tree(world, volid)
        shutil.rmtree(folder)
        rate = int(self.options.get("bwlimit", 80 << 10)) * 1024
        for _ in range(20):
            world.wait(189030400 / rate / 20)
        volumes.copy(old, folder)
        volumes.set_fact(folder, "systemd", volumes.fact(old, "systemd", "0"))
        volumes.fill(world, name, new, int(volumes.fact(old, "bytes", "0")))
        if not self.is_linked:
            statistics(9482, 185962337)
        with self.target() as config:
            config.values[key] = conf.property_text({**table, "volume": new}, "volume")


def statistics(files, size):
    say("")
    for line in ("Number of files: %s (reg: 7,586, dir: 990, link: 906)" % format(files, ","),
                 "Number of created files: %s (reg: 7,586, dir: 989, link: 906)" % format(files - 1, ","),
                 "Number of deleted files: 0", "Number of regular files transferred: 7,584",
                 "Total file size: %s bytes" % format(size, ","),
                 "Total transferred file size: %s bytes" % format(size - 3821658, ","),
                 "Literal data: %s bytes" % format(size - 3821658, ","), "Matched data: 0 bytes",
                 "File list size: 589,794", "File list generation time: 0.001 seconds",
                 "File list transfer time: 0.000 seconds", "Total bytes sent: %s" % format(size - 3218604, ","),
                 "Total bytes received: 152,295", "",
                 "sent %s bytes  received 152,295 bytes  73,158,411.20 bytes/sec" % format(size - 3218604, ","),
                 "total size is %s  speedup is 1.02" % format(size, ",")):
        say(line)


def template(world, positional, options):
    vmid = positional["vmid"]
    conf.load(world, vmid)
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        config.check_lock()
        if config.values.get("template") == "1":
            raise Die("you can't convert a template to a template")
        if config.snapshots:
            raise Die("unable to create template, because CT contains snapshots")
        if guest.is_running(world, vmid):
            raise Die("you can't convert a CT to template if the CT is running")
        table = conf.properties(config.values["rootfs"], "volume")
        new = table["volume"].replace("/vm-", "/base-").replace("/subvol-", "/basevol-").replace(":subvol-", ":basevol-")
        volumes.rename(world, table["volume"], new)
        table["volume"] = new
        config.values["rootfs"] = conf.property_text(table, "volume")
        config.values["template"] = "1"
        config.save()
    return 0


def unlock(world, positional, options):
    vmid = positional["vmid"]
    conf.load(world, vmid)
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        if "lock" not in config.values:
            raise Die("no lock found trying to remove any lock")
        del config.values["lock"]
        config.save()
    return 0
