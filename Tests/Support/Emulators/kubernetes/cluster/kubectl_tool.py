"""`kubectl`: lists of objects, events and logs of the emulated cluster."""

import json
import sys
import time

from . import charts, objects
from .options import parse
from .world import Failure

GLOBAL = ["--namespace", "--kubeconfig", "--context", "--request-timeout"]
VERBS = {
    "version": ([], ["--output"]),
    "get": ([], ["--output", "--selector"]),
    "create": ([], ["--output", "--filename"]),
    "delete": (["--wait", "--ignore-not-found"], ["--timeout"]),
    "logs": (["--prefix", "--all-containers", "--previous", "--follow"],
             ["--tail", "--container", "--since", "--limit-bytes"]),
}
KINDS = {
    "pods": "Pod", "deployments.apps": "Deployment", "replicasets.apps": "ReplicaSet", "statefulsets.apps": "StatefulSet",
    "daemonsets.apps": "DaemonSet", "jobs.batch": "Job", "ingresses.networking.k8s.io": "Ingress",
    "persistentvolumeclaims": "PersistentVolumeClaim", "services": "Service", "events": "Event",
    "secrets": "Secret", "namespaces": "Namespace",
}


def main(world, words):
    if not words or words[0] not in VERBS:
        raise Failure('error: unknown command "%s" for "kubectl"' % (words[0] if words else ""))
    world.verb = words[0]
    operands, options = parse(words[1:], VERBS[words[0]][0], VERBS[words[0]][1] + GLOBAL)
    options["given"] = sys.stdin.read() if options.get("--filename") == "-" else None
    world.disturb()
    world.wait(0.1)
    return globals()["do_" + words[0]](world, operands, options)


def do_version(world, operands, options):
    with world.request():
        print(json.dumps({"clientVersion": {"gitVersion": "v1.34.0"}, "serverVersion": {"gitVersion": "v1.33.2+k3s1"}}))


def do_get(world, operands, options):
    wanted = []
    for word in operands[0].split(","):
        if word not in KINDS:
            raise Failure('error: the server doesn\'t have a resource type "%s"' % word.partition(".")[0])
        wanted.append(KINDS[word])
    if len(operands) > 1:
        return do_get_one(world, wanted[0], operands[1], options)
    with world.request() as state:
        charts.control(world, state)
        space = state["namespaces"].get(options["--namespace"], {"objects": []})
        shown = [charts.show(world, space, one) if one.get("real") else objects.age(world, one) for one in space["objects"]]
    items = events(world, shown) if wanted == ["Event"] else [one for one in shown if one["kind"] in wanted]
    if "--selector" in options:
        key, _, value = options["--selector"].partition("=")
        items = [one for one in items if one["metadata"]["labels"].get(key) == value]
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def do_get_one(world, kind, name, options):
    with world.request() as state:
        charts.control(world, state)
        if kind == "Namespace":
            found = [charts.namespace(world, name, state["namespaces"][name])] if name in state["namespaces"] else []
        else:
            space = state["namespaces"].get(options["--namespace"], {"objects": []})
            found = [one for one in space["objects"] if one["kind"] == kind and one["metadata"]["name"] == name]
    if not found:
        plural = {"Namespace": "namespaces", "Secret": "secrets"}.get(kind, kind.lower() + "s")
        raise Failure('Error from server (NotFound): %s "%s" not found' % (plural, name))
    print(json.dumps({key: value for key, value in found[0].items() if key not in ("made", "real")}))


def do_create(world, operands, options):
    given = json.loads(options["given"])
    kind, name = given["kind"], given["metadata"]["name"]
    with world.request() as state:
        if kind == "Namespace":
            if name in state["namespaces"]:
                raise Failure('Error from server (AlreadyExists): namespaces "%s" already exists' % name)
            state["namespaces"][name] = {"objects": [], "metadata": given["metadata"]}
        else:
            space = state["namespaces"].get(options["--namespace"])
            if space is None:
                raise Failure('Error from server (NotFound): namespaces "%s" not found' % options["--namespace"])
            if any(one["kind"] == kind and one["metadata"]["name"] == name for one in space["objects"]):
                raise Failure('Error from server (AlreadyExists): %ss "%s" already exists' % (kind.lower(), name))
            charts.keep_object(state, options["--namespace"], given)
    world.go_away("made")
    print("%s/%s created" % (kind.lower(), name))


def do_delete(world, operands, options):
    with world.request() as state:
        if operands[1] not in state["namespaces"]:
            raise Failure('Error from server (NotFound): namespaces "%s" not found' % operands[1])
        state["namespaces"][operands[1]].setdefault("ends", time.time())
    world.go_away("pending")
    print('namespace "%s" deleted' % operands[1])


def events(world, shown):
    found = []
    for one in shown:
        for message in one.get("refused", []):
            found.append({"kind": "Event", "metadata": {"name": one["metadata"]["name"] + ".18", "labels": {}}, "type": "Warning",
                          "reason": "FailedCreate", "message": message, "count": 1, "lastTimestamp": objects.stamp(),
                          "involvedObject": {"kind": one["kind"], "name": one["metadata"]["name"], "uid": one["metadata"]["uid"]}})
        if one["kind"] != "Pod":
            continue
        reason = {"ready": ("Normal", "Started", "Started container main"),
                  "Pending": ("Warning", "FailedScheduling", "0/1 nodes are available: 1 Insufficient memory.")}.get(
                      world["pods"], ("Warning", "BackOff", "Back-off restarting failed container main"))
        found.append({"kind": "Event", "metadata": {"name": one["metadata"]["name"] + ".17", "labels": {}}, "type": reason[0],
                      "reason": reason[1], "message": reason[2], "count": 3, "lastTimestamp": objects.stamp(),
                      "involvedObject": {"kind": "Pod", "name": one["metadata"]["name"], "uid": one["metadata"]["uid"]}})
    return found


def do_logs(world, operands, options):
    name = operands[0].removeprefix("pod/")
    with world.request() as state:
        found = [one for one in state["namespaces"].get(options["--namespace"], {"objects": []})["objects"]
                 if one["kind"] == "Pod" and one["metadata"]["name"] == name]
        if not found:
            raise Failure('Error from server (NotFound): pods "%s" not found' % name)
        status = objects.age(world, found[0])["status"]
    container = (status.get("containerStatuses") or [{"name": "main", "state": {"waiting": {"reason": "Pending"}}}])[0]
    if options.get("--previous") and "lastState" not in container:
        raise Failure('Error from server (BadRequest): previous terminated container "main" in pod "%s" not found' % name)
    if container["state"].get("waiting", {}).get("reason") == "ContainerCreating":
        raise Failure('Error from server (BadRequest): container "main" in pod "%s" is waiting to start: ContainerCreating' % name)
    lines = [line % name if "%s" in line else line for line in world["log"]]
    if options.get("--previous"):
        lines = ["last words of " + name]
    tail = int(options.get("--tail", -1))
    front = "[pod/%s/main] " % name if options.get("--prefix") else ""
    for line in lines[-tail:] if tail >= 0 else lines:
        print(front + line)
    while options.get("--follow"):
        sys.stdout.flush()
        time.sleep(0.02)
        print(front + "tick")
