import Glibc
import Synchronization

/// Looks at the arguments and the environment of every process of the machine, again and again, on a thread of its own.
final class ProcessWatch: Sendable {
    private struct State {
        var isOver = false
        var search = Search(needles: [])
        var findings: Set<String> = []
        var looks = 0
    }

    private let state = Mutex(State())

    init() {
        var thread = pthread_t()
        let watch = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                if let pointer { Unmanaged<ProcessWatch>.fromOpaque(pointer).takeRetainedValue().run() }
                return nil
            }, watch)
        precondition(code == 0)
        pthread_detach(thread)
    }

    /// What to look for from now on.
    func look(for needles: [Needle]) { state.withLock { $0.search = Search(needles: needles) } }

    /// Ends it: what was found, and how often it looked.
    func end() -> (findings: [String], looks: Int) {
        state.withLock { state in
            state.isOver = true
            return (state.findings.sorted(), state.looks)
        }
    }

    private func run() {
        while true {
            let (isOver, search) = state.withLock { ($0.isOver, $0.search) }
            if isOver { return }
            let findings = look(search)
            state.withLock { state in
                state.findings.formUnion(findings)
                state.looks += 1
            }
            usleep(3000)
        }
    }

    private func look(_ search: Search) -> [String] {
        guard !search.needles.isEmpty, let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        // What runs in a container has its variables, which is what they are for.
        let home = Self.space(of: "self")
        var findings: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int32(name) != nil, Self.space(of: name) == home else { continue }
            for part in ["cmdline", "environ"] {
                let bytes = Files.read("/proc/\(name)/\(part)")
                for needle in search.found(in: bytes) {
                    let program = String(decoding: bytes.prefix { $0 != 0 }.suffix(60), as: UTF8.self)
                    findings.append("\(needle) in \(part) of \(program)")
                }
            }
        }
        return findings
    }
}

extension ProcessWatch {
    /// The space of process numbers that a process is in.
    private static func space(of process: String) -> String {
        var text = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/\(process)/ns/pid", &text, text.count)
        return String(decoding: text.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

enum Files {
    /// The whole file; empty when it cannot be read.
    static func read(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = Glibc.read(file, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    /// Every regular file below a folder, with its path in it.
    static func all(below folder: String) -> [String] {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var files: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let kind = entry.pointee.d_type
            if kind == UInt8(DT_REG) { files.append(name) }
            guard kind == UInt8(DT_DIR), name != ".", name != ".." else { continue }
            files += all(below: "\(folder)/\(name)").map { "\(name)/\($0)" }
        }
        return files.sorted()
    }
}
