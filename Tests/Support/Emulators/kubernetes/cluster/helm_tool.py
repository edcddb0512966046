"""`helm`: releases as records of the cluster, one for each revision, written before and after the work."""

import datetime
import json
import os
import re
import sys
import time

from . import charts, objects
from .options import parse
from .world import Failure, Gone

GLOBAL = ["--namespace", "--kubeconfig", "--kube-context"]
#: Verb to (flags, options with values).
VERBS = {
    "version": ([], ["--template"]),
    "list": (["--all", "--all-namespaces"], ["--output", "--max", "--offset", "--filter", "--selector"]),
    "history": ([], ["--output", "--max"]),
    "status": ([], ["--output", "--revision"]),
    "get": (["--all"], ["--output"]),
    "show": ([], ["--version", "--repo"]),
    "template": (["--include-crds", "--is-upgrade"], ["--values", "--version", "--repo"]),
    "upgrade": (["--install", "--create-namespace", "--reset-values", "--atomic", "--wait"],
                ["--values", "--version", "--repo", "--timeout", "--history-max", "--labels"]),
    "rollback": (["--wait"], ["--timeout", "--history-max"]),
    "uninstall": (["--wait", "--keep-history"], ["--timeout"]),
}
PENDING = ("pending-install", "pending-upgrade", "pending-rollback")


def main(world, words):
    if not words or words[0] not in VERBS:
        raise Failure('Error: unknown command "%s" for "helm"' % (words[0] if words else ""))
    world.verb = words[0]
    flags, values = VERBS[words[0]]
    if world["helm_version"].startswith("v3.") and int(world["helm_version"].split(".")[1]) < 13:
        values = [value for value in values if value != "--labels"]
    if world["helm_version"].startswith("v4"):
        flags = ["--rollback-on-failure" if flag == "--atomic" else flag for flag in flags]
    operands, options = parse(words[1:], flags, values + GLOBAL)
    options["atomic"] = options.get("--atomic") or options.get("--rollback-on-failure")
    # What is asked of standard input is read before anything else.
    given = sys.stdin.read() if options.get("--values") == "-" else None
    world.disturb()
    world.wait(0.2)
    return globals()["do_" + words[0]](world, operands, options, given)


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def records(state, options, name=None):
    space = state["records"].setdefault(options.get("--namespace", "default"), {})
    return space if name is None else space.get(name, [])


def required(state, options, name):
    found = records(state, options, name)
    if not found:
        raise Failure("Error: release: not found")
    return found


def do_version(world, operands, options, given):
    print(world["helm_version"], end="")


def do_list(world, operands, options, given):
    rows = []
    with world.request() as state:
        spaces = state["records"] if options.get("--all-namespaces") else {options["--namespace"]: records(state, options)}
        for namespace, releases in sorted(spaces.items()):
            for name, revisions in sorted(releases.items()):
                last = revisions[-1]
                if not re.search(options.get("--filter", ""), name) or not selects(options.get("--selector"), last):
                    continue
                if options.get("--all") or last["status"] in ("deployed", "failed"):
                    updated = last["updated"].replace("T", " ").replace("+00:00", "000 +0000 UTC")
                    rows.append({"name": name, "namespace": namespace, "revision": str(last["revision"]), "updated": updated,
                                 "status": last["status"], "chart": last["chart"], "app_version": last["app_version"]})
    start = int(options.get("--offset", 0))
    print(json.dumps(rows[start:start + int(options.get("--max", 256))]))


def selects(selector, row):
    """Of the newest revision, as Helm does it: `key=value` and `!key`, all of which must hold."""
    labels = row.get("labels", {})
    for word in (selector or "").split(",") if selector else []:
        key, equals, value = word.partition("=")
        if key.startswith("!") and key[1:] in labels or not key.startswith("!") and equals and labels.get(key) != value:
            return False
    return True


def do_history(world, operands, options, given):
    with world.request() as state:
        rows = required(state, options, operands[0])[-int(options.get("--max", 256)):]
    print(json.dumps([{key: row[key] for key in ("revision", "updated", "status", "chart", "app_version", "description")}
                      for row in rows]))


def do_status(world, operands, options, given):
    with world.request() as state:
        last = required(state, options, operands[0])[-1]
    hooks = [] if "made" in last else [{"name": operands[0] + "-check", "kind": "Job", "events": ["post-install"], "manifest": "…", "last_run":
              {"phase": last.get("hook", "Unknown"), "started_at": last["updated"], "completed_at": last["updated"]}}]
    print(json.dumps({
        "name": operands[0], "namespace": options["--namespace"], "version": last["revision"], "config": last["values"],
        "manifest": "# the secrets of the values again: %s" % json.dumps(last["values"]), "hooks": hooks,
        "info": {"status": last["status"], "notes": "your password is " + str(last["values"].get("password")),
                 "first_deployed": last["updated"], "last_deployed": last["updated"], "deleted": "",
                 "description": last["description"]}}))


