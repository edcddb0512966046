import DriverKit
import WireProtocol

/// A container as its configuration and the kernel show it.
struct Guest: Sendable {
    let vmid: Int
    let config: GuestConfig
    let isRunning: Bool
    /// What the HA manager was asked for (`started`, `stopped`), which acts some time later; nil where it is not asked.
    let spec: String?

    /// Whether its power is asked of the HA manager.
    var isHAManaged: Bool { spec != nil }

    /// Whether it is so, and nothing that was asked for makes it otherwise later.
    func isSettled(on: Bool) -> Bool { isRunning == on && spec.map { HAFiles.isOn($0) == on } ?? true }

    var json: JSONObject {
        var json: JSONObject = [
            "vmid": .integer(Int64(vmid)), "present": true, "status": isRunning ? "running" : "stopped",
            "hostname": .string(config["hostname"] ?? "CT\(vmid)"), "template": .bool(config.isTemplate),
            "protection": .bool(config["protection"] == "1"), "on_boot": .bool(config["onboot"] == "1"),
            "unprivileged": .bool(config["unprivileged"] == "1"), "ha": .bool(isHAManaged),
            "tags": .array(config.tags.map { .string($0) }), "networks": .array(networks),
            "volumes": .array(volumes + unused),
            "snapshots": .array(config.snapshots.map { .string($0.name) }),
        ]
        for (name, key) in [("memory_mib", "memory"), ("swap_mib", "swap"), ("cores", "cores")] {
            json[name] = config[key].flatMap { Int64($0) }.map { .integer($0) }
        }
        for key in ["lock", "parent", "features", "ostype"] { json[key] = config[key].map { .string($0) } }
        json["owner"] = mark?.service.map { .string($0) }
        json["nonce"] = mark.map { .string($0.nonce) }
        json["copy_of"] = markedFor.map { .integer(Int64($0)) }
        let (removals, waiting) = (config.pendingRemovals, config.waiting)
        if !waiting.isEmpty { json["pending"] = .array(waiting.sorted().map { .string($0) }) }
        if !removals.isEmpty { json["pending_removals"] = .array(removals.sorted().map { .string($0) }) }
        json["ha_wish"] = spec.map { .string($0) }
        if !devices.isEmpty { json["devices"] = .array(devices) }
        if !config.raw.isEmpty { json["raw"] = .array(raw) }
        return json
    }

    private var networks: [JSONValue] {
        config.numbered("net").map { key, properties in
            var json: JSONObject = ["device": .string(key)]
            let names = [
                ("name", "name"), ("bridge", "bridge"), ("ip", "ip"), ("gateway", "gw"), ("ip6", "ip6"),
                ("gateway6", "gw6"), ("mac", "hwaddr"), ("vlan", "tag"), ("firewall", "firewall"), ("rate", "rate"),
            ]
            for (name, property) in names { json[name] = properties[property].map { .string($0) } }
            return .object(json)
        }
    }

    private var volumes: [JSONValue] {
        let root = config["rootfs"].map { [("rootfs", PropertyText($0))] } ?? []
        return (root + config.numbered("mp").map { ($0.key, $0.properties) }).map { key, properties in
            var json: JSONObject = ["disk": .string(key)]
            json["volume"] = properties.first.map { .string($0) }
            json["size_bytes"] = properties["size"].flatMap(SizeText.bytes).map { .integer($0) }
            json["path"] = properties["mp"].map { .string($0) }
            return .object(json)
        }
    }

    /// Volumes that belong to it and are mounted nowhere.
    private var unused: [JSONValue] {
        config.numbered("unused").map { key, properties in
            ["disk": .string(key), "volume": properties.first.map { .string($0) } ?? nil, "unused": true]
        }
    }

    /// Devices of the node that it may use.
    private var devices: [JSONValue] {
        config.numbered("dev").map { key, properties in
            var json: JSONObject = ["device": .string(key)]
            json["path"] = (properties.first ?? properties["path"]).map { .string($0) }
            for name in ["mode", "uid", "gid"] { json[name] = properties[name].map { .string($0) } }
            if properties["deny-write"] == "1" { json["read_only"] = true }
            return .object(json)
        }
    }

    /// Lines that go to LXC as they stand. A variable of the environment may be a secret: only its name is shown.
    private var raw: [JSONValue] {
        config.raw.prefix(Self.rawLimit).map { line in
            let isVariable = line.key.hasPrefix("lxc.environment")
            let text = isVariable ? String(line.value.prefix { $0 != "=" }) + "=…" : line.value
            return ["key": .string(line.key.beginning(100)), "value": .string(text.beginning(300))]
        }
    }

    private static let rawLimit = 64

    /// Bytes of a disk (`rootfs`, `mp0`); nil when there is none.
    func size(of disk: String) -> Int64? {
        config[disk].flatMap { PropertyText($0)["size"] }.flatMap(SizeText.bytes)
    }
}
