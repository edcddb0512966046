import DriverKit

/// Something that works on the node's containers now: a task of its tools, or one of the tools before its task begins.
enum Worker: Sendable, Hashable {
    case task(TaskLine, target: Int?)
    case tool(verb: String, ids: Set<Int>)

    /// - Parameter lock: what the container's configuration says it is locked by.
    func works(on vmid: Int, lock: String?) -> Bool {
        switch self {
        case .tool(_, let ids): return ids.contains(vmid)
        case .task(let task, let target):
            if task.subject == "\(vmid)" || target == vmid { return true }
            // A copy that does not say yet where it goes may go here; so may a backup of several.
            switch task.kind {
            case "vzclone": return target == nil && lock == "create"
            case "vzdump": return task.subject.isEmpty && lock == "backup"
            default: return false
            }
        }
    }
}

extension Worker {
    /// Verbs of `pct` that only look, or give their place to a command inside.
    private static let looks: Set<Substring> = [
        "config", "console", "cpusets", "enter", "exec", "list", "listsnapshot", "pending", "status",
    ]

    /// A tool by the words that it was started with: `/usr/bin/perl -T /usr/sbin/pct clone 301 805 …`.
    init?(tool words: [Substring]) {
        guard let place = words.prefix(3).firstIndex(where: { $0.hasSuffix("/pct") }), words.count > place + 1,
            case let verb = words[place + 1], !Self.looks.contains(verb)
        else { return nil }
        // Options may stand before them: any number that could be an id counts, since too many do no harm.
        self = .tool(verb: String(verb), ids: Set(words[(place + 2)...].compactMap { Int($0) }.filter { $0 >= 100 }))
    }
}

/// What is read on the thread for files.
extension NodeFiles {
    /// Whether anything still works on a container: something holds its lock, or says that it does.
    func isBusy(_ vmid: Int) -> Bool {
        if FileText.isLocked("\(root)/run/lock/lxc/pve-config-\(vmid).lock") { return true }
        let lock = guest(vmid)?.config.lock
        return workers().contains { $0.works(on: vmid, lock: lock) }
    }

    /// The list of tasks may have lost one, and a tool's task has not begun yet while it prepares: processes are asked too.
    func workers() -> Set<Worker> {
        let listed = (FileText.read("\(tasks)/active") ?? "").textLines.compactMap { TaskLine($0) }.filter(isAlive)
        return Set(listed.map(worker) + processes())
    }

    private var tasks: String { "\(root)/var/log/pve/tasks" }

    private func processes() -> [Worker] {
        (FileText.names(in: "\(root)/proc") ?? []).compactMap { name in
            guard let pid = Int32(name), let line = FileText.read("\(root)/proc/\(pid)/cmdline"), !line.isEmpty else {
                return nil
            }
            if let task = TaskLine(line) { return task.pid == pid && isAlive(task) ? worker(task) : nil }
            let words = line.split(separator: "\0", maxSplits: 15)
            return birth(of: pid) == nil ? nil : Worker(tool: words)
        }
    }

    private func worker(_ task: TaskLine) -> Worker {
        .task(task, target: task.kind == "vzclone" ? target(of: task) : nil)
    }

    /// A clone's log begins with the only word of its target: `creating a clone of container 301 with ID 805`.
    private func target(of task: TaskLine) -> Int? {
        let lines = FileText.read("\(tasks)/\(task.log)")?.split(separator: "\n").prefix(8) ?? []
        return lines.lazy.compactMap { line in
            line.hasPrefix("creating a clone of container ") ? line.split(separator: " ").last.flatMap { Int($0) } : nil
        }.first
    }

    private func isAlive(_ task: TaskLine) -> Bool { birth(of: task.pid) == task.birth }

    /// When a process began; nil for one that has ended, also when nobody has taken note of that yet.
    private func birth(of pid: Int32) -> UInt64? {
        // The name in brackets before the fields may itself hold blanks and brackets.
        guard let text = FileText.read("\(root)/proc/\(pid)/stat"), let bracket = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: bracket)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }
}
