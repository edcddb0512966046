"""What a release of the chart makes in its namespace, and what becomes of it as time goes by."""

import json
import time


def stamp(seconds=None):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def make(state, namespace, kind, name, spec=None, release=None, owner=None, labels=None):
    state["identities"] += 1
    metadata = {"name": name, "namespace": namespace, "uid": "uid-%d" % state["identities"], "generation": 1,
                "creationTimestamp": stamp(), "labels": labels or {}}
    if release:
        metadata["annotations"] = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace}
        metadata["labels"]["app.kubernetes.io/managed-by"] = "Helm"
        metadata["labels"]["app.kubernetes.io/instance"] = release
    if owner:
        metadata["ownerReferences"] = [{"kind": owner["kind"], "name": owner["metadata"]["name"],
                                        "uid": owner["metadata"]["uid"], "controller": True}]
    made = {"kind": kind, "metadata": metadata, "spec": spec or {}, "status": {}, "made": time.time()}
    state["namespaces"][namespace]["objects"].append(made)
    return made


def render(release, values):
    """The manifests of the chart. Like many charts it takes parts of the pod (`pod`, `container`), annotations of its ingress
    and whole objects (`extra`) from its values."""
    container = dict({"name": "web", "image": "store:1", "ports": [{"containerPort": 80}]}, **values.get("container", {}))
    pod = dict({"serviceAccountName": release, "containers": [container]}, **values.get("pod", {}))
    template = {"metadata": {"labels": {"app": release}}, "spec": pod}
    plain = {"metadata": {"labels": {"app": release}}, "spec": {"containers": [{"name": "setup", "image": "store:1"}]}}
    claim = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}

    def one(kind, version, name, **more):
        return dict({"apiVersion": version, "kind": kind, "metadata": {"name": name}}, **more)

    check = one("Job", "batch/v1", release + "-check", spec={"template": plain})
    check["metadata"]["annotations"] = {"helm.sh/hook": "post-install"}
    ingress = one("Ingress", "networking.k8s.io/v1", release + "-web", spec={"rules": [{"host": values.get("host", "x")}]})
    ingress["metadata"]["annotations"] = values.get("annotations", {})
    made = [
        ("account.yaml", one("ServiceAccount", "v1", release)),
        ("secret.yaml", one("Secret", "v1", release, stringData={"password": str(values.get("password"))})),
        ("web.yaml", one("Deployment", "apps/v1", release + "-web", spec={"template": template})),
        ("db.yaml", one("StatefulSet", "apps/v1", release + "-db", spec={"template": plain, "volumeClaimTemplates": [claim]})),
        ("setup.yaml", one("Job", "batch/v1", release + "-setup", spec={"template": plain})),
        ("ingress.yaml", ingress),
        ("service.yaml", one("Service", "v1", release + "-web", spec={"ports": [{"port": 80}]})),
        ("check.yaml", check),
    ] + [("extra.yaml", each) for each in values.get("extra", [])]
    return [(source, json.dumps(each, indent=1)) for source, each in made]


def apply(world, state, namespace, release, values):
    """Makes what is missing and changes what is there; gives the first object that is in the way."""
    there = {(one["kind"], one["metadata"]["name"]): one for one in state["namespaces"][namespace]["objects"]}
    replicas = int(values.get("replicas", 1))
    wanted = [
        ("Deployment", release + "-web", {"replicas": replicas}),
        ("StatefulSet", release + "-db", {"replicas": 1, "updateStrategy": {"type": "RollingUpdate"}}),
        ("Job", release + "-setup", {"backoffLimit": 1}),
        ("Ingress", release + "-web", {"rules": [{"host": values.get("host", "shop.example")}]}),
    ]
    for kind, name, spec in wanted:
        one = there.get((kind, name))
        if one and one["metadata"].get("annotations", {}).get("meta.helm.sh/release-name") != release:
            return kind, name
        if one is None:
            one = make(state, namespace, kind, name, spec, release)
            children(state, namespace, one, release)
        elif one["spec"] != spec:
            one["spec"], one["made"] = spec, time.time()
            one["metadata"]["generation"] += 1
    return None


