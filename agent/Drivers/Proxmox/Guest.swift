import WireProtocol

/// A container as its configuration and the kernel show it.
struct Guest: Sendable {
    let vmid: Int
    let config: GuestConfig
    let isRunning: Bool
    /// Whether its power is asked of the HA manager, which acts some time later.
    let isHAManaged: Bool

    var json: JSONObject {
        var json: JSONObject = [
            "vmid": .integer(Int64(vmid)), "present": true, "status": isRunning ? "running" : "stopped",
            "hostname": .string(config["hostname"] ?? "CT\(vmid)"), "template": .bool(config.isTemplate),
            "protection": .bool(config["protection"] == "1"), "on_boot": .bool(config["onboot"] == "1"),
            "unprivileged": .bool(config["unprivileged"] == "1"), "ha": .bool(isHAManaged),
            "tags": .array(config.tags.map { .string($0) }), "networks": .array(networks), "volumes": .array(volumes),
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

    /// Bytes of a disk (`rootfs`, `mp0`); nil when there is none.
    func size(of disk: String) -> Int64? {
        config[disk].flatMap { PropertyText($0)["size"] }.flatMap(SizeText.bytes)
    }
}
