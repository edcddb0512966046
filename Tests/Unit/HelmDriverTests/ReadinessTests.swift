import DriverKit
import Testing
import WireProtocol

@testable import HelmDriver

/// The states of single objects, as Kubernetes writes them.
@Suite struct ReadinessTests {
    static let release = ReleaseID(namespace: "ns", name: "shop")

    func readiness(_ kind: String, _ spec: JSONValue, _ status: JSONValue, generation: Int64 = 1) -> Readiness {
        let metadata: JSONValue = [
            "name": "x", "uid": "u1", "generation": .integer(generation),
            "annotations": ["meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "ns"],
        ]
        let object = ClusterObject(json: ["kind": .string(kind), "metadata": metadata, "spec": spec, "status": status])
        return Readiness(objects: ReleaseObjects(of: Self.release, in: [object]), hooks: [], needsAddress: true)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let kind: String
        let spec: JSONValue
        let status: JSONValue
        /// Nil for ready.
        let problem: String?
        var isFinal = false
        var testDescription: String { "\(kind) \(status)" }
    }

    static let cases = [
        Case(kind: "Deployment", spec: ["replicas": 0], status: ["observedGeneration": 1], problem: nil),
        Case(
            kind: "Deployment", spec: [:], status: ["observedGeneration": 1],
            problem: "0 of 1 are available, 0 of the newest version"),
        Case(
            kind: "Deployment", spec: ["replicas": 1],
            status: ["observedGeneration": 0, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1],
            problem: "the newest version was not taken up yet"),
        Case(
            kind: "Deployment", spec: ["replicas": 1],
            status: ["observedGeneration": 1, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 2],
            problem: "2 of 1 are available, 1 of the newest version"),
        Case(kind: "Deployment", spec: ["paused": true], status: ["observedGeneration": 1], problem: nil),
        Case(
            kind: "Deployment", spec: ["paused": true, "replicas": 2],
            status: [
                "observedGeneration": 0,
                "conditions": [["type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"]],
            ], problem: nil),
        Case(
            kind: "Deployment", spec: [:],
            status: [
                "observedGeneration": 1,
                "conditions": [["type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"]],
            ], problem: "made no progress within its deadline", isFinal: true),
        Case(
            kind: "Deployment", spec: [:],
            status: [
                "observedGeneration": 1,
                "conditions": [["type": "ReplicaFailure", "status": "True", "message": "exceeded quota"]],
            ], problem: "pods are refused: exceeded quota"),
        Case(
            kind: "StatefulSet", spec: ["replicas": 3, "updateStrategy": ["rollingUpdate": ["partition": 2]]],
            status: ["observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 1], problem: nil),
        Case(
            kind: "StatefulSet", spec: ["replicas": 2],
            status: ["observedGeneration": 1, "readyReplicas": 2, "updatedReplicas": 1],
            problem: "2 of 2 are ready, 1 of the newest version"),
        Case(
            kind: "StatefulSet", spec: ["replicas": 2],
            status: ["observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 2],
            problem: "3 of 2 are ready, 2 of the newest version"),
        Case(
            kind: "StatefulSet", spec: ["replicas": 1],
            status: [
                "observedGeneration": 1, "readyReplicas": 1, "updatedReplicas": 1, "currentRevision": "x-1",
                "updateRevision": "x-2",
            ], problem: "its update to the newest version has not ended"),
        Case(
            kind: "StatefulSet", spec: ["replicas": 1, "updateStrategy": ["type": "OnDelete"]],
            status: ["observedGeneration": 1, "readyReplicas": 1, "currentRevision": "x-1", "updateRevision": "x-2"],
            problem: nil),
        Case(
            kind: "ReplicaSet", spec: ["replicas": 2], status: ["observedGeneration": 1, "readyReplicas": 1],
            problem: "1 of 2 are ready"),
        Case(kind: "Service", spec: ["type": "ExternalName"], status: [:], problem: nil),
        Case(kind: "Service", spec: ["clusterIP": "None"], status: [:], problem: nil),
        Case(kind: "Service", spec: ["clusterIP": ""], status: [:], problem: "has no address in the cluster yet"),
        Case(
            kind: "Service", spec: ["clusterIP": "10.0.0.1", "type": "LoadBalancer"], status: ["loadBalancer": [:]],
            problem: "no load balancer has an address for it yet"),
        Case(
            kind: "Service", spec: ["clusterIP": "10.0.0.1", "type": "LoadBalancer", "externalIPs": ["192.0.2.1"]],
            status: [:], problem: nil),
        Case(
            kind: "Service", spec: ["clusterIP": "10.0.0.1", "type": "LoadBalancer"],
            status: ["loadBalancer": ["ingress": [["ip": "192.0.2.1"]]]], problem: nil),
        Case(
            kind: "DaemonSet", spec: [:],
            status: [
                "observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 1,
            ],
            problem: "1 of 2 are ready, 2 of the newest version"),
        Case(
            kind: "Job", spec: [:], status: ["conditions": [["type": "SuccessCriteriaMet", "status": "True"]]],
            problem: "0 succeeded, 0 failed so far"),
        Case(
            kind: "Job", spec: [:],
            status: ["failed": 1, "conditions": [["type": "FailureTarget", "status": "True"]]],
            problem: "0 succeeded, 1 failed so far"),
        Case(
            kind: "Job", spec: [:],
            status: ["conditions": [["type": "Failed", "status": "True", "reason": "DeadlineExceeded"]]],
            problem: "failed: DeadlineExceeded", isFinal: true),
        Case(
            kind: "PersistentVolumeClaim", spec: [:], status: ["phase": "Pending"], problem: "is not bound to a volume"),
        Case(
            kind: "PersistentVolumeClaim", spec: [:], status: ["phase": "Lost"], problem: "its volume is lost",
            isFinal: true),
        Case(
            kind: "Pod", spec: [:],
            status: [
                "phase": "Pending",
                "initContainerStatuses": [
                    ["name": "init", "state": ["waiting": ["reason": "ImagePullBackOff", "message": "no such image"]]]
                ],
            ], problem: "init: ImagePullBackOff: no such image"),
        Case(kind: "Pod", spec: [:], status: ["phase": "Succeeded"], problem: nil),
        Case(kind: "Secret", spec: [:], status: [:], problem: nil),
    ]

    @Test(arguments: cases)
    func `an object is as far as its counts and conditions say`(one: Case) {
        let readiness = readiness(one.kind, one.spec, one.status)
        #expect(readiness.problems == (one.problem.map { ["\(one.kind.lowercased())/x: \($0)"] } ?? []))
        #expect((readiness.failure != nil) == one.isFinal)
    }

    @Test(arguments: [true, false])
    func `pods of a paused deployment do not hold a release up`(isPaused: Bool) {
        func object(_ kind: String, _ spec: JSONValue, _ owner: String?) -> ClusterObject {
            var metadata: JSONObject = ["name": .string(kind.lowercased()), "uid": .string("uid-\(kind)")]
            if let owner { metadata["ownerReferences"] = [["uid": .string("uid-\(owner)")]] }
            metadata["annotations"] = ["meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "ns"]
            return ClusterObject(json: [
                "kind": .string(kind), "metadata": .object(metadata), "spec": spec, "status": ["phase": "Pending"],
            ])
        }
        let objects = ReleaseObjects(
            of: Self.release,
            in: [
                object("Deployment", ["paused": .bool(isPaused), "replicas": 0], nil),
                object("ReplicaSet", [:], "Deployment"), object("Pod", [:], "ReplicaSet"),
            ])
        let readiness = Readiness(objects: objects, hooks: [], needsAddress: true)
        #expect(readiness.isReady == isPaused)
        #expect(readiness.json["pods"]?.asArray?.count == 1, "they are told all the same")
    }

    @Test func `a pod that is going says Running, and does not count`() {
        let pod = ClusterObject(json: [
            "kind": "Pod",
            "metadata": [
                "name": "x", "uid": "u1", "deletionTimestamp": "2026-01-01T00:00:00Z",
                "annotations": ["meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "ns"],
            ], "status": ["phase": "Running"],
        ])
        let objects = ReleaseObjects(of: Self.release, in: [pod])
        #expect(Readiness(objects: objects, hooks: [], needsAddress: true).isReady)
        #expect(objects.pods.first?.podJSON["terminating"] == true)
    }

    @Test func `objects of a release are those marked, what they own, and what those mount`() {
        func object(_ kind: String, _ name: String, owner: String? = nil, marked: Bool = false, claim: String? = nil)
            -> ClusterObject
        {
            var metadata: JSONObject = ["name": .string(name), "uid": .string("uid-\(name)")]
            if let owner { metadata["ownerReferences"] = [["uid": .string("uid-\(owner)")]] }
            if marked {
                metadata["annotations"] = ["meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "ns"]
            }
            let volumes = claim.map { JSONValue.array([["persistentVolumeClaim": ["claimName": .string($0)]]]) } ?? []
            return ClusterObject(json: [
                "kind": .string(kind), "metadata": .object(metadata), "spec": ["volumes": volumes],
            ])
        }
        let mine = ReleaseObjects(
            of: Self.release,
            in: [
                object("Pod", "p", owner: "r", claim: "data"), object("ReplicaSet", "r", owner: "d"),
                object("Deployment", "d", marked: true), object("PersistentVolumeClaim", "data"),
                object("PersistentVolumeClaim", "other"), object("Pod", "stranger", owner: "s"),
            ])
        #expect(Set(mine.objects.map(\.name)) == ["d", "r", "p", "data"])
    }

    @Test func `a hook that failed is a failure, one of helm test is none`() throws {
        let bytes = Array(
            #"{"hooks":[{"name":"t","kind":"Pod","events":["test"],"last_run":{"phase":"Failed"}},{"name":"m","kind":"Job","events":["post-install"],"last_run":{"phase":"Failed"}}]}"#
                .utf8)
        let hooks = try ReleaseHook.parse(bytes)
        let none = ReleaseObjects(of: Self.release, in: [])
        #expect(Readiness(objects: none, hooks: hooks, needsAddress: true).problems == ["hook m: failed"])
        #expect(Readiness(objects: none, hooks: [hooks[0]], needsAddress: true).isReady)
    }

    @Test func `states that change are events, a cluster that went away is none`() async throws {
        let node = try await KubernetesNode()
        #expect(await node.driver.lookAround().isEmpty)
        try await node.install()
        let first = await node.driver.lookAround()
        #expect(first.map(\.resource) == ["helm/\(node.namespace)/shop"] && first.first?.data["status"] == "deployed")
        #expect(await node.driver.lookAround().isEmpty)
        try node.set(["cluster": false])
        #expect(await node.driver.lookAround().isEmpty)
    }
}
