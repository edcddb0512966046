import DriverKit
import HelmDriver
import TestSupport
import Testing
import WireProtocol

/// What an allowed chart makes of somebody's values, before anything of it is made.
@Suite struct AdmissionTests {
    private static let privileged: JSONValue = ["name": "c", "image": "i", "securityContext": ["privileged": true]]

    /// A pod in each kind that makes pods.
    private static func makers(of spec: JSONValue) -> [JSONValue] {
        let template: JSONValue = ["spec": spec]
        let workloads = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"].map {
            JSONValue.object(["kind": .string($0), "metadata": ["name": "x"], "spec": ["template": template]])
        }
        let cron: JSONValue = [
            "kind": "CronJob", "metadata": ["name": "x"], "spec": ["jobTemplate": ["spec": ["template": template]]],
        ]
        let pod: JSONValue = ["kind": "Pod", "metadata": ["name": "x"], "spec": spec]
        let plain: JSONValue = ["kind": "PodTemplate", "metadata": ["name": "x"], "template": template]
        let list: JSONValue = ["kind": "List", "apiVersion": "v1", "items": [["kind": "List", "items": [pod]]]]
        return workloads + [
            cron, pod, plain, list, ["kind": "PodList", "items": [["metadata": ["name": "x"], "spec": spec]]],
        ]
    }

    private static func refused(_ node: KubernetesNode, _ values: JSONObject) async -> DriverError? {
        await refusal { try await node.install("1.0.0", values) }
    }

    @Test func `a pod that would have the node is refused in whatever makes it`() async throws {
        let node = try await KubernetesNode()
        for maker in Self.makers(of: ["containers": [Self.privileged]]) {
            let error = await Self.refused(node, ["extra": [maker]])
            #expect(error?.code == .permissionDenied && error?.changed == false, "\(maker.text)")
            #expect(error?.cause?.contains("x: container c: privileged (privileged)") == true, "\(maker.text)")
        }
        #expect(try node.calls(of: "helm", "upgrade").isEmpty, "nothing was begun")
        let words = try node.calls(of: "helm", "template").last?["words"]?.asArray ?? []
        #expect(words.contains("--include-crds") && words.contains("-") && !words.contains("--is-upgrade"))
    }

    private static let pods: [(JSONObject, String)] = [
        (["hostNetwork": true], "hostNetwork (host_network)"), (["hostPID": true], "hostPID (namespaces)"),
        (["hostIPC": "true"], "hostIPC (namespaces)"), (["runtimeClassName": "x"], "(capabilities)"),
        (["volumes": [["name": "v", "hostPath": ["path": "/etc"]]]], "volume v: hostPath /etc (binds)"),
        (["volumes": [["name": "v", "nfs": ["server": "s"]]]], "volume v: nfs (volumes)"),
        (["volumes": [["name": "v", "csi": ["driver": "d"]]]], "volume v: csi (volumes)"),
        (
            ["volumes": [["name": "v", "ephemeral": ["volumeClaimTemplate": ["spec": ["volumeName": "pv"]]]]]],
            "(volumes)"
        ),
        (["serviceAccountName": "operator"], "the account operator"), (["serviceAccount": "operator"], "(cluster)"),
        (["securityContext": ["sysctls": [["name": "a", "value": "b"]]]], "sysctls (capabilities)"),
        (["securityContext": ["windowsOptions": ["hostProcess": true]]], "hostProcess (privileged)"),
        (["initContainers": [privileged]], "container c: privileged"),
        (["ephemeralContainers": [privileged]], "c: privileged"),
        (["resourceClaims": [["name": "gpu"]]], "(devices)"), (["ofALaterVersion": true], "ofALaterVersion (other)"),
        (["containers": "x"], "cannot be read"),
    ]

    @Test(arguments: pods)
    func `a pod is refused that asks for a piece of the node`(pod: JSONObject, told: String) async throws {
        let node = try await KubernetesNode()
        let error = await Self.refused(node, ["pod": .object(pod)])
        #expect(
            error?.code == .permissionDenied && error?.cause?.contains(told) == true, "\(String(describing: error))")
    }

    private static let containers: [(JSONObject, String)] = [
        (["securityContext": ["privileged": "yes"]], "privileged (privileged)"),
        (
            ["securityContext": ["capabilities": ["add": ["CHOWN", "SYS_ADMIN"]]]],
            "capability SYS_ADMIN (capabilities)"
        ),
        (["securityContext": ["capabilities": ["add": "ALL"]]], "(capabilities)"),
        (["securityContext": ["procMount": "Unmasked"]], "procMount (capabilities)"),
        (["securityContext": ["seccompProfile": ["type": "Unconfined"]]], "seccompProfile (capabilities)"),
        (["securityContext": ["seLinuxOptions": ["type": "spc_t"]]], "seLinuxOptions (capabilities)"),
        (["securityContext": ["ofALaterVersion": 1]], "securityContext.ofALaterVersion (other)"),
        (["ports": [["hostPort": 80]]], "hostPort (host_network)"),
        (["livenessProbe": ["tcpSocket": ["host": "127.0.0.1"]]], "livenessProbe.host (host_network)"),
        (["lifecycle": ["preStop": ["httpGet": ["host": "127.0.0.1"]]]], "lifecycle.host (host_network)"),
        (["resources": ["limits": ["cpu": 1, "vendor.example/gpu": 1]]], "resources.vendor.example/gpu (devices)"),
        (["ofALaterVersion": true], "ofALaterVersion (other)"),
    ]

    @Test(arguments: containers)
    func `a container is refused that asks for a piece of the node`(container: JSONObject, told: String) async throws {
        let node = try await KubernetesNode()
        let error = await Self.refused(node, ["container": .object(container)])
        #expect(
            error?.code == .permissionDenied && error?.cause?.contains(told) == true, "\(String(describing: error))")
    }

    private static let objects: [(JSONValue, String)] = [
        (["kind": "ClusterRole"], "(cluster)"), (["kind": "ClusterRoleBinding"], "(cluster)"),
        (["kind": "ValidatingWebhookConfiguration"], "(cluster)"),
        (["kind": "MutatingWebhookConfiguration"], "(cluster)"),
        (["kind": "CustomResourceDefinition"], "(cluster)"), (["kind": "Namespace"], "(cluster)"),
        (["kind": "PersistentVolume", "spec": ["hostPath": ["path": "/"]]], "hostPath (binds)"),
        (["kind": "PersistentVolume", "spec": ["local": ["path": "/"]]], "local (binds)"),
        (["kind": "PersistentVolume", "spec": ["csi": [:]]], "(volumes)"),
        (["kind": "PersistentVolumeClaim", "spec": ["volumeName": "pv"]], "(volumes)"),
        (
            ["kind": "StatefulSet", "spec": ["volumeClaimTemplates": [["spec": ["volumeName": "pv"]]]]],
            "claims a volume by its name (volumes)"
        ),
        (
            ["kind": "Role", "rules": [["resources": ["pods"], "verbs": ["get", "create"]]]],
            "may get, create pods (cluster)"
        ),
        (["kind": "Role", "rules": [["resources": ["pods/exec"], "verbs": ["get"]]]], "(cluster)"),
        (["kind": "Role", "rules": [["resources": ["secrets"], "verbs": ["list"]]]], "(cluster)"),
        (["kind": "Role", "rules": [["resources": ["*"], "verbs": ["*"]]]], "(cluster)"),
        (["kind": "RoleBinding", "roleRef": ["kind": "ClusterRole", "name": "admin"]], "(cluster)"),
        (["kind": "RoleBinding", "roleRef": ["kind": "Role", "name": "of-others"]], "(cluster)"),
        (["kind": "Secret", "type": "kubernetes.io/service-account-token"], "(cluster)"),
        (["kind": "Service", "spec": ["externalIPs": ["192.0.2.1"]]], "externalIPs (host_network)"),
        (["kind": "ConfigMap", "apiVersion": "v1", "metadata": ["namespace": "kube-system"]], "in another namespace"),
        (["kind": "ConfigMap", "apiVersion": "evil.example/v1"], "not known (other)"),
        (["kind": "HelmChart", "apiVersion": "helm.cattle.io/v1"], "not known (other)"),
        (["kind": 1], "is of no kind"), (["kind": "Deployment"], "no pod that can be read"),
        (["kind": "PodList", "items": "x"], "a list of another form"),
    ]

    @Test(arguments: objects)
    func `an object is refused that reaches beyond its namespace`(object: JSONValue, told: String) async throws {
        let node = try await KubernetesNode()
        let error = await Self.refused(node, ["extra": [object]])
        #expect(
            error?.code == .permissionDenied && error?.cause?.contains(told) == true, "\(String(describing: error))")
    }

    @Test func `an ordinary chart is taken, with rights of its own that make nothing`() async throws {
        let node = try await KubernetesNode()
        let values: JSONObject = [
            "pod": [
                "serviceAccountName": "shop", "hostNetwork": false, "hostPID": .null,
                "volumes": [
                    ["name": "a", "emptyDir": [:]], ["name": "b", "persistentVolumeClaim": ["claimName": "data"]],
                    ["name": "c", "projected": ["sources": []]],
                ], "securityContext": ["runAsNonRoot": true, "seccompProfile": ["type": "RuntimeDefault"]],
            ],
            "container": [
                "securityContext": [
                    "privileged": false, "capabilities": ["drop": ["ALL"], "add": ["NET_BIND_SERVICE"]],
                ],
                "livenessProbe": ["httpGet": ["port": 80, "httpHeaders": [["name": "host", "value": "a.example"]]]],
                "resources": ["limits": ["cpu": 1, "memory": "1Gi"]],
            ],
            "extra": [
                ["kind": "Role", "metadata": ["name": "r"], "rules": [["resources": ["configmaps"], "verbs": ["*"]]]],
                ["kind": "RoleBinding", "roleRef": ["kind": "Role", "name": "r"]],
                ["kind": "ConfigMap", "apiVersion": "v1", "metadata": ["namespace": .string(node.namespace)]],
                ["kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1"],
                ["kind": "ConfigMapList", "items": .null],
                ["kind": "PersistentVolumeClaim", "spec": ["storageClassName": "fast"]],
            ],
        ]
        #expect(try await node.install("1.0.0", values).changed)
    }

    @Test func `the node's owner allows by words, each for itself`() async throws {
        let values: JSONObject = ["pod": ["hostNetwork": true, "hostPID": true]]
        let half = try await KubernetesNode(allows: [.hostNetwork])
        let error = await Self.refused(half, values)
        #expect(error?.cause == "Deployment shop-web: hostPID (namespaces)")
        let whole = try await KubernetesNode(allows: [.hostNetwork, .namespaces])
        #expect(try await whole.install("1.0.0", values).changed)
    }

    @Test func `what nobody can judge is not allowed by any word`() async throws {
        let node = try await KubernetesNode(allows: Set(ChartRisk.allCases))
        for text in [
            "a: b\n---kind: Pod\n", "---\n- a list\n", "---\na: {\n", "---\nkind: &a [*a]\n",
            "---\nkind: Pod\nkind: ConfigMap\n",
            "---\nkind: ConfigMap\n...\nkind: Pod\n",
            String(repeating: "---\nkind: ConfigMap\napiVersion: v1\n", count: 2100),
        ] {
            try node.set(["rendered": .string(text)])
            let error = await Self.refused(node, ["password": "hunter2hunter2"])
            #expect(error?.code == .permissionDenied, "\(text.prefix(60)): \(String(describing: error))")
            #expect(error?.message == "what the chart would make cannot be judged")
        }
        try node.set(["rendered": "---\n# nothing\n---   # but a remark\r\n\n---\r\n{}\n---"])
        #expect(try await node.install().changed)
    }

    @Test func `hooks, definitions and tests are judged as well`() async throws {
        let node = try await KubernetesNode()
        let pod =
            "kind: Pod\nmetadata:\n  name: x\n  annotations: {helm.sh/hook: test}\nspec:\n  hostPID: true\n  containers: []\n"
        try node.set(["rendered": .string("---\n# Source: store/templates/tests/x.yaml\n\(pod)")])
        #expect(await Self.refused(node, [:])?.cause == "Pod x: hostPID (namespaces)")
        try node.set(["definitions": .string("---\n# Source: store/crds/x.yaml\napiVersion: v1\n\(pod)")])
        #expect(await Self.refused(node, [:])?.cause == "Pod x: hostPID (namespaces)")
    }

    /// Rendered twice, a template can be two things.
    @Test func `templates in values are the owner's to allow, and so are the cluster's own namespaces`() async throws {
        let values: JSONObject = ["a": [["b": "{{ randNumeric 1 }}"]]]
        let node = try await KubernetesNode()
        #expect(await Self.refused(node, values)?.cause == "values with {{ (templates)")
        #expect(await Self.refused(node, ["a": ["{{ x }}": 1]])?.code == .permissionDenied)
        #expect(try await KubernetesNode(allows: [.templates]).install("1.0.0", values).changed)
        let error = await refusal {
            try await node.driver.perform(
                ActionCall(
                    action: "release.install", resource: "helm/kube-system/shop",
                    arguments: ["namespace": "kube-system", "release": "shop", "chart": node.chart("1.0.0")]),
                node.context)
        }
        #expect(error?.cause == "namespace kube-system (cluster)")
    }

    @Test func `an upgrade is judged as one, with the values that it keeps`() async throws {
        let node = try await KubernetesNode(allows: [.hostNetwork])
        try await node.install("1.0.0", ["pod": ["hostNetwork": true]])
        let error = await refusal {
            try await node.perform(
                "upgrade",
                [
                    "chart": node.chart("1.0.0"), "keep_values": true, "wait": false,
                    "values": ["pod": ["hostPID": true]],
                ])
        }
        #expect(error?.code == .permissionDenied && error?.changed == false)
        #expect(try node.calls(of: "helm", "template").last?["words"]?.asArray?.contains("--is-upgrade") == true)
        #expect(try await node.statuses() == ["deployed"])
    }

    @Test func `a secret of the values is in no reason`() async throws {
        let node = try await KubernetesNode()
        let error = await refusal {
            try await node.perform(
                "install", ["chart": node.chart("1.0.0")],
                secrets: ["values": ["extra": [["kind": "Evil", "metadata": ["name": "hunter2hunter2"]]]]])
        }
        #expect(error?.code == .permissionDenied && error?.cause?.contains("hunter2") == false)
        try node.set(["rendered": "---\na: {hunter2hunter2\n"])
        let unread = await refusal {
            try await node.perform(
                "install", ["chart": node.chart("1.0.0")], secrets: ["values": ["password": "hunter2hunter2"]])
        }
        #expect(unread?.code == .permissionDenied && unread?.cause?.contains("hunter2") == false)
    }
}
