"""Charts with templates: what Helm's own renderer makes of them is kept in the cluster, and its controllers work on it."""

import json
import os
import subprocess
import time

from .objects import make, stamp
from .world import Failure

CHARTS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../../Charts/charts")
#: As Helm applies them.
ORDER = ["ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "Secret", "ConfigMap", "PersistentVolumeClaim", "Service",
         "Deployment", "StatefulSet", "Job", "Ingress"]
UNITS = {"m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def has_templates(chart):
    return os.path.isdir(os.path.join(chart, "templates"))


def render(verb, chart, name, namespace, values, is_upgrade):
    done = subprocess.run([CHARTS, verb, chart, name, namespace] + (["--is-upgrade"] if is_upgrade else []),
                          input=json.dumps(values), capture_output=True, text=True)
    if done.returncode:
        raise Failure(done.stderr.strip())
    return done.stdout


def amount(text):
    for unit in sorted(UNITS, key=len, reverse=True):
        if str(text).endswith(unit):
            return float(str(text)[:-len(unit)]) * UNITS[unit]
    return float(text)


# What is asked for


def keep_object(state, namespace, given, release=None):
    one = make(state, namespace, given["kind"], given["metadata"]["name"], given.get("spec"), release)
    one["metadata"]["labels"].update(given["metadata"].get("labels") or {})
    one["metadata"].setdefault("annotations", {}).update(given["metadata"].get("annotations") or {})
    for key in ("data", "stringData", "type"):
        if key in given:
            one[key] = given[key]
    one["real"] = True
    return one


def apply(world, state, namespace, release, made, before):
    """Gives the failure at which it stops; what was done by then stays."""
    space = state["namespaces"][namespace]["objects"]
    for given in sorted(made, key=lambda each: ORDER.index(each["kind"])):
        kind, name = given["kind"], given["metadata"]["name"]
        there = next((one for one in space if one["kind"] == kind and one["metadata"]["name"] == name), None)
        try:
            if there is None:
                if kind == "PersistentVolumeClaim":
                    check_quota(world, space, "persistentvolumeclaims", name, claim_use(given["spec"]))
                one = keep_object(state, namespace, given, release)
                if kind == "Service":
                    one["spec"]["clusterIP"] = "10.43.0.%d" % (state["identities"] % 250)
            else:
                change(there, given, release, namespace)
        except Failure as failure:
            return failure
    wanted = {(each["kind"], each["metadata"]["name"]) for each in made}
    for each in before:
        keeps = (each["metadata"].get("annotations") or {}).get("helm.sh/resource-policy") == "keep"
        if (each["kind"], each["metadata"]["name"]) not in wanted and not keeps:
            space[:] = [one for one in space if (one["kind"], one["metadata"]["name"]) != (each["kind"], each["metadata"]["name"])]
    control(world, state)
    return None


def change(there, given, release, namespace):
    kind, name = given["kind"], given["metadata"]["name"]
    if there["metadata"].get("annotations", {}).get("meta.helm.sh/release-name") != release:
        raise Failure('Unable to continue with install: %s "%s" in namespace "%s" exists and cannot be imported into the current '
                      'release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": '
                      'must be set to "Helm"' % (kind, name, namespace))
    spec = given.get("spec", {})
    if kind == "Job" and there["spec"].get("template") != spec.get("template"):
        raise Failure('cannot patch "%s" with kind Job: Job.batch "%s" is invalid: spec.template: Invalid value: "…": field is immutable'
                      % (name, name))
    if kind == "StatefulSet" and there["spec"].get("volumeClaimTemplates") != spec.get("volumeClaimTemplates"):
        raise Failure('cannot patch "%s" with kind StatefulSet: StatefulSet.apps "%s" is invalid: spec: Forbidden: updates to '
                      'statefulset spec for fields other than replicas and template are forbidden' % (name, name))
    if kind == "PersistentVolumeClaim":
        old, new = (amount(each["resources"]["requests"]["storage"]) for each in (there["spec"], spec))
        if new < old:
            raise Failure('cannot patch "%s" with kind PersistentVolumeClaim: PersistentVolumeClaim "%s" is invalid: '
                          'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity' % (name, name))
    if kind == "Service":
        spec = dict(spec, clusterIP=there["spec"].get("clusterIP"))
    if there["spec"] != spec:
        if there["spec"].get("template") != spec.get("template"):
            there["renewed"] = True
        there["spec"], there["made"] = spec, time.time()
        there["metadata"]["generation"] += 1
    there["metadata"]["labels"].update(given["metadata"].get("labels") or {})
    for key in ("data", "stringData"):
        if key in given:
            there[key] = given[key]


# Quotas


def claim_use(spec):
    return {"requests.storage": amount(spec["resources"]["requests"]["storage"]), "persistentvolumeclaims": 1}


def pod_use(spec):
    use = {"pods": 1, "limits.memory": 0, "limits.cpu": 0}
    for container in spec.get("containers", []):
        limits = container.get("resources", {}).get("limits", {})
        use["limits.memory"] += amount(limits.get("memory", "0"))
        use["limits.cpu"] += amount(limits.get("cpu", "0"))
    return use


def used(space):
    sums = {}
    for one in space:
        if one["kind"] == "PersistentVolumeClaim" and "resources" in one["spec"]:
            use = claim_use(one["spec"])
        elif one["kind"] == "Pod" and one.get("real") and not one.get("ended"):
            use = pod_use(one["spec"])
        else:
            continue
        for key, value in use.items():
            sums[key] = sums.get(key, 0) + value
    return sums


def check_quota(world, space, plural, name, use):
    quotas = [("store", one["spec"]["hard"]) for one in space if one["kind"] == "ResourceQuota"] + [("tenant", world["quota"])]
    there = used(space)
    for quota, hard in quotas:
        for key, value in use.items():
            if key in hard and there.get(key, 0) + value > amount(hard[key]):
                raise Failure('%s "%s" is forbidden: exceeded quota: %s, requested: %s=%d, used: %s=%d, limited: %s=%s' % (
                    plural, name, quota, key, value, key, there.get(key, 0), key, hard[key]))


# The controllers


def control(world, state):
    for namespace in list(state["namespaces"]):
        space = state["namespaces"][namespace]
        if "ends" in space:
            finish_removal(world, state, namespace, space)
            continue
        for owner in [one for one in space["objects"] if one.get("real") and one["kind"] in ("Deployment", "StatefulSet", "Job")]:
            work(world, state, namespace, space["objects"], owner)
        identities = {one["metadata"]["uid"] for one in space["objects"]}
        space["objects"] = [one for one in space["objects"] if not one.get("real") or all(
            owner["uid"] in identities for owner in one["metadata"].get("ownerReferences", []))]


def finish_removal(world, state, namespace, space):
    """Pods go at once, claims when nothing keeps them, and the namespace at last."""
    space["objects"] = [one for one in space["objects"] if one["kind"] == "PersistentVolumeClaim" and world["keeps"] == "claims"]
    if world["keeps"] or time.time() - space["ends"] < world["ready_after"] * world["pace"] / 5:
        return
    del state["namespaces"][namespace]
    state["records"].pop(namespace, None)


def work(world, state, namespace, space, owner):
    """Pods as many as are asked for, of the newest template."""
    mine = [one for one in space if any(each["uid"] == owner["metadata"]["uid"]
                                        for each in one["metadata"].get("ownerReferences", []))]
    if owner.pop("renewed", False) and owner["kind"] != "Job":
        for one in mine:
            space.remove(one)
        mine = []
    wanted = 1 if owner["kind"] == "Job" else owner["spec"].get("replicas", 1)
    for one in mine[wanted:]:
        space.remove(one)
    owner["refused"] = []
    for number in range(len(mine), wanted):
        name = "%s-%s" % (owner["metadata"]["name"], number if owner["kind"] == "StatefulSet" else "x%dk" % state["identities"])
        spec = json.loads(json.dumps(owner["spec"]["template"]["spec"]))
        try:
            for template in owner["spec"].get("volumeClaimTemplates", []):
                claim = "%s-%s" % (template["metadata"]["name"], name)
                if not any(one["kind"] == "PersistentVolumeClaim" and one["metadata"]["name"] == claim for one in space):
                    check_quota(world, space, "persistentvolumeclaims", claim, claim_use(template["spec"]))
                    keep_object(state, namespace, dict(template, kind="PersistentVolumeClaim",
                                                       metadata=dict(template["metadata"], name=claim)))
                spec.setdefault("volumes", []).append(
                    {"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim}})
            check_quota(world, space, "pods", name, pod_use(spec))
        except Failure as failure:
            owner["refused"] = [str(failure)]
            return
        pod = make(state, namespace, "Pod", name, spec, owner=owner)
        pod["real"] = True


# What they show


def namespace(world, name, space):
    shown = {"apiVersion": "v1", "kind": "Namespace", "metadata": dict(space.get("metadata") or {}, name=name),
             "status": {"phase": "Active"}}
    if "ends" in space:
        shown["metadata"]["deletionTimestamp"] = stamp(space["ends"])
        shown["status"]["phase"] = "Terminating"
        left = {"claims": ("NamespaceContentRemaining", "SomeResourcesRemain",
                           "Some resources are remaining: persistentvolumeclaims. has 1 resource instances"),
                "content": ("NamespaceDeletionDiscoveryFailure", "DiscoveryFailed",
                            "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs")}
        if world["keeps"] in left:
            kind, reason, message = left[world["keeps"]]
            shown["status"]["conditions"] = [{"type": kind, "status": "True", "reason": reason, "message": message}]
    return shown


def show(world, space, one):
    shown = {key: one[key] for key in ("kind", "metadata", "spec", "refused") if key in one}
    shown["apiVersion"] = "v1"
    done = time.time() - one["made"] >= world["ready_after"] * world["pace"]
    mine = [each for each in space["objects"] if any(owner["uid"] == one["metadata"]["uid"]
                                                     for owner in each["metadata"].get("ownerReferences", []))]
    ready = sum(trouble(world, each) is None and time.time() - each["made"] >= world["ready_after"] * world["pace"] for each in mine)
    status = {"observedGeneration": one["metadata"]["generation"]}
    if one["kind"] in ("Deployment", "StatefulSet"):
        counts = {"replicas": len(mine), "updatedReplicas": len(mine), "readyReplicas": ready, "availableReplicas": ready}
        status.update({key: value for key, value in counts.items() if value})
        if one.get("refused") and one["kind"] == "Deployment":
            status["conditions"] = [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": one["refused"][0]}]
    elif one["kind"] == "Job":
        status = job(world, space, one, mine, done)
    elif one["kind"] == "Ingress":
        status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]} if world["address"] and done else {}}
    elif one["kind"] == "PersistentVolumeClaim":
        status = {"phase": "Bound" if world["storage"] else "Pending"}
    elif one["kind"] == "Pod":
        status = pod(world, one, done)
    shown["status"] = status
    return shown


def outcome(world, job_name):
    return next((word for start, word in world["jobs"].items() if job_name.startswith(start)), world["job"])


def job(world, space, one, mine, done):
    name = one["metadata"]["name"]
    if not mine or any(trouble(world, each) for each in mine) or not done:
        return {"active": 1} if mine else {}
    for each in mine:
        each["ended"] = True
    if outcome(world, name) == "Complete":
        if not one.get("did"):
            one["did"] = True
            for each in mine:
                each["said"] = work_of(space, one)
        return {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
    return {"failed": one["spec"].get("backoffLimit", 6) + 1, "conditions": [
        {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
         "message": "Job has reached the specified backoff limit"}]}


def work_of(space, one):
    """What a job does to the shop's data, as the scripts of the packaged chart do it; gives its last words."""
    container = one["spec"]["template"]["spec"]["containers"][0]
    told = {each["name"]: each.get("value", "") for each in container.get("env", [])}
    kind = one["metadata"]["name"].partition("-")[0]
    kept = space.setdefault("backups", {})
    if kind == "backup":
        space["orders"] = space.get("orders", 0) + 1
        kept[told["BACKUP"]] = space["orders"]
        return "made %s %d\n" % (told["BACKUP"], 4096 + space["orders"])
    if kind == "restore":
        space["orders"] = kept[told["BACKUP"]]
    if kind == "remove":
        kept.pop(told["BACKUP"], None)
    if kind == "prune":
        space["backups"] = {name: number for name, number in kept.items() if name >= told["BACKUP"]}
    return ""


def trouble(world, one):
    """Why the containers of a pod do not run."""
    images = [container["image"] for container in one["spec"].get("containers", [])]
    for text, word in world["images"].items():
        if any(text in image for image in images):
            return word
    if not world["storage"] and any("persistentVolumeClaim" in volume for volume in one["spec"].get("volumes", [])):
        return "Unbound"
    return None if world["pods"] == "ready" else world["pods"]


def pod(world, one, done):
    container = one["spec"]["containers"][0]
    owner = next(iter(one["metadata"].get("ownerReferences", [])), {"kind": "", "name": ""})
    bad = trouble(world, one)
    if bad in ("Pending", "Unbound"):
        missing = "1 Insufficient memory." if bad == "Pending" else "pod has unbound immediate PersistentVolumeClaims."
        return {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                                                    "message": "0/1 nodes are available: " + missing}]}
    if bad == "OOMKilled":
        return {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [
            {"name": container["name"], "ready": False, "restartCount": 4,
             "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}},
             "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}
    if bad:
        return {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [
            {"name": container["name"], "ready": False, "restartCount": 0, "state": {"waiting": {
                "reason": bad, "message": 'Back-off pulling image "%s"' % container["image"] if "Image" in bad
                else "back-off 40s restarting failed container"}}}]}
    if owner["kind"] == "Job" and done:
        code = 0 if outcome(world, owner["name"]) == "Complete" else 1
        return {"phase": "Failed" if code else "Succeeded", "containerStatuses": [
            {"name": container["name"], "restartCount": 0,
             "state": {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "message": one.get("said", "")}}}]}
    return {"phase": "Running" if done else "Pending",
            "conditions": [{"type": "Ready", "status": "True" if done else "False"}],
            "containerStatuses": [{"name": container["name"], "ready": done, "restartCount": 0, "state": {
                "running": {"startedAt": stamp(one["made"])}} if done else {"waiting": {"reason": "ContainerCreating"}}}]}
