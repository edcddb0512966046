import DriverKit
import Glibc
import WireProtocol

/// Storages that were not searched when a container was removed, because they were away or the search broke off: disks of
/// it that no configuration named may still be there.
struct LeftoverNote: Sendable, Hashable {
    let storages: [String]

    init(storages: [String]) { self.storages = storages }

    init(_ text: String) { storages = text.split(separator: "\n").map(String.init).filter(Pattern.storage.accepts) }

    var text: String { storages.map { $0 + "\n" }.joined() }
}

/// Notes that outlive the agent, a file for each container.
extension NodeFiles {
    private var notes: String { "\(root)/var/lib/innkeeper/proxmox/leftovers" }

    /// False when it cannot be written.
    func note(_ vmid: Int, _ note: LeftoverNote) -> Bool {
        FileText.replace("\(notes)/\(vmid)", with: Array(note.text.utf8))
    }

    func leftover(_ vmid: Int) -> LeftoverNote? { FileText.read("\(notes)/\(vmid)").map { LeftoverNote($0) } }

    func leftovers() -> [(vmid: Int, note: LeftoverNote)] {
        (FileText.names(in: notes) ?? []).compactMap { name in
            Int(name).flatMap { vmid in leftover(vmid).map { (vmid, $0) } }
        }
    }

    func forgetLeftover(_ vmid: Int) { unlink("\(notes)/\(vmid)") }
}

extension ProxmoxDriver {
    /// What is said of a container that is gone.
    func gone(_ vmid: Int) async throws(DriverError) -> JSONObject {
        var json: JSONObject = ["vmid": .integer(Int64(vmid)), "present": false]
        if let note = try await files.aside({ $0.leftover(vmid) }) {
            json["not_searched"] = .array(note.storages.map { .string($0) })
        }
        return json
    }

    /// A look at the storages takes most of a second of a processor, and one that is away may be so for weeks.
    static let leftoverInterval = Duration.seconds(600)

    /// Removes what removals have left on storages that are back; the volumes, by the container that they were of.
    func sweepLeftovers() async -> [(Int, [String])] {
        guard let noted = try? await files.aside({ $0.leftovers() }), !noted.isEmpty,
            let all = try? await storages(content: "rootdir")
        else { return [] }
        let active = Set(all.filter(\.isActive).map(\.name)), known = Set(all.map(\.name))
        var removed: [(Int, [String])] = []
        for (vmid, note) in noted {
            // A storage that was taken from the cluster holds nothing of ours any more.
            let back = note.storages.filter(active.contains)
            guard let volumes = try? await removeUnreferenced(vmid, on: back) else { continue }
            if note.storages.allSatisfy({ active.contains($0) || !known.contains($0) }) {
                try? await files.aside { $0.forgetLeftover(vmid) }
            }
            if !volumes.isEmpty { removed.append((vmid, volumes)) }
        }
        return removed
    }

    /// Frees the disks of an id that no container has. They are listed before it is made sure that none has it: what is
    /// made meanwhile has a configuration before it has disks.
    /// - Throws: `conflict` when a container has the id again.
    func removeUnreferenced(_ vmid: Int, on storages: [String]) async throws(DriverError) -> [String] {
        var found: [String] = []
        for storage in storages {
            found += try await volumes(on: storage, content: "rootdir").filter { $0.vmid == vmid }.map(\.id)
        }
        guard !found.isEmpty else { return [] }
        if try await files.aside({ $0.guest(vmid) != nil || $0.stranger(vmid) != nil || $0.isBusy(vmid) }) {
            throw DriverError(.conflict, "container \(vmid) is there again")
        }
        for volume in found { try await tools.act(.pvesm, ["free", volume]) }
        return found
    }
}

extension FileText {
    /// Writes a small file of the agent's own, whole or not at all, with the folders that it needs.
    static func replace(_ path: String, with bytes: [UInt8]) -> Bool {
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += "/\(part)"
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { return false }
        }
        let aside = path + ".new"
        unlink(aside)
        guard privateFile(bytes, at: aside) != nil else { return false }
        return rename(aside, path) == 0
    }
}