def children(state, namespace, one, release):
    name = one["metadata"]["name"]
    if one["kind"] == "Deployment":
        owner = make(state, namespace, "ReplicaSet", name + "-5d9c", one["spec"], owner=one)
        make(state, namespace, "Pod", name + "-5d9c-x7k2p", owner=owner)
    elif one["kind"] == "StatefulSet":
        claim = "data-" + name + "-0"
        if not any(each["metadata"]["name"] == claim for each in state["namespaces"][namespace]["objects"]):
            make(state, namespace, "PersistentVolumeClaim", claim, labels={"app.kubernetes.io/instance": release})
        make(state, namespace, "Pod", name + "-0", {"volumes": [{"persistentVolumeClaim": {"claimName": claim}}]}, owner=one)
    elif one["kind"] == "Job":
        make(state, namespace, "Pod", name + "-q8r4d", owner=one)


def age(world, one):
    """The object as the cluster shows it now."""
    shown = {key: one[key] for key in ("kind", "metadata", "spec")}
    shown["apiVersion"] = "v1"
    done = time.time() - one["made"] >= world["ready_after"] * world["pace"]
    works = done and world["pods"] == "ready"
    generation, replicas = one["metadata"]["generation"], one["spec"].get("replicas", 1)
    if one["kind"] == "Deployment":
        # Counts of zero are absent.
        shown["status"] = {"observedGeneration": generation, "replicas": replicas, "updatedReplicas": replicas}
        if works:
            shown["status"].update(readyReplicas=replicas, availableReplicas=replicas)
    elif one["kind"] == "StatefulSet":
        shown["status"] = {"observedGeneration": generation, "replicas": 1, "updatedReplicas": 1}
        if works:
            shown["status"]["readyReplicas"] = 1
    elif one["kind"] == "Job":
        shown["status"] = job(world, done)
    elif one["kind"] == "Ingress":
        shown["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]} if world["address"] and done else {}}
    elif one["kind"] == "PersistentVolumeClaim":
        shown["status"] = {"phase": "Bound"}
    elif one["kind"] == "Pod":
        shown["status"] = pod(world, one, done)
    return shown


def job(world, done):
    if not done:
        return {"active": 1}
    if world["job"] == "Complete":
        return {"succeeded": 1, "conditions": [{"type": "SuccessCriteriaMet", "status": "True"},
                                               {"type": "Complete", "status": "True"}]}
    return {"failed": 2, "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
                                         "message": "Job has reached the specified backoff limit"}]}


def pod(world, one, done):
    if any(owner["kind"] == "Job" for owner in one["metadata"].get("ownerReferences", [])):
        if not done:
            return {"phase": "Running"}
        code = 0 if world["job"] == "Complete" else 3
        return {"phase": "Failed" if code else "Succeeded", "containerStatuses": [
            {"name": "main", "restartCount": 0, "state": {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}}]}
    if world["pods"] == "Pending":
        return {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                                                    "message": "0/1 nodes are available: 1 Insufficient memory."}]}
    if world["pods"] != "ready":
        container = {"name": "main", "ready": False, "restartCount": 4,
                     "state": {"waiting": {"reason": world["pods"], "message": "back-off"}}}
        if world["pods"] == "CrashLoopBackOff":
            container["lastState"] = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
        return {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [container]}
    return {"phase": "Running" if done else "Pending",
            "conditions": [{"type": "Ready", "status": "True" if done else "False"}],
            "containerStatuses": [{"name": "main", "ready": done, "restartCount": 0, "state": {
                "running": {"startedAt": stamp(one["made"])}} if done else {"waiting": {"reason": "ContainerCreating"}}}]}


def delete(state, namespace, release):
    """Removes what the release made; claims of its sets stay."""
    objects = state["namespaces"][namespace]["objects"]
    gone = {one["metadata"]["uid"] for one in objects
            if one["metadata"].get("annotations", {}).get("meta.helm.sh/release-name") == release
            and one["metadata"]["annotations"].get("helm.sh/resource-policy") != "keep"}
    while True:
        more = {one["metadata"]["uid"] for one in objects
                if any(owner["uid"] in gone for owner in one["metadata"].get("ownerReferences", []))}
        if more <= gone:
            break
        gone |= more
    state["namespaces"][namespace]["objects"] = [one for one in objects if one["metadata"]["uid"] not in gone]
