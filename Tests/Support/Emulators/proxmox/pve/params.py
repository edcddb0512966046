"""Reading a command line as the tools do: options anywhere, each checked against its kind."""

import os
import re

from .errors import BadCall, BadParameter

DNS = r"(?i)(?=.{1,255}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
NIC_KEYS = {"name", "bridge", "ip", "gw", "ip6", "gw6", "hwaddr", "firewall", "tag", "trunks", "rate", "mtu",
            "link_down", "host-managed", "type"}
FEATURE_KEYS = {"nesting", "keyctl", "fuse", "mknod", "mount", "force_rw_sys"}


def integer(minimum=None, maximum=None):
    def check(field, text):
        if not re.fullmatch(r"-?\d+", text):
            raise BadParameter(field, "type check ('integer') failed - got '%s'" % text)
        if minimum is not None and int(text) < minimum:
            raise BadParameter(field, "value must have a minimum value of %d" % minimum)
        if maximum is not None and int(text) > maximum:
            raise BadParameter(field, "value must have a maximum value of %d" % maximum)
    return check


def number(field, text):
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise BadParameter(field, "type check ('number') failed - got '%s'" % text)


def boolean(field, text):
    if text not in ("0", "1", "yes", "no", "on", "off", "true", "false"):
        raise BadParameter(field, "type check ('boolean') failed - got '%s'" % text)


def text(field, value):
    pass


def vmid(field, value):
    integer()(field, value)
    if not re.fullmatch(r"[1-9][0-9]{2,8}", value):
        raise BadParameter(field, "invalid format - value does not look like a valid VM ID\n")


def hostname(field, value):
    if not re.fullmatch(DNS, value):
        raise BadParameter(field, "invalid format - value does not look like a valid DNS name\n")


def snapname(field, value):
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_-]+", value) or len(value) > 40:
        raise BadParameter(field, "invalid format - invalid configuration ID '%s'\n" % value)


def size(field, value):
    if not re.fullmatch(r"\+?\d+(\.\d+)?[KMGT]?", value):
        raise BadParameter(field, "value does not match the regex pattern")


def password(field, value):
    if len(value) < 5:
        raise BadParameter(field, "value must be at least 5 characters long")


def keyed(field, value, allowed, required=()):
    table = {}
    for part in value.split(","):
        key, _, one = part.partition("=")
        if key not in allowed:
            raise BadParameter(field, "invalid format - format error\n%s.%s: property is not defined in schema and the "
                               "schema does not allow additional properties\n" % (field, key))
        table[key] = one
    for key in required:
        if key not in table:
            raise BadParameter(field, "invalid format - format error\n%s.%s: property is missing and it is not "
                               "optional\n" % (field, key))
    return table


def nic(field, value):
    table = keyed(field, value, NIC_KEYS, ("name",))
    address = table.get("ip")
    if address and address not in ("dhcp", "manual"):
        octets = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)\.(\d+)/(\d+)", address)
        if not octets or any(int(one) > 255 for one in octets.groups()[:4]) or int(octets[5]) > 32:
            raise BadParameter(field, "invalid format - format error\n%s.ip: invalid format - value does not look like a "
                               "valid ipv4 network configuration\n\n" % field)


def features(field, value):
    keyed(field, value, FEATURE_KEYS)


def key_file(field, value):
    from .errors import Die
    if not os.path.exists(value):
        raise Die("can't open '%s' - No such file or directory" % value, 2)


