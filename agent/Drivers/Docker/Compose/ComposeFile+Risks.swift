import DriverKit
import Glibc
import WireProtocol

/// What a file asks for that could make it the node's master.
struct ComposeFinding: Sendable, Hashable {
    let risk: ComposeRisk
    /// `service web: privileged`.
    let place: String
}

extension ComposeFile {
    /// Keys of services that reach no further than their container.
    private static let harmless: Set<String> = [
        "annotations", "attach", "cap_drop", "command", "configs", "container_name", "cpu_count", "cpu_percent",
        "cpu_period", "cpu_quota", "cpu_shares", "cpus", "cpuset", "depends_on", "dns", "dns_opt", "dns_search",
        "domainname", "entrypoint", "environment", "expose", "external_links", "extra_hosts", "group_add",
        "healthcheck", "hostname", "image", "init", "links", "logging", "mac_address", "mem_limit", "mem_reservation",
        "mem_swappiness", "memswap_limit", "networks", "oom_score_adj", "pids_limit", "platform", "ports", "profiles",
        "pull_policy", "read_only", "restart", "scale", "secrets", "shm_size", "stdin_open", "stop_grace_period",
        "stop_signal", "tmpfs", "tty", "ulimits", "user", "working_dir",
    ]

    private static let risky: [String: ComposeRisk] = [
        "pid": .namespaces, "ipc": .namespaces, "uts": .namespaces, "userns_mode": .namespaces, "cgroup": .namespaces,
        "cgroup_parent": .capabilities, "cap_add": .capabilities, "sysctls": .capabilities, "runtime": .capabilities,
        "devices": .devices, "device_cgroup_rules": .devices, "gpus": .devices, "blkio_config": .devices,
        "build": .build, "env_file": .files, "label_file": .files, "extends": .files, "credential_spec": .files,
        "provider": .files, "use_api_socket": .files, "volumes_from": .volumes,
    ]

    /// - Parameters:
    ///   - data: the project's own folder for what its containers keep.
    ///   - binds: says whether another folder of the node may be mounted.
    func findings(project: String, data: String, binds: (String) -> Bool) -> [ComposeFinding] {
        var found: [ComposeFinding] = []
        for (name, body) in services {
            for (risk, what) in Self.risks(body, data, binds) {
                found.append(ComposeFinding(risk: risk, place: "service \(name): \(what.printable(limit: 200))"))
            }
        }
        for member in tree["volumes"]?.asObject?.members ?? [] {
            for (risk, what) in Self.volumeRisks(member, project, data, binds) {
                found.append(ComposeFinding(risk: risk, place: "volume \(member.key): \(what.printable(limit: 200))"))
            }
        }
        for part in ["secrets", "configs"] {
            for member in tree[part]?.asObject?.members ?? [] where member.value["file"] != nil {
                found.append(ComposeFinding(risk: .files, place: "\(part) \(member.key): file"))
            }
        }
        return found
    }

    private static func risks(
        _ body: JSONObject, _ data: String, _ binds: (String) -> Bool
    ) -> [(ComposeRisk, String)] {
        var found: [(ComposeRisk, String)] = []
        for member in body.members where !isEmpty(member.value) && !harmless.contains(member.key) {
            switch member.key {
            case "privileged": if !member.value.isOff { found.append((.privileged, "privileged")) }
            case "network_mode": found += networkMode(member.value)
            case "security_opt": found += options(member.value).map { (.capabilities, "security_opt \($0)") }
            case "volumes": found += (member.value.asArray ?? []).flatMap { mount($0, data, binds) }
            case "labels": found += labels(member.value).map { (.other, "label \($0)") }
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

    private static func mount(
        _ value: JSONValue, _ data: String, _ binds: (String) -> Bool
    ) -> [(ComposeRisk, String)] {
        guard let mount = ComposeMount(value) else { return [] }
        if value["bind"]?["propagation"] != nil { return [(.binds, "a mount's propagation")] }
        guard mount.isBind else {
            return ["volume", "tmpfs", "image"].contains(mount.kind) ? [] : [(.other, "a mount of type \(mount.kind)")]
        }
        // What a variable makes of it is seen once the tool has filled it in.
        if mount.source.hasPrefix("$") { return [] }
        return lies(mount.source, in: data) || binds(mount.source) ? [] : [(.binds, "mount of \(mount.source)")]
    }

    private static func volumeRisks(
        _ member: JSONObject.Member, _ project: String, _ data: String, _ binds: (String) -> Bool
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
        if let options = body["driver_opts"]?.asObject, !options.isEmpty {
            // With these a volume can be any folder or device of the node.
            let device = options["device"]?.asString ?? ""
            let isTemporary = options["type"] == "tmpfs"
            if !isTemporary, !lies(device, in: data), !device.hasPrefix("/") || !binds(device) {
                found.append((.binds, "driver_opts"))
            }
        }
        return found
    }

    /// Without symbolic links on the way: the project's containers could have made one.
    private static func lies(_ path: String, in folder: String) -> Bool {
        guard path == folder || path.hasPrefix(folder + "/"), !path.split(separator: "/").contains("..") else {
            return false
        }
        var existing = path
        while access(existing, F_OK) != 0, existing.count > folder.count {
            var status = stat()
            if lstat(existing, &status) == 0 { return false }
            existing = String(existing[..<(existing.lastIndex(of: "/") ?? existing.startIndex)])
        }
        guard access(existing, F_OK) == 0, let resolved = realpath(existing, nil), let home = realpath(folder, nil)
        else {
            return true
        }
        defer {
            free(resolved)
            free(home)
        }
        let (real, base) = (String(cString: resolved), String(cString: home))
        return real == base || real.hasPrefix(base + "/")
    }
}
