import WireProtocol

/// What the objects of a chart ask for, kind by kind. What is not known is told as well: a list of what is dangerous would be
/// out of date with the next version of Kubernetes.
struct ChartCheck: Sendable {
    /// Of the release.
    let namespace: String
    let objects: [JSONObject]
    /// What the chart itself brings, by kind.
    private let brought: [String: Set<String>]

    init(_ chart: RenderedChart, in namespace: String) {
        self.namespace = namespace
        objects = chart.objects
        brought = Dictionary(grouping: chart.objects) { $0["kind"]?.asString ?? "" }.mapValues { objects in
            Set(objects.compactMap { $0["metadata"]?["name"]?.asString })
        }
    }

    /// Kinds that reach no further than their namespace, by the groups of their interfaces.
    private static let harmless: [String: Set<String>] = [
        "ConfigMap": [""], "LimitRange": [""], "ResourceQuota": [""], "ServiceAccount": [""],
        "NetworkPolicy": ["networking.k8s.io"],
        "PodDisruptionBudget": ["policy"], "HorizontalPodAutoscaler": ["autoscaling"], "Lease": ["coordination.k8s.io"],
        "Certificate": ["cert-manager.io"], "Issuer": ["cert-manager.io"], "HTTPRoute": ["gateway.networking.k8s.io"],
        "ServiceMonitor": ["monitoring.coreos.com"], "PodMonitor": ["monitoring.coreos.com"],
        "PrometheusRule": ["monitoring.coreos.com"],
    ]

    /// Kinds that are no namespace's own, or have a say over what is in all of them.
    private static let clusterWide: Set<String> = [
        "APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterIssuer", "ClusterRole",
        "ClusterRoleBinding", "CustomResourceDefinition", "FlowSchema", "IngressClass", "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace", "Node", "PodSecurityPolicy",
        "PriorityClass", "PriorityLevelConfiguration", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeAttachment",
    ]

    /// Where the pod stands in what makes pods.
    private static let templates: [String: [String]] = [
        "CronJob": ["spec", "jobTemplate", "spec", "template"], "DaemonSet": ["spec", "template"],
        "Deployment": ["spec", "template"], "Job": ["spec", "template"], "Pod": [], "PodTemplate": ["template"],
        "ReplicaSet": ["spec", "template"], "ReplicationController": ["spec", "template"],
        "StatefulSet": ["spec", "template"],
    ]

    var findings: [ChartFinding] {
        // Service accounts of these are the cluster's own.
        (namespace.hasPrefix("kube-") ? [ChartFinding(.cluster, "namespace \(namespace)")] : [])
            + objects.flatMap { object in
                let name = object["metadata"]?["name"]?.asString ?? "without a name"
                return findings(of: object).map { $0.within("\(object["kind"]?.asString ?? "object") \(name)") }
            }
    }

    private func findings(of object: JSONObject) -> [ChartFinding] {
        guard let kind = object["kind"]?.asString else { return [ChartFinding(nil, "is of no kind")] }
        return place(of: object) + findings(of: object, kind)
    }

    private func place(of object: JSONObject) -> [ChartFinding] {
        guard let other = object["metadata"]?["namespace"], other != .null, other != .string(namespace) else {
            return []
        }
        return [ChartFinding(.cluster, "in another namespace")]
    }

    private func findings(of object: JSONObject, _ kind: String) -> [ChartFinding] {
        if let path = Self.templates[kind] {
            let pod = path.reduce(JSONValue.object(object)) { $0[$1] ?? .null }
            return PodCheck(pod, accounts: brought["ServiceAccount"] ?? []).findings + claims(of: object)
        }
        if Self.clusterWide.contains(kind) { return [ChartFinding(.cluster, "is the whole cluster's")] }
        switch kind {
        case "Role": return RightsCheck.findings(of: object)
        case "RoleBinding": return RightsCheck.binding(object, roles: brought["Role"] ?? [])
        case "Ingress": return ingress(object)
        case "Secret": return secret(object)
        case "Service": return service(object)
        case "PersistentVolume": return volume(object)
        case "PersistentVolumeClaim": return ClaimCheck.findings(of: object["spec"])
        default:
            let group = object["apiVersion"]?.asString.map { $0.contains("/") ? $0.prefix { $0 != "/" } : "" } ?? "?"
            return Self.harmless[kind]?.contains(String(group)) == true
                ? [] : [ChartFinding(.other, "is of a kind that is not known")]
        }
    }

    private func claims(of object: JSONObject) -> [ChartFinding] {
        (object["spec"]?["volumeClaimTemplates"]?.asArray ?? []).flatMap { ClaimCheck.findings(of: $0["spec"]) }
    }

    /// The cluster fills in the token of the account that it names.
    private func secret(_ object: JSONObject) -> [ChartFinding] {
        object["type"] == "kubernetes.io/service-account-token"
            ? [ChartFinding(.cluster, "asks for the token of an account")] : []
    }

    /// Some controllers take pieces of their own configuration from there.
    private func ingress(_ object: JSONObject) -> [ChartFinding] {
        (object["metadata"]?["annotations"]?.asObject?.keys ?? []).filter { $0.contains("snippet") }.map {
            ChartFinding(.other, "annotation \($0)")
        }
    }

    private func service(_ object: JSONObject) -> [ChartFinding] {
        let addresses = object["spec"]?["externalIPs"] ?? .null
        return addresses.isNothing ? [] : [ChartFinding(.hostNetwork, "externalIPs")]
    }

    private func volume(_ object: JSONObject) -> [ChartFinding] {
        let source = ["hostPath", "local"].first { object["spec"]?[$0] != nil }
        return [source.map { ChartFinding(.binds, $0) } ?? ChartFinding(.volumes, "is a volume of the cluster")]
    }
}

/// A claim of room.
enum ClaimCheck {
    /// - Parameter spec: of the claim.
    static func findings(of spec: JSONValue?) -> [ChartFinding] {
        (spec?["volumeName"] ?? .null).isNothing ? [] : [ChartFinding(.volumes, "claims a volume by its name")]
    }
}

/// Rights of accounts. Who may make a pod may make one that has the node.
enum RightsCheck {
    private static let makers: Set<String> = [
        "*", "cronjobs", "daemonsets", "deployments", "jobs", "pods", "podtemplates", "replicasets",
        "replicationcontrollers", "rolebindings", "roles", "serviceaccounts", "statefulsets",
    ]
    private static let making: Set<String> = ["*", "bind", "create", "escalate", "impersonate", "patch", "update"]
    private static let inside: Set<String> = ["attach", "ephemeralcontainers", "exec", "portforward", "proxy", "token"]

    static func findings(of role: JSONObject) -> [ChartFinding] {
        (role["rules"]?.asArray ?? []).flatMap { rule -> [ChartFinding] in
            let (resources, verbs) = (words(rule["resources"]), words(rule["verbs"]))
            return resources.filter { isTooMuch($0, verbs, isNamed: !(rule["resourceNames"] ?? .null).isNothing) }.map {
                ChartFinding(.cluster, "may \(verbs.joined(separator: ", ")) \($0)")
            }
        }
    }

    private static func isTooMuch(_ resource: String, _ verbs: [String], isNamed: Bool) -> Bool {
        let parts = resource.split(separator: "/", maxSplits: 1).map(String.init)
        if parts.count == 2, inside.contains(parts[1]) || parts[1] == "*" { return true }
        if parts.first == "secrets", !isNamed { return true }
        return makers.contains(parts.first ?? "*") && verbs.contains(where: making.contains)
    }

    /// - Parameter roles: that the chart itself brings, and that are judged by themselves.
    static func binding(_ binding: JSONObject, roles: Set<String>) -> [ChartFinding] {
        let role = binding["roleRef"]
        if role?["kind"] == "Role", let name = role?["name"]?.asString, roles.contains(name) { return [] }
        return [ChartFinding(.cluster, "gives rights that are not the chart's own")]
    }

    private static func words(_ value: JSONValue?) -> [String] {
        (value?.asArray ?? []).map { $0.asString ?? "*" }
    }
}

extension JSONValue {
    /// Whether it says as much as if it were not there.
    var isNothing: Bool {
        switch self {
        case .null: true
        case .array(let items): items.isEmpty
        case .object(let object): object.isEmpty
        case .string(let text): text.isEmpty
        default: false
        }
    }

    /// Whether it is not asked for. What only some readers take for false is.
    var isOff: Bool { self == .bool(false) || self == .integer(0) || isNothing }
}