def do_get(world, operands, options, given):
    with world.request() as state:
        last = required(state, options, operands[1])[-1]
    print(json.dumps(last["values"] or None))


def read_chart(world, operand, options):
    if options.get("--repo"):
        operand = world.path("charts", "%s-%s" % (operand, options.get("--version", "1.1.0")))
        if not os.path.isdir(operand):
            raise Failure('Error: chart "store" version "%s" not found in %s repository' % (
                options.get("--version"), options["--repo"]) if options["--repo"].startswith("https://charts.example")
                else 'Error: looks like "%s" is not a valid chart repository or cannot be reached' % options["--repo"])
    try:
        with open(os.path.join(operand, "Chart.yaml")) as file:
            text = file.read()
    except OSError:
        raise Failure("Error: Chart.yaml file is missing")
    fields = dict(re.findall(r"^(\w+): (.*)$", text, re.M))
    return text, fields["name"] + "-" + fields["version"], fields["appVersion"].strip('"')


def do_show(world, operands, options, given):
    print(read_chart(world, operands[1], options)[0])


def read_values(given):
    """YAML forbids some characters that JSON allows."""
    for character in given or "":
        if 0x7F <= ord(character) <= 0x9F and ord(character) != 0x85 or ord(character) in (0xFFFE, 0xFFFF):
            raise Failure("Error: failed to parse -: error converting YAML to JSON: yaml: control characters are not allowed")
    return json.loads(given) if given else {}


def do_template(world, operands, options, given):
    """As Helm prints manifests: those of `crds/` first, then the templates, hooks last."""
    values = read_values(given)
    read_chart(world, operands[1], options)
    if "refuse" in values:
        raise Failure("Error: " + world["refusal"].replace("%v", json.dumps(values)))
    if charts.has_templates(operands[1]):
        print(charts.render("render", operands[1], operands[0], options["--namespace"], values, options.get("--is-upgrade")), end="")
        return
    print(world["definitions"] if options.get("--include-crds") else "", end="")
    for source, text in objects.render(operands[0], values):
        print("---\n# Source: store/templates/%s\n%s" % (source, text))
    print(world["rendered"], end="")


def do_upgrade(world, operands, options, given):
    name, namespace = operands[0], options["--namespace"]
    values = read_values(given)
    _, chart, version = read_chart(world, operands[1], options)
    word = "UPGRADE"
    world.go_away("before")
    with world.request() as state:
        if namespace not in state["namespaces"]:
            if not options.get("--create-namespace"):
                raise Failure('Error: INSTALLATION FAILED: create: failed to create: namespaces "%s" not found' % namespace)
            state["namespaces"][namespace] = {"objects": []}
        history = records(state, options).setdefault(name, [])
        installs = not history or history[-1]["status"] == "uninstalled"
        word = "INSTALLATION" if installs else "UPGRADE"
        if history and history[-1]["status"] in PENDING:
            raise Failure("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress")
        if "refuse" in values:
            if not history:
                del records(state, options)[name]
            failure = Failure("Error: %s FAILED: %s" % (word, world["refusal"].replace("%v", json.dumps(values))))
            raise failure
        for foreign in world["foreign"]:
            kind, _, known = foreign.partition("/")
            if not any(one["metadata"]["name"] == known for one in state["namespaces"][namespace]["objects"]):
                objects.make(state, namespace, kind.capitalize(), known)
        if history and not values and not options.get("--reset-values"):
            values = history[-1]["values"]
        revision = max([row["revision"] for row in history], default=0) + 1
        # An upgrade keeps the labels of the revision before, and lays those that it is given over them.
        labels = dict({} if installs else history[-1].get("labels", {}))
        labels.update(word.split("=", 1) for word in options.get("--labels", "").split(",") if word)
        history.append({"labels": labels, "revision": revision, "updated": now(), "status": "pending-install" if installs else "pending-upgrade",
                        "chart": chart, "app_version": version, "values": values,
                        "description": "Initial install underway" if installs else "Preparing upgrade"})
        del history[:-int(options.get("--history-max", 10))]
    world.note("pending")
    world.go_away("pending")
    world.die_if_asked()
    world.wait(1)
    try:
        if charts.has_templates(operands[1]):
            made = json.loads(charts.render("objects", operands[1], name, namespace, values, not installs))
            deploy_made(world, options, name, made, word)
        else:
            deploy(world, options, name, revision, values, word)
    except Failure as failure:
        fail(world, options, name, revision, str(failure), word, installs)
    print('Release "%s" has been upgraded. Happy Helming!\nNOTES:\nyour password is %s' % (name, values.get("password")))


