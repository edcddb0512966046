"""The emulated cluster: its folder, its settings, its state between calls, and the disturbances that a test asks for."""

import contextlib
import fcntl
import json
import os
import signal
import sys
import time

DEFAULTS = {
    # Factor on every delay: 1 is a real cluster's pace.
    "pace": 1.0,
    "helm_version": "v3.21.4",
    # False: nothing answers. After `cluster_calls` more requests it stops answering (null: never).
    "cluster": True, "cluster_calls": None,
    # "helm upgrade" or "kubectl logs" to seconds that it hangs, to a text that it fails with, to bytes that it prints first.
    "hang": {}, "fail": {}, "flood": {},
    # "helm upgrade" to the signal that kills it once the release is pending.
    "die": {},
    # "helm upgrade": it ignores TERM while it hangs.
    "stubborn": [],
    # "helm upgrade" to a point at which the cluster goes away: "before", "pending", "objects".
    "away": {},
    # Seconds at pace 1 until pods are ready and jobs complete.
    "ready_after": 60.0,
    # What becomes of pods: "ready", "CrashLoopBackOff", "ImagePullBackOff", "Pending".
    "pods": "ready",
    # What becomes of the setup job: "Complete" or "Failed"; of the hook: "Succeeded" or "Failed".
    "job": "Complete", "hook": "Succeeded",
    # Whether claims get a volume.
    "storage": True,
    # Whether ingresses get an address.
    "address": True,
    # Lines of a container's log; %s is its pod.
    "log": ["starting %s", "listening"],
    # Objects that cannot be deleted, for so many attempts.
    "undeletable": 0,
    # What the chart does not take: a text that `helm` fails with when the values have the key "refuse".
    "refusal": "execution error at (store/templates/web.yaml:3:4): a host is needed",
    # What the chart's folder `crds` holds, and what else its templates make, as text.
    "definitions": "", "rendered": "",
    # Of charts with templates: what becomes of containers whose image contains a text, and of jobs whose name begins with one.
    "images": {}, "jobs": {},
    # What an administrator allows in each namespace, beside the chart's own quota: "limits.memory" to "256Mi".
    "quota": {},
    # Requests that are answered with an error before one is taken, and the error.
    "refusing": 0, "refusal_text": "the server has received too many requests and has asked us to try again later (TooManyRequests)",
    # Seconds at pace 1 that the server takes for each request.
    "slow": 0.0,
    # What keeps a namespace that is being removed: "" nothing, "claims" volumes that are in use, "content" a kind whose server is gone.
    "keeps": "",
    # Objects in the way: "deployment/shop-web" in a namespace, made by hand.
    "foreign": [],
}
REFUSED = "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?"
UNREACHABLE = "Kubernetes cluster unreachable: Get \"https://10.0.0.1:6443/version\": dial tcp 10.0.0.1:6443: connect: connection refused"


class Failure(Exception):
    """A line on standard error, and exit code 1: there is no other."""


class Gone(Exception):
    """The cluster does not answer (any more)."""


class World:
    def __init__(self, root, tool=""):
        self.root = root
        self.tool = tool
        self.verb = ""
        self.settings = dict(DEFAULTS)
        try:
            with open(os.path.join(root, "emulator.json")) as file:
                self.settings.update(json.load(file))
        except FileNotFoundError:
            pass

    def __getitem__(self, key):
        return self.settings[key]

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def prepare(self):
        os.makedirs(self.path("var"), exist_ok=True)
        if not os.path.exists(self.path("var/cluster.json")):
            self.store({"namespaces": {"default": {"objects": []}}, "records": {}, "requests": 0, "identities": 0, "refused": 0})

    def store(self, state):
        with open(self.path("var/cluster.json.new"), "w") as file:
            json.dump(state, file, indent=1)
        os.rename(self.path("var/cluster.json.new"), self.path("var/cluster.json"))

    @contextlib.contextmanager
    def request(self):
        """One request to the cluster: its state, written back at the end."""
        self.prepare()
        self.wait(self["slow"])
        with open(self.path("var/lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with open(self.path("var/cluster.json")) as file:
                state = json.load(file)
            state["requests"] += 1
            limit = self["cluster_calls"]
            state["refused"] = state.get("refused", 0) + 1
            if state["refused"] <= self["refusing"]:
                self.store(state)
                raise Failure("Error from server (TooManyRequests): " + self["refusal_text"])
            if not self["cluster"] or limit is not None and state["requests"] > limit or os.path.exists(self.path("var/away")):
                self.store(state)
                raise Gone()
            yield state
            self.store(state)

    def wait(self, seconds):
        time.sleep(seconds * self["pace"])

    def go_away(self, point):
        """The cluster stops answering in the middle of a command, and says so to whoever asks next."""
        if self["away"].get(self.what) == point:
            open(self.path("var/away"), "w").close()

    @property
    def what(self):
        return "%s %s" % (self.tool, self.verb)

    def log(self, words):
        with open(self.path("var/calls.log"), "a") as file:
            file.write(json.dumps({"tool": self.tool, "words": words, "environment": dict(os.environ)}) + "\n")

    def disturb(self):
        if self.what in self["stubborn"]:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for _ in range(int(self["flood"].get(self.what, 0)) // 65536):
            os.write(1, b"x" * 65535 + b"\n")
        if self.what in self["hang"]:
            self.note("hanging")
            time.sleep(self["hang"][self.what])
        if self.what in self["fail"]:
            raise Failure(self["fail"][self.what])

    def note(self, word):
        with open(self.path("var/notes"), "a") as file:
            file.write("%s %s\n" % (self.what, word))

    def die_if_asked(self):
        if self.what in self["die"]:
            os.kill(os.getpid(), self["die"][self.what])


def run(main, tool):
    link = os.path.abspath(sys.argv[0])
    world = World(os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(link)))), tool)
    world.prepare()
    world.log(sys.argv[1:])
    try:
        return main(world, sys.argv[1:]) or 0
    except Gone:
        print("Error: " + UNREACHABLE if tool == "helm" else REFUSED, file=sys.stderr)
    except Failure as failure:
        print(failure, file=sys.stderr)
    return 1
