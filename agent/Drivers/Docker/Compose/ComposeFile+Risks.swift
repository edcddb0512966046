import DriverKit
import WireProtocol

/// What a file asks for that could make it the node's master.
struct ComposeFinding: Sendable, Hashable {
    /// The word that allows it; nil where nothing does.
    let risk: ComposeRisk?
    /// `service web: privileged`.
    let place: String

    var text: String { place + (risk.map { " (\($0.rawValue))" } ?? "") }
}

/// A folder or file of the node that a file wants to show to a container.
struct ComposeBind: Sendable, Hashable {
    /// `service web: mount of /srv`.
    let place: String
    let bind: NodeBind
}

extension ComposeFile {
    /// Keys of services that reach no further than their container.
    private static let harmless: Set<String> = [
        "attach", "cap_drop", "command", "configs", "container_name", "cpu_count", "cpu_percent",
        "cpu_period", "cpu_quota", "cpu_shares", "cpus", "cpuset", "depends_on", "dns", "dns_opt", "dns_search",
        "domainname", "entrypoint", "environment", "expose", "external_links", "extra_hosts", "group_add",
        "healthcheck", "hostname", "image", "init", "links", "mac_address", "mem_limit", "mem_reservation",
        "mem_swappiness", "memswap_limit", "networks", "oom_score_adj", "pids_limit", "platform", "ports", "profiles",
        "pull_policy", "read_only", "restart", "scale", "secrets", "shm_size", "stdin_open", "stop_grace_period",
        "stop_signal", "tmpfs", "tty", "ulimits", "user", "working_dir",
    ]

    private static let risky: [String: ComposeRisk] = [
        "pid": .namespaces, "ipc": .namespaces, "uts": .namespaces, "userns_mode": .namespaces, "cgroup": .namespaces,
        "cgroup_parent": .capabilities, "annotations": .capabilities, "cap_add": .capabilities,
        "sysctls": .capabilities, "runtime": .capabilities,
        "devices": .devices, "device_cgroup_rules": .devices, "gpus": .devices, "blkio_config": .devices,
        "build": .build, "env_file": .files, "label_file": .files, "extends": .files, "credential_spec": .files,
        "provider": .files, "use_api_socket": .files, "volumes_from": .volumes,
    ]

    /// What it asks for beside mounts of the node, which `binds` tells.
    /// - Parameter isFilledIn: whether the tool has put the variables in. Before that, what depends on one is not judged.
    func findings(project: String, isFilledIn: Bool) -> [ComposeFinding] {
        var found: [ComposeFinding] = []
        func add(_ part: String, _ risks: [(ComposeRisk, String)]) {
            for (risk, what) in risks {
                found.append(ComposeFinding(risk: risk, place: "\(part): \(what.printable(limit: 200))"))
            }
        }
        for (name, body) in services { add("service \(name)", Self.risks(body, isFilledIn)) }
        for member in tree["volumes"]?.asObject?.members ?? [] {
            add("volume \(member.key)", Self.volumeRisks(member, project, isFilledIn))
        }
        for member in tree["networks"]?.asObject?.members ?? [] {
            add("network \(member.key)", Self.networkRisks(member))
        }
        for part in ["secrets", "configs"] {
            for member in tree[part]?.asObject?.members ?? [] where member.value["file"] != nil {
                add("\(part) \(member.key)", [(.files, "file")])
            }
        }
        return found
    }

    /// Names of the node's networks that it joins.
    var joinedNetworks: [String] {
        (tree["networks"]?.asObject?.members ?? []).compactMap { member in
            guard let external = member.value["external"], external != false else { return nil }
            return member.value["name"]?.asString ?? external["name"]?.asString ?? member.key
        }
    }

    /// Every folder and file of the node that a container is to see, by whichever way.
    func binds(isFilledIn: Bool) -> [ComposeBind] {
        let mounts = services.flatMap { name, body in
            (body["volumes"]?.asArray ?? []).compactMap { value -> ComposeBind? in
                guard let mount = ComposeMount(value), mount.isBind, isFilledIn || !mount.source.contains("$") else {
                    return nil
                }
                let place = "service \(name): mount of \(mount.source.printable(limit: 200))"
                return ComposeBind(place: place, bind: NodeBind(source: mount.source, isReadOnly: mount.isReadOnly))
            }
        }
        let volumes = (tree["volumes"]?.asObject?.members ?? []).compactMap { member -> ComposeBind? in
            guard let source = VolumeOptions(member.value["driver_opts"])?.folder, isFilledIn || !source.contains("$")
            else { return nil }
            let place = "volume \(member.key): \(source.printable(limit: 200))"
            return ComposeBind(place: place, bind: NodeBind(source: source, isReadOnly: false))
        }
        return mounts + volumes
    }

    private static func risks(_ body: JSONObject, _ isFilledIn: Bool) -> [(ComposeRisk, String)] {
        var found: [(ComposeRisk, String)] = []
        for member in body.members where !isEmpty(member.value) && !harmless.contains(member.key) {
            switch member.key {
            case "privileged": if !member.value.isOff { found.append((.privileged, "privileged")) }
            case "network_mode": found += networkMode(member.value)
            case "security_opt": found += options(member.value).map { (.capabilities, "security_opt \($0)") }
            case "volumes": found += (member.value.asArray ?? []).flatMap { mount($0, isFilledIn) }
            case "labels": found += labels(member.value).map { (.other, "label \($0)") }
            case "logging": found += logging(member.value).map { (.other, "logging \($0)") }
            case "deploy":
                if let devices = member.value["resources"]?["reservations"]?["devices"], !isEmpty(devices) {
                    found.append((.devices, "deploy.resources.reservations.devices"))
                }
            case "post_start", "pre_stop":
                let isPrivileged = (member.value.asArray ?? []).contains {
                    $0["privileged"].map { !$0.isOff } ?? false
                }
                if isPrivileged { found.append((.privileged, member.key)) }
            default:
                if !member.key.hasPrefix("x-") { found.append((risky[member.key] ?? .other, member.key)) }
            }
        }
        return found
    }

