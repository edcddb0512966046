import Dispatch
import Glibc
import Synchronization

/// What a child has started, directly or not, and wherever it has hidden: in its process group, among the descendants of
/// those that are found, or anywhere with the mark in its environment. A process that has left all three is not found.
final class Offspring: Sendable {
    /// The environment variable that every child inherits; its value is another one for each run.
    static let variable = "INNKEEPER_CHILD"

    let root: pid_t
    let mark: String
    /// In ticks since the boot; what is older is no offspring.
    let started: UInt64
    /// Those that were found once: their parents may be gone when they are looked for again.
    private let known = Mutex<Set<ProcessEntry.Identity>>([])

    init(of root: pid_t, mark: String) {
        (self.root, self.mark) = (root, mark)
        started = ProcessEntry(root)?.started ?? .max
    }

    static func newMark() -> String { String(UInt64.random(in: 0 ... .max), radix: 36) }

    /// Finds the child's descendants while they are still to be told by their parents. Reads nothing that can hang.
    func remember() async {
        await aside { _ = self.living(marked: false) }
    }

    /// Signals those that a signal to the child's group does not reach.
    func signalStrays(_ signal: Int32) async {
        await aside {
            for entry in self.living() where entry.group != self.root { kill(entry.pid, signal) }
        }
    }

    /// Kills all of them, and what they start meanwhile. Returns when none is left, or one does not even obey that.
    func end() async {
        await aside {
            for _ in 0..<Self.rounds {
                let left = self.living()
                if left.isEmpty { return }
                for entry in left { kill(entry.pid, SIGKILL) }
                usleep(Self.pause)
            }
        }
    }

    private static let rounds = 100
    private static let pause: UInt32 = 5000

    /// All but the dead, the root included while it lives.
    private func living(marked: Bool = true) -> [ProcessEntry] {
        let young = ProcessEntry.all().filter { $0.started >= started && !$0.isDead && $0.pid != getpid() }
        let remembered = known.withLock { $0 }
        var family = young.filter {
            $0.pid == root || $0.group == root || remembered.contains($0.identity) || marked && $0.carries(mark)
        }
        var found = Set(family.map(\.pid))
        var seen = 0
        while seen < family.count {
            let parent = family[seen].pid
            seen += 1
            for entry in young where entry.parent == parent && found.insert(entry.pid).inserted { family.append(entry) }
        }
        known.withLock { $0 = Set(family.map(\.identity)) }
        return family
    }

    /// On a thread that may wait: the environment of a process that hangs in the kernel can be slow to read.
    private func aside(_ work: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { done in
            DispatchQueue.global().async {
                work()
                done.resume()
            }
        }
    }
}

/// One line of the kernel's table of processes.
struct ProcessEntry: Sendable, Hashable {
    let pid: pid_t
    let parent: pid_t
    let group: pid_t
    let isDead: Bool
    /// Ticks since the boot.
    let started: UInt64

    /// Another one for a later process with the same number.
    struct Identity: Hashable {
        let pid: pid_t
        let started: UInt64
    }

    var identity: Identity { Identity(pid: pid, started: started) }

    /// Nil when there is no such process (any more).
    init?(_ pid: pid_t) {
        // The name in parentheses may hold anything, parentheses and blanks included.
        guard let bytes = Self.read("/proc/\(pid)/stat", atMost: 4096),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard fields.count > 19, let parent = pid_t(fields[1]), let group = pid_t(fields[2]),
            let started = UInt64(fields[19])
        else { return nil }
        (self.pid, self.parent, self.group, self.started) = (pid, parent, group, started)
        isDead = fields[0] == "Z" || fields[0] == "X"
    }

    static func all() -> [ProcessEntry] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var entries: [ProcessEntry] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = pid_t(name), let found = ProcessEntry(pid) { entries.append(found) }
        }
        return entries
    }

    /// Whether the process was started with the mark in its environment.
    func carries(_ mark: String) -> Bool {
        let variable = Array("\(Offspring.variable)=\(mark)".utf8)
        let environment = Self.read("/proc/\(pid)/environ", atMost: 1 << 20) ?? []
        return environment.split(separator: 0).contains { $0.elementsEqual(variable) }
    }

    private static func read(_ path: String, atMost limit: Int) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0 { return nil }
            if count == 0 { break }
            bytes += piece[..<count]
        }
        return bytes
    }
}
