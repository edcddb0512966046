import DriverKit
import Model
import WireProtocol

/// The containers of a node with Proxmox, with what is in them: a WordPress that calls an address its own.
struct GuestModel {
    struct Guest: Equatable {
        var service: String
        var nonce: String
        var memory: Int64
        var cores: Int64
        var disk: Int64
        var address: String
        var mac: String
        var isRunning = false
        /// The address that WordPress in it calls its own; nil before it is installed.
        var home: String?
        var snapshots: [String: String?] = [:]
    }

    private static func seen(_ observed: JSONObject) -> Answer {
        .success(ActionOutcome(changed: false, observed: observed))
    }

    private(set) var guests: [Int64: Guest] = [:]
    /// What WordPress called its own when a backup was made, by name.
    private(set) var backups: [String: String?] = [:]
    private var made = 0

    typealias Answer = EngineModel.Answer

    mutating func perform(_ call: ActionCall, as command: String) -> Answer {
        let arguments = call.arguments
        switch call.action {
        case "cluster.status": return Self.seen(["quorate": true, "nodes": []])
        case "storage.list": return Self.seen(["storages": [["storage": "pool"], ["storage": "backups"]]])
        case "backup.list":
            let start = "backups:backup/vzdump-lxc-\(arguments["vmid"]?.asInteger ?? 0)-"
            let names = backups.keys.filter { $0.hasPrefix(start) }.sorted()
            return Self.seen(["backups": .array(names.map { ["backup": .string($0), "size_bytes": 1] })])
        case "backup.destroy":
            let name = arguments["backup"]?.asString ?? ""
            let isThere = backups.removeValue(forKey: name) != nil
            return .success(ActionOutcome(changed: isThere, observed: ["present": false]))
        default: break
        }
        let vmid = arguments["vmid"]?.asInteger ?? 0
        let before = guests[vmid]
        do throws(DriverError) {
            let observed = try change(call, vmid, as: command)
            return .success(ActionOutcome(changed: before != guests[vmid], observed: observed ?? state(of: vmid)))
        } catch { return .failure(error) }
    }

    private mutating func change(
        _ call: ActionCall, _ vmid: Int64, as command: String
    ) throws(DriverError) -> JSONObject? {
        if call.action == "container.create" { return try create(call, vmid, as: command) }
        guard var guest = guests[vmid] else {
            if call.action == "container.destroy" { return ["present": false] }
            throw DriverError(.notFound, "there is no container \(vmid)")
        }
        if call.action != "container.mark" { try check(guest, call) }
        let observed = try work(&guest, call, vmid, as: command)
        if call.action == "container.destroy" { guests[vmid] = nil } else { guests[vmid] = guest }
        return observed
    }

    private func check(_ guest: Guest, _ call: ActionCall) throws(DriverError) {
        guard let service = call.arguments["mark"]?["service"]?.asString else { return }
        let nonce = call.arguments["mark"]?["nonce"]?.asString
        guard guest.service == service, nonce == nil || nonce == guest.nonce else {
            throw DriverError(.foreign, "the container is another's, or of another making")
        }
    }

    private mutating func create(
        _ call: ActionCall, _ vmid: Int64, as command: String
    ) throws(DriverError) -> JSONObject? {
        let arguments = call.arguments
        let service = arguments["mark"]?["service"]?.asString ?? ""
        if let there = guests[vmid] {
            guard there.service == service else { throw DriverError(.foreign, "the id is taken") }
            return nil
        }
        let card = arguments["networks"]?.asArray?.first
        guests[vmid] = Guest(
            service: service, nonce: command, memory: arguments["memory_mib"]?.asInteger ?? 0,
            cores: arguments["cores"]?.asInteger ?? 0, disk: arguments["rootfs"]?["size_gib"]?.asInteger ?? 0,
            address: Self.address(card), mac: card?["mac"]?.asString ?? "")
        return nil
    }

    private static func address(_ card: JSONValue?) -> String {
        String((card?["ip"]?.asString ?? "").prefix { $0 != "/" })
    }

    /// What is done to a container that is there; gives what is observed, where it is not the container.
    private mutating func work(
        _ guest: inout Guest, _ call: ActionCall, _ vmid: Int64, as command: String
    ) throws(DriverError) -> JSONObject? {
        let arguments = call.arguments
        let snapshot = arguments["snapshot"]?.asString ?? ""
        switch call.action {
        case "container.inspect", "container.destroy":
            return call.action.hasSuffix("destroy") ? ["present": false] : nil
        case "container.mark":
            guest.service = arguments["mark"]?["service"]?.asString ?? guest.service
            guest.nonce = arguments["mark"]?["nonce"]?.asString ?? command
        case "container.start", "container.restart": guest.isRunning = true
        case "container.shutdown": guest.isRunning = false
        case "container.set":
            guest.memory = arguments["memory_mib"]?.asInteger ?? guest.memory
            guest.cores = arguments["cores"]?.asInteger ?? guest.cores
            if let card = arguments["networks"]?.asArray?.first { guest.address = Self.address(card) }
        case "container.resize":
            let size = (arguments["size_mib"]?.asInteger ?? 0) / 1024
            guard size >= guest.disk else { throw DriverError(.conflict, "a disk only grows") }
            guest.disk = size
        case "container.backup":
            made += 1
            let name = "backups:backup/vzdump-lxc-\(vmid)-\(made).tar.zst"
            backups[name] = guest.home
            return ["backup": .string(name), "size_bytes": 1]
        case "container.restore":
            guard let home = backups[arguments["backup"]?.asString ?? ""] else {
                throw DriverError(.notFound, "no such backup")
            }
            guard !guest.isRunning else { throw DriverError(.conflict, "it runs") }
            (guest.home, guest.snapshots, guest.nonce) = (home, [:], command)
        case "snapshot.ensure": if guest.snapshots[snapshot] == nil { guest.snapshots[snapshot] = .some(guest.home) }
        case "snapshot.destroy": guest.snapshots[snapshot] = nil
        case "recipe.look":
            let state = JSONValue.string(guest.isRunning ? "running" : "stopped")
            return ["returned": ["nginx": state, "php_fpm": state, "mariadb": state, "front_page": "200"]]
        case "recipe.run":
            guard guest.isRunning else { throw DriverError(.conflict, "it does not run") }
            let url = arguments["parameters"]?["url"]?.asString
            if ["install", "address"].contains(arguments["verb"]?.asString ?? "install") { guest.home = url }
            return ["recipe": "wordpress", "returned": ["url": .string(url ?? ""), "wordpress_version": "6.8"]]
        default: throw DriverError(.unsupported, "nobody knows \(call.action)")
        }
        return nil
    }

    func state(of vmid: Int64) -> JSONObject {
        guard let guest = guests[vmid] else { return ["vmid": .integer(vmid), "present": false] }
        return [
            "vmid": .integer(vmid), "present": true, "status": guest.isRunning ? "running" : "stopped", "ha": false,
            "owner": .string(guest.service), "nonce": .string(guest.nonce),
            "snapshots": .array(guest.snapshots.keys.sorted().map { .string($0) }),
            "networks": [["device": "net0", "mac": .string(guest.mac.uppercased())]],
        ]
    }
}