    private static func isEmpty(_ value: JSONValue) -> Bool {
        value == .null || value.asArray?.isEmpty == true || value.asObject?.isEmpty == true || value.asString == ""
    }

    private static func networkMode(_ value: JSONValue) -> [(ComposeRisk, String)] {
        let mode = value.asString ?? ""
        if ["none", "bridge"].contains(mode) || mode.hasPrefix("service:") { return [] }
        return [(mode == "host" ? .hostNetwork : .namespaces, "network_mode \(mode)")]
    }

    private static func options(_ value: JSONValue) -> [String] {
        let options = (value.asArray ?? [value]).map { $0.asString ?? $0.text }
        return options.filter {
            !["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"].contains($0)
        }
    }

    /// Labels by which Innkeeper and compose know what is theirs.
    private static func labels(_ value: JSONValue) -> [String] {
        let names = value.asObject?.keys ?? (value.asArray ?? []).map { $0.asString ?? "" }
        return names.filter { $0.hasPrefix("innkeeper.") || $0.hasPrefix("com.docker.compose.") }
    }

    /// Drivers that write where a file says, or speak to sockets of the node, could reach what listens there.
    private static func logging(_ value: JSONValue) -> [String] {
        let driver = value["driver"]?.asString ?? ""
        let options = (value["options"]?.asObject ?? [:]).members.filter { $0.value.text.contains("unix") }.map(\.key)
        return (["", "json-file", "local", "none", "journald", "syslog"].contains(driver) ? [] : [driver]) + options
    }

    private static func mount(_ value: JSONValue, _ isFilledIn: Bool) -> [(ComposeRisk, String)] {
        guard let mount = ComposeMount(value) else {
            // One that has no source shows nothing of the node, unless it is of no form that is known.
            let isPlain = value["source"] == nil && ["volume", "tmpfs"].contains(value["type"]?.asString ?? "volume")
            return value.asString != nil || isPlain ? [] : [(.binds, "a mount of another form")]
        }
        if value["bind"]?["propagation"] != nil { return [(.binds, "a mount's propagation")] }
        if mount.isBind || !isFilledIn && mount.kind.contains("$") { return [] }
        return ["volume", "tmpfs", "image"].contains(mount.kind) ? [] : [(.other, "a mount of type \(mount.kind)")]
    }

    private static func volumeRisks(
        _ member: JSONObject.Member, _ project: String, _ isFilledIn: Bool
    ) -> [(ComposeRisk, String)] {
        guard let body = member.value.asObject else { return [] }
        var found: [(ComposeRisk, String)] = []
        if let external = body["external"], !external.isOff { found.append((.volumes, "external")) }
        if let name = body["name"]?.asString, name != "\(project)_\(member.key)" {
            found.append((.volumes, "name \(name)"))
        }
        if let driver = body["driver"]?.asString, !["local", ""].contains(driver) {
            found.append((.other, "driver \(driver)"))
        }
        found += labels(body["labels"] ?? .null).map { (.other, "label \($0)") }
        // With these a volume can be any folder, device or server.
        if let options = body["driver_opts"], !isEmpty(options), VolumeOptions(options) == nil,
            isFilledIn || !options.text.contains("$")
        {
            found.append((.binds, "driver_opts"))
        }
        return found
    }

    /// Drivers that put containers onto the node's own cards, and options that name its bridges.
    private static func networkRisks(_ member: JSONObject.Member) -> [(ComposeRisk, String)] {
        guard let body = member.value.asObject else { return [] }
        var found: [(ComposeRisk, String)] = []
        let driver = body["driver"]?.asString ?? ""
        if ["host", "macvlan", "ipvlan"].contains(driver) { found.append((.hostNetwork, "driver \(driver)")) }
        if !["", "bridge", "default", "none", "null", "host", "macvlan", "ipvlan"].contains(driver) {
            found.append((.other, "driver \(driver)"))
        }
        if let options = body["driver_opts"], !isEmpty(options) { found.append((.hostNetwork, "driver_opts")) }
        return found + labels(body["labels"] ?? .null).map { (.other, "label \($0)") }
    }
}

/// Options of a local volume that are understood whole: a temporary one, or a folder of the node.
private struct VolumeOptions {
    /// Nil for one in memory.
    let folder: String?

    /// Nil for any other. The engine hands them to the kernel as they are: `o: bind` binds whatever the type says.
    init?(_ value: JSONValue?) {
        guard let options = value?.asObject, options.keys.allSatisfy(["type", "o", "device"].contains) else {
            return nil
        }
        let words = (options["o"]?.asString ?? "").split(separator: ",").map(String.init)
        let device = options["device"]?.asString ?? ""
        switch options["type"]?.asString {
        case "tmpfs":
            let plain = ["rw", "ro", "nosuid", "nodev", "noexec", "noatime"]
            let sized = ["size=", "mode=", "uid=", "gid=", "nr_inodes="]
            guard ["", "tmpfs", "none"].contains(device),
                words.allSatisfy({ word in plain.contains(word) || sized.contains { word.hasPrefix($0) } })
            else { return nil }
            folder = nil
        case "none":
            guard words.contains("bind"), words.allSatisfy(["bind", "rw", "ro"].contains), device.hasPrefix("/") else {
                return nil
            }
            folder = device
        default: return nil
        }
    }
}
