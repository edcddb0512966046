"""`vzdump`."""

import fcntl
import io
import os
import re
import sys
import tarfile
import time

from . import conf, guest, locks, volumes
from .errors import Die
from .storage_tool import option
from .tasks import run, say


def main(world, words):
    ids = [word for word in words if re.fullmatch(r"\d+(,\d+)*", word)][:1]
    if not ids:
        print("400 Parameter verification failed.\nvmid: property is missing\nvzdump {<vmid>} [OPTIONS]",
              file=sys.stderr)
        return 255
    name = option(words, "storage") or "local"
    if "vzdump" in world["fail"]:
        print(world["fail"]["vzdump"], file=sys.stderr)
        return 255
    if "vzdump" in world["hang"]:
        time.sleep(world["hang"]["vzdump"])
    here = [vmid for vmid in ids[0].split(",") if os.path.exists(conf.file_of(world, vmid))]
    if not here:
        return 0
    try:
        volumes.storage(world, name)
    except Die as failure:
        print(failure.message, file=sys.stderr)
        return failure.code
    with open(world.path("run/vzdump.lock"), "a") as file:
        if not locks.take(file):
            print("trying to get global lock - waiting...", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
            print("got global lock", flush=True)
        return run(world, "vzdump", here[0], lambda: back_up(world, here, name, words))


def back_up(world, ids, name, words):
    say("INFO: starting new backup job: vzdump %s" % " ".join(words))
    failed = False
    for vmid in ids:
        try:
            one(world, vmid, name, words)
        except Die as failure:
            failed = True
            say("ERROR: Backup of VM %s failed - %s" % (vmid, failure.message))
    if failed:
        say("INFO: Backup job finished with errors")
        raise Die("job errors")
    say("INFO: Backup job finished successfully")


def one(world, vmid, name, words):
    started = time.time()
    say("INFO: Starting Backup of VM %s (lxc)" % vmid)
    say("INFO: Backup started at %s" % time.strftime("%Y-%m-%d %H:%M:%S"))
    with locks.guest(world, vmid):
        config = conf.load(world, vmid)
        config.check_lock()
        config.values["lock"] = "backup"
        config.save()
    if world["backup_nothing"]:
        config.values.pop("lock")
        config.save()
        return
    folder = world.folder(volumes.storage(world, name)["path"], "dump")
    ending = "tar.zst" if option(words, "compress") == "zstd" else "tar"
    file = "vzdump-lxc-%s-%s.%s" % (vmid, time.strftime("%Y_%m_%d-%H_%M_%S"), ending)
    try:
        size = archive(world, config, os.path.join(folder, file), name, option(words, "protected") == "1")
    finally:
        config = conf.load(world, vmid)
        config.values.pop("lock", None)
        config.save()
    say("INFO: status = %s" % ("running" if guest.is_running(world, vmid) else "stopped"))
    say("INFO: creating vzdump archive '%s/dump/%s'" % (volumes.storage(world, name)["path"], file))
    say("INFO: archive file size: %dMB" % (size >> 20))
    prune(folder, vmid, option(words, "prune-backups"))
    say("INFO: Finished Backup of VM %s (00:00:%02d)" % (vmid, time.time() - started))


def archive(world, config, path, name, is_protected):
    temporary = path + ".dat"
    world.wait(2)
    with tarfile.open(temporary, "w") as file:
        text = conf.section_text({key: value for key, value in config.values.items()
                                  if key not in ("lock", "parent")}).encode()
        entry = tarfile.TarInfo("./etc/vzdump/pct.conf")
        entry.size = len(text)
        file.addfile(entry, io.BytesIO(text))
        file.add(guest.root(world, config), arcname=".")
    size = os.path.getsize(temporary)
    if size > volumes.free(world, name):
        os.unlink(temporary)
        raise Die("command 'set -o pipefail && tar cpf - ...' failed: exit code 2: No space left on device")
    os.rename(temporary, path)
    if is_protected:
        open(path + ".protected", "w").close()
    return size


def prune(folder, vmid, wish):
    keep = re.search(r"keep-last=(\d+)", wish or "")
    if not keep:
        return
    mine = sorted(one for one in os.listdir(folder) if one.startswith("vzdump-lxc-%s-" % vmid))
    for old in mine[:-int(keep[1])]:
        os.unlink(os.path.join(folder, old))
