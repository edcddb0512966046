import Dispatch
import DriverKit
import Glibc
import Synchronization
import WireProtocol

/// The files that a node keeps its containers in, read instead of asking a tool that takes a second each time.
///
/// `/etc/pve` is a file system of a process that may hang: it is read on one thread of its own, and waited for with a limit.
struct NodeFiles: Sendable {
    /// What all paths start with: empty on a real machine.
    let root: String
    /// This node's name in the cluster.
    let node: String
    private let queue: DispatchQueue
    /// Time limit of a look at the cluster's file system.
    private let patience: Duration

    /// - Throws: `unavailable` when the cluster's file system is not there.
    static func find(root: String, patience: Duration = .seconds(10)) async throws(DriverError) -> NodeFiles {
        let queue = DispatchQueue(label: "proxmox files")
        let name = try await aside(queue, patience) { () -> String? in
            // Links to `nodes/<name>` and `nodes/<name>/lxc`.
            for link in ["local", "lxc"] {
                guard let target = FileText.link("\(root)/etc/pve/\(link)") else { continue }
                let parts = target.split(separator: "/")
                if let place = parts.firstIndex(of: "nodes"), place + 1 < parts.count {
                    return String(parts[place + 1])
                }
            }
            return nil
        }
        guard let name else { throw DriverError(.unavailable, "the cluster's file system /etc/pve is not mounted") }
        return NodeFiles(root: root, node: name, queue: queue, patience: patience)
    }

    /// Reads something on the thread for it.
    /// - Throws: `unavailable` when that takes too long.
    private static func aside<Value: Sendable>(
        _ queue: DispatchQueue, _ patience: Duration, _ look: @escaping @Sendable () -> Value
    ) async throws(DriverError) -> Value {
        let found: Value? = await withCheckedContinuation { continuation in
            let waiter = Mutex<CheckedContinuation<Value?, Never>?>(continuation)
            let answer = Answer(waiter)
            let limit = Task {
                try await Task.sleep(for: patience)
                answer.give(nil)
            }
            queue.async {
                answer.give(look())
                limit.cancel()
            }
        }
        guard let found else { throw DriverError(.unavailable, "the cluster's file system /etc/pve does not answer") }
        return found
    }

    func aside<Value: Sendable>(
        _ look: @escaping @Sendable (NodeFiles) -> Value
    ) async throws(DriverError) -> Value {
        try await Self.aside(queue, patience) { look(self) }
    }

    private final class Answer<Value: Sendable>: Sendable {
        private let waiter: Mutex<CheckedContinuation<Value?, Never>?>

        init(_ waiter: consuming sending Mutex<CheckedContinuation<Value?, Never>?>) { self.waiter = waiter }

        /// Only the first counts.
        func give(_ value: Value?) {
            waiter.withLock { waiter in
                defer { waiter = nil }
                return waiter
            }?.resume(returning: value)
        }
    }
}

/// What is read on that thread.
extension NodeFiles {
    private var folder: String { "\(root)/etc/pve/nodes/\(node)/lxc" }

    /// Nil when this node has no such container.
    func guest(_ vmid: Int) -> Guest? {
        FileText.read("\(folder)/\(vmid).conf").map {
            Guest(
                vmid: vmid, config: GuestConfig($0), isRunning: isRunning(vmid),
                spec: highAvailability().wishes[vmid]
            )
        }
    }

    /// A container of another node, as far as its configuration tells.
    func guestElsewhere(_ vmid: Int) -> Guest? {
        place(vmid).flatMap { FileText.read("\(root)/etc/pve/nodes/\($0)/lxc/\(vmid).conf") }.map {
            Guest(vmid: vmid, config: GuestConfig($0), isRunning: false, spec: nil)
        }
    }

    /// This node's containers, in order; nil when the folder cannot be read.
    func guests() -> [Guest]? {
        guard let names = FileText.names(in: folder) else { return nil }
        let wishes = highAvailability().wishes
        return names.compactMap { $0.hasSuffix(".conf") ? Int($0.dropLast(5)) : nil }.sorted().compactMap { vmid in
            // One that goes meanwhile is left out.
            FileText.read("\(folder)/\(vmid).conf").map {
                Guest(
                    vmid: vmid, config: GuestConfig($0), isRunning: isRunning(vmid), spec: wishes[vmid])
            }
        }
    }

    /// What has the id anywhere in the cluster, this node's containers aside: `VM 101 on node b`.
    func stranger(_ vmid: Int) -> String? {
        for other in FileText.names(in: "\(root)/etc/pve/nodes") ?? [] {
            for (kind, name) in [("CT", "lxc"), ("VM", "qemu-server")] where other != node || kind == "VM" {
                if access("\(root)/etc/pve/nodes/\(other)/\(name)/\(vmid).conf", F_OK) == 0 {
                    return "\(kind) \(vmid) on node \(other)"
                }
            }
        }
        return nil
    }

    var isThere: Bool { access(folder, F_OK) == 0 }

    /// The node that has the container; nil when none has.
    func place(_ vmid: Int) -> String? {
        (FileText.names(in: "\(root)/etc/pve/nodes") ?? []).first {
            access("\(root)/etc/pve/nodes/\($0)/lxc/\(vmid).conf", F_OK) == 0
        }
    }

    func hasNode(_ name: String) -> Bool { access("\(root)/etc/pve/nodes/\(name)", F_OK) == 0 }

    private func group(_ vmid: Int) -> String { "\(root)/sys/fs/cgroup/lxc/\(vmid)" }

    func isRunning(_ vmid: Int) -> Bool {
        guard let events = FileText.read("\(group(vmid))/cgroup.events") else {
            // The first version of control groups tells no more than that there is a group.
            return access("\(root)/sys/fs/cgroup/memory/lxc/\(vmid)", F_OK) == 0
        }
        return events.split(separator: "\n").contains("populated 1")
    }

    func isMounted(_ path: String) -> Bool {
        (FileText.read("\(root)/proc/mounts") ?? "").split(separator: "\n").contains {
            $0.split(separator: " ").dropFirst().first == path[...]
        }
    }
}
