"""A container's network where the settings ask for one: a namespace of its own, and a pair of cables to the node."""

import subprocess

#: The node's end where net0 names no gateway.
NODE = "169.254.1.1"


def join(config, pid):
    """Gives the container net0's address. The node reaches it, and it reaches the node at its gateway's address. The cables
    go with the namespace. A machine that does not allow it leaves the container with nothing but itself."""
    run(pid, "link set lo up")
    fields = dict(part.split("=", 1) for part in config.values.get("net0", "").split(",") if "=" in part)
    address = fields.get("ip", "")
    if "/" not in address:
        return
    gateway, inside, cable = fields.get("gw", NODE), fields.get("name", "eth0"), "ve%d" % pid
    if run(None, "link add %s type veth peer name %s netns %d" % (cable, inside, pid)):
        return
    if "hwaddr" in fields:
        run(pid, "link set %s address %s" % (inside, fields["hwaddr"]))
    run(None, "addr add %s/32 dev %s" % (gateway, cable))
    run(None, "link set %s up" % cable)
    run(None, "route replace %s/32 dev %s src %s" % (address.split("/")[0], cable, gateway))
    run(pid, "addr add %s dev %s" % (address, inside))
    run(pid, "link set %s up" % inside)
    run(pid, "route replace default via %s dev %s onlink" % (gateway, inside))


def run(pid, words):
    """`ip`, in the namespace of a process where one is named."""
    way = ["nsenter", "-t", str(pid), "-n"] if pid else []
    return subprocess.run(way + ["ip"] + words.split(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode
