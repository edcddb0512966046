import WireProtocol

/// What a pod, or a template of pods, asks for.
struct PodCheck: Sendable {
    private let pod: JSONValue
    /// Accounts that the chart itself brings.
    private let accounts: Set<String>

    /// - Parameter pod: with `metadata` and `spec`.
    init(_ pod: JSONValue, accounts: Set<String>) { (self.pod, self.accounts) = (pod, accounts) }

    private static let harmless: Set<String> = [
        "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy",
        "enableServiceLinks", "hostAliases", "hostUsers", "hostname", "hostnameOverride", "imagePullSecrets",
        "nodeName", "nodeSelector", "os", "overhead", "preemptionPolicy", "priority", "priorityClassName",
        "readinessGates", "resources", "restartPolicy", "schedulerName", "schedulingGates", "setHostnameAsFQDN",
        "shareProcessNamespace", "subdomain", "terminationGracePeriodSeconds", "tolerations",
        "topologySpreadConstraints",
    ]

    var findings: [ChartFinding] {
        guard let spec = pod["spec"]?.asObject else { return [ChartFinding(nil, "has no pod that can be read")] }
        return annotations
            + spec.members.filter { !$0.value.isNothing && !Self.harmless.contains($0.key) }.flatMap(findings)
    }

    private func findings(of member: JSONObject.Member) -> [ChartFinding] {
        let (key, value) = (member.key, member.value)
        switch key {
        case "hostNetwork": return value.isOff ? [] : [ChartFinding(.hostNetwork, key)]
        case "hostPID", "hostIPC": return value.isOff ? [] : [ChartFinding(.namespaces, key)]
        case "runtimeClassName": return [ChartFinding(.capabilities, key)]
        case "resourceClaims": return [ChartFinding(.devices, key)]
        case "serviceAccount", "serviceAccountName":
            let account = value.asString ?? "?"
            return account == "default" || accounts.contains(account)
                ? [] : [ChartFinding(.cluster, "runs as the account \(account), which is not the chart's own")]
        case "securityContext": return SecurityCheck.findings(of: value)
        case "volumes": return list(value, key, VolumeCheck.findings)
        case "containers", "initContainers", "ephemeralContainers":
            return list(value, key) { container in
                ContainerCheck(container).findings.map {
                    $0.within("container \(container["name"]?.asString ?? "?")")
                }
            }
        default: return [ChartFinding(.other, key)]
        }
    }

    private func list(
        _ value: JSONValue, _ key: String, _ judge: (JSONValue) -> [ChartFinding]
    ) -> [ChartFinding] {
        value.asArray.map { $0.flatMap(judge) } ?? [ChartFinding(nil, "\(key) cannot be read")]
    }

    /// How older clusters are told to leave a container unguarded.
    private var annotations: [ChartFinding] {
        (pod["metadata"]?["annotations"]?.asObject?.members ?? []).filter { member in
            (member.key.hasPrefix("container.apparmor.security") || member.key.contains("seccomp.security.alpha"))
                && member.value.asString?.hasPrefix("runtime/default") != true
        }.map { ChartFinding(.capabilities, $0.key) }
    }
}

/// A container of a pod.
struct ContainerCheck: Sendable {
    private let container: JSONValue

    init(_ container: JSONValue) { self.container = container }

    private static let harmless: Set<String> = [
        "args", "command", "env", "envFrom", "image", "imagePullPolicy", "name", "resizePolicy", "restartPolicy",
        "restartPolicyRules", "stdin", "stdinOnce", "targetContainerName", "terminationMessagePath",
        "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts", "workingDir",
    ]
    private static let counted: Set<String> = ["cpu", "ephemeral-storage", "memory"]

    var findings: [ChartFinding] {
        guard let members = container.asObject?.members else { return [ChartFinding(nil, "cannot be read")] }
        return members.filter { !$0.value.isNothing && !Self.harmless.contains($0.key) }.flatMap(findings)
    }

    private func findings(of member: JSONObject.Member) -> [ChartFinding] {
        let (key, value) = (member.key, member.value)
        switch key {
        case "securityContext": return SecurityCheck.findings(of: value)
        case "ports":
            let taken = (value.asArray ?? []).contains { !($0["hostPort"] ?? .null).isOff }
            return taken || value.asArray == nil ? [ChartFinding(.hostNetwork, "hostPort")] : []
        case "livenessProbe", "readinessProbe", "startupProbe", "lifecycle":
            // The node itself would knock there.
            return Self.names("host", in: value) ? [ChartFinding(.hostNetwork, "\(key).host")] : []
        case "resources":
            let counts = ["limits", "requests"].flatMap { value[$0]?.asObject?.keys ?? [] }
            let devices = counts.filter { !Self.counted.contains($0) && !$0.hasPrefix("hugepages-") }
            let claims = (value["claims"] ?? .null).isNothing ? [] : ["claims"]
            return Set(devices + claims).sorted().map { ChartFinding(.devices, "resources.\($0)") }
        default: return [ChartFinding(.other, key)]
        }
    }

    /// Whether an object has a member of this name, however deep it lies, that says something. Header fields of requests have
    /// names of their own.
    private static func names(_ name: String, in value: JSONValue) -> Bool {
        guard let object = value.asObject else { return false }
        return object.members.contains { ($0.key == name && !$0.value.isNothing) || names(name, in: $0.value) }
    }
}

/// A `securityContext`, of a pod or of a container.
enum SecurityCheck {
    private static let harmless: Set<String> = [
        "allowPrivilegeEscalation", "fsGroup", "fsGroupChangePolicy", "readOnlyRootFilesystem", "runAsGroup",
        "runAsNonRoot", "runAsUser", "seLinuxChangePolicy", "supplementalGroups", "supplementalGroupsPolicy",
    ]
    /// What container engines give anyway.
    private static let usual: Set<String> = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ]

    static func findings(of context: JSONValue) -> [ChartFinding] {
        guard let members = context.asObject?.members else {
            return [ChartFinding(nil, "securityContext cannot be read")]
        }
        return members.filter { !$0.value.isNothing && !harmless.contains($0.key) }.flatMap(findings)
    }

    private static func findings(of member: JSONObject.Member) -> [ChartFinding] {
        let (key, value) = (member.key, member.value)
        switch key {
        case "privileged": return value.isOff ? [] : [ChartFinding(.privileged, key)]
        case "windowsOptions":
            return (value["hostProcess"] ?? .null).isOff ? [] : [ChartFinding(.privileged, "hostProcess")]
        case "capabilities":
            let added = (value["add"] ?? .null).isNothing ? [] : value["add"]?.asArray ?? ["?"]
            return added.map { $0.asString ?? "?" }.filter { !usual.contains($0) }.map {
                ChartFinding(.capabilities, "capability \($0)")
            }
        case "seccompProfile", "appArmorProfile":
            return ["RuntimeDefault", "Localhost"].contains(value["type"]?.asString ?? "?")
                ? [] : [ChartFinding(.capabilities, key)]
        case "procMount": return value == "Default" ? [] : [ChartFinding(.capabilities, key)]
        case "seLinuxOptions", "sysctls": return [ChartFinding(.capabilities, key)]
        default: return [ChartFinding(.other, "securityContext.\(key)")]
        }
    }
}

/// A volume of a pod.
enum VolumeCheck {
    private static let harmless: Set<String> = [
        "configMap", "downwardAPI", "emptyDir", "image", "name", "persistentVolumeClaim", "projected", "secret",
    ]

    static func findings(of volume: JSONValue) -> [ChartFinding] {
        guard let members = volume.asObject?.members else { return [ChartFinding(nil, "a volume cannot be read")] }
        return members.filter { $0.value != .null && !harmless.contains($0.key) }.flatMap { member in
            let place = "volume \(volume["name"]?.asString ?? "?")"
            switch member.key {
            case "hostPath":
                return [ChartFinding(.binds, place, "hostPath \(member.value["path"]?.asString ?? "")")]
            case "ephemeral":
                return ClaimCheck.findings(of: member.value["volumeClaimTemplate"]?["spec"]).map {
                    $0.within(place)
                }
            default: return [ChartFinding(.volumes, place, member.key)]
            }
        }
    }
}