def deploy(world, options, name, revision, values, word):
    namespace = options["--namespace"]
    with world.request() as state:
        blocked = objects.apply(world, state, namespace, name, values)
        if blocked:
            raise Failure('Unable to continue with install: %s "%s" in namespace "%s" exists and cannot be imported into the '
                          'current release: invalid ownership metadata; label validation error: missing key '
                          '"app.kubernetes.io/managed-by": must be set to "Helm"' % (*blocked, namespace))
    world.go_away("objects")
    if options.get("atomic") and (world["pods"] != "ready" or world["job"] != "Complete"):
        world.wait(5)
        raise Failure("context deadline exceeded")
    if options.get("atomic"):
        world.wait(world["ready_after"])
    if world["hook"] != "Succeeded":
        with world.request() as state:
            required(state, options, name)[-1]["hook"] = "Failed"
        raise Failure("failed post-install: job failed: BackoffLimitExceeded" if word == "INSTALLATION" else
                      "post-upgrade hooks failed: job failed: BackoffLimitExceeded")
    with world.request() as state:
        history = required(state, options, name)
        for row in history:
            if row["status"] == "deployed":
                row["status"] = "superseded"
        history[-1].update(status="deployed", updated=now(), hook="Succeeded",
                           description="Install complete" if word == "INSTALLATION" else "Upgrade complete")


def deploy_made(world, options, name, made, word):
    """A chart with templates: what it makes is kept with its revision, and what the one before made and this does not is removed."""
    namespace = options["--namespace"]
    with world.request() as state:
        history = required(state, options, name)
        history[-1]["made"] = made
        before = [row["made"] for row in history[:-1] if row["status"] in ("deployed", "superseded", "failed") and "made" in row]
        trouble = charts.apply(world, state, namespace, name, made, before[-1] if before else [])
    if trouble:
        raise trouble
    world.go_away("objects")
    with world.request() as state:
        history = required(state, options, name)
        for row in history:
            if row["status"] == "deployed":
                row["status"] = "superseded"
        history[-1].update(status="deployed", updated=now(), description=(
            "Install complete" if word == "INSTALLATION" else "Upgrade complete"))


def fail(world, options, name, revision, text, word, installs):
    with world.request() as state:
        history = required(state, options, name)
        history[-1].update(status="failed", updated=now(), description=(
            'Release "%s" failed: %s' if installs else 'Upgrade "%s" failed: %s') % (name, text))
        if options.get("atomic"):
            if installs:
                objects.delete(state, options["--namespace"], name)
                del records(state, options)[name]
                raise_later = "Error: INSTALLATION FAILED: release %s failed, and has been uninstalled due to %s being set: %s"
            else:
                good = [row for row in history if row["status"] in ("deployed", "superseded")][-1]
                back_to(state, options, name, good)
                raise_later = "Error: UPGRADE FAILED: release %s failed, and has been rolled back due to %s being set: %s"
            flag = "atomic" if world["helm_version"].startswith("v3") else "rollback-on-failure"
            message = raise_later % (name, flag, text)
        else:
            message = "Error: %s FAILED: %s" % (word, text)
    raise Failure(message)


def back_to(state, options, name, target):
    """A revision that is pending stays so in the history, once there is a newer one."""
    history = required(state, options, name)
    for row in history:
        if row["status"] == "deployed":
            row["status"] = "superseded"
    if history[-1]["status"] == "pending-rollback":
        history.pop()
    history.append(dict(target, revision=history[-1]["revision"] + 1, updated=now(), status="deployed",
                        description="Rollback to %d" % target["revision"]))


def do_rollback(world, operands, options, given):
    name, number = operands[0], int(operands[1])
    with world.request() as state:
        history = required(state, options, name)
        found = [row for row in history if row["revision"] == number]
        if not found:
            raise Failure("Error: release has no %d version" % number)
        history.append(dict(found[0], revision=history[-1]["revision"] + 1, updated=now(), status="pending-rollback",
                            description="Rollback to %d" % number))
    world.note("pending")
    world.go_away("pending")
    world.die_if_asked()
    world.wait(1)
    with world.request() as state:
        if "made" in found[0]:
            before = next((row["made"] for row in reversed(required(state, options, name)) if "made" in row), [])
            trouble = charts.apply(world, state, options["--namespace"], name, found[0]["made"], before)
            if trouble:
                raise trouble
        back_to(state, options, name, found[0])
        objects.apply(world, state, options["--namespace"], name, found[0]["values"])
        del required(state, options, name)[:-int(options.get("--history-max", 10))]
    print("Rollback was a success! Happy Helming!")


def do_uninstall(world, operands, options, given):
    name = operands[0]
    with world.request() as state:
        if not records(state, options, name):
            raise Failure("Error: uninstall: Release not loaded: %s: release: not found" % name)
        last = required(state, options, name)[-1]
        last.update(status="uninstalling", description="Deletion in progress (or silently failed)")
        attempts = state.setdefault("attempts", {})
        attempts[name] = attempts.get(name, 0) + 1
        stuck = attempts[name] <= world["undeletable"]
    world.note("pending")
    world.go_away("pending")
    world.die_if_asked()
    world.wait(1)
    if stuck:
        raise Failure("Error: failed to delete release: %s" % name)
    with world.request() as state:
        objects.delete(state, options["--namespace"], name)
        del records(state, options)[name]
    print('release "%s" uninstalled' % name)