GUEST_OPTIONS = {
    "hostname": hostname, "memory": integer(16), "swap": integer(0), "cores": integer(1, 8192), "cpulimit": number,
    "cpuunits": integer(0), "description": text, "tags": text, "onboot": boolean, "protection": boolean,
    "startup": text, "nameserver": text, "searchdomain": text, "features": features, "ostype": text, "arch": text,
    "rootfs": text, "unprivileged": boolean, "timezone": text, "hookscript": text, "console": boolean, "cmode": text,
    "tty": integer(0, 6), "template": boolean,
}
CREATE_OPTIONS = {
    **GUEST_OPTIONS, "storage": text, "password": password, "ssh-public-keys": key_file, "pool": text,
    "start": boolean, "bwlimit": integer(0), "force": boolean, "unique": boolean, "ha-managed": boolean,
    "ignore-unpack-errors": boolean, "restore": boolean,
}
#: Verb to (positional parameters, options). A parameter in brackets may be left out.
VERBS = {
    "list": ([], {}),
    "status": (["vmid"], {"verbose": boolean}),
    "config": (["vmid"], {"current": boolean, "snapshot": text}),
    "pending": (["vmid"], {}),
    "set": (["vmid"], {**GUEST_OPTIONS, "delete": text, "revert": text, "digest": text, "net": nic}),
    "create": (["vmid", "ostemplate"], CREATE_OPTIONS),
    "restore": (["vmid", "ostemplate"], CREATE_OPTIONS),
    "destroy": (["vmid"], {"force": boolean, "purge": boolean, "destroy-unreferenced-disks": boolean}),
    "start": (["vmid"], {"debug": boolean, "skiplock": boolean}),
    "stop": (["vmid"], {"overrule-shutdown": boolean, "skiplock": boolean}),
    "shutdown": (["vmid"], {"timeout": integer(0), "forceStop": boolean}),
    "reboot": (["vmid"], {"timeout": integer(0)}),
    "suspend": (["vmid"], {}),
    "resume": (["vmid"], {}),
    "clone": (["vmid", "newid"], {"hostname": hostname, "full": boolean, "storage": text, "target": text,
                                  "snapname": text, "pool": text, "bwlimit": integer(0), "description": text}),
    "migrate": (["vmid", "target"], {"online": boolean, "restart": boolean, "timeout": integer(0),
                                     "target-storage": text, "bwlimit": integer(0)}),
    "move-volume": (["vmid", "volume", "[storage]"], {"delete": boolean, "bwlimit": integer(0)}),
    "snapshot": (["vmid", "snapname"], {"description": text}),
    "delsnapshot": (["vmid", "snapname"], {"force": boolean}),
    "rollback": (["vmid", "snapname"], {"start": boolean}),
    "listsnapshot": (["vmid"], {}),
    "resize": (["vmid", "disk", "size"], {"digest": text}),
    "push": (["vmid", "file", "destination"], {"user": text, "group": text, "perms": text}),
    "pull": (["vmid", "path", "destination"], {"user": text, "group": text, "perms": text}),
    "template": (["vmid"], {}),
    "exec": (["vmid"], {"keep-env": boolean}),
    "unlock": (["vmid"], {}),
    "mount": (["vmid"], {}),
    "unmount": (["vmid"], {}),
    "df": (["vmid"], {}),
    "fsck": (["vmid"], {"device": text, "force": boolean}),
    "fstrim": (["vmid"], {"ignore-mountpoints": boolean}),
    "rescan": ([], {"vmid": vmid, "dryrun": boolean}),
    "cpusets": ([], {}),
}
POSITIONAL = {"vmid": vmid, "newid": vmid, "snapname": snapname, "size": size}


def usage(verb):
    positional, options = VERBS[verb]
    words = ["<%s>" % name if name[0] != "[" else "[<%s>]" % name[1:-1] for name in positional]
    if verb == "exec":
        words.append("[<extra-args>]")
    tail = " [OPTIONS]" if options else (" " if not words else "")
    return "pct %s%s%s" % (verb, "".join(" " + word for word in words), tail)


def kind_of(verb, name):
    """The check of an option, or None when the verb does not know it."""
    options = VERBS[verb][1]
    if name in options:
        return options[name]
    if options.get("memory") and re.fullmatch(r"net\d+", name):
        return nic
    if options.get("memory") and re.fullmatch(r"(mp|unused|dev)\d+", name):
        return text
    return None


def parse(verb, words):
    """Returns (positional table, options, words after `--`)."""
    options, rest, extra = {}, [], []
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            extra = words
            break
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        kind = kind_of(verb, name)
        if kind is None:
            raise BadCall("Unknown option: %s\n400 unable to parse option" % name)
        if not equals:
            if kind is boolean:
                value = words.pop(0) if words and words[0] in ("0", "1") else "1"
            elif words:
                value = words.pop(0)
            else:
                raise BadCall("Option %s requires an argument\n400 unable to parse option" % name)
        options[name] = value
    return assign(verb, rest), checked(verb, options), extra


def assign(verb, rest):
    names = VERBS[verb][0]
    needed = [name for name in names if name[0] != "["]
    if len(rest) < len(needed):
        raise BadCall("400 not enough arguments")
    if len(rest) > len(names) and verb != "exec":
        raise BadCall("400 too many arguments")
    table = {}
    for name, value in zip(names, rest):
        name = name.strip("[]")
        if name in POSITIONAL:
            POSITIONAL[name](name, value)
        table[name] = value
    return table


def checked(verb, options):
    for name, value in options.items():
        kind_of(verb, name)(name, value)
    return options


def is_on(options, name):
    return options.get(name, "0") in ("1", "yes", "on", "true")
