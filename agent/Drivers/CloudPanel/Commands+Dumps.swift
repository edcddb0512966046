import DriverKit
import Glibc
import Model
import Processes
import WireProtocol

/// Dumps of databases. They live in a folder of root's: the panel writes them as root, and a tenant's folder could lead
/// it anywhere.
extension CloudPanelDriver {
    func exportDatabase(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let (name, dump) = try databaseAndDump(of: call)
        return try await gate.pass { () throws(DriverError) in
            _ = try await require(name)
            if Files.exists(dump.path) {
                throw DriverError(.conflict, "there is a dump \(dump.name) already")
            }
            try Files.makeFolder(places.dumps)
            Files.remove(dump.unfinished)
            defer { Files.remove(dump.unfinished) }
            let answer = try await tool.call("db:export", [("databaseName", name), ("file", dump.unfinished)])
            if let error = answer.error { throw error }
            // "Has been exported" is said of an empty file, too.
            try await verify(dump, at: dump.unfinished)
            chmod(dump.unfinished, 0o600)
            guard rename(dump.unfinished, dump.path) == 0 else { throw .cannotWrite(dump.path) }
            return ActionOutcome(changed: true, observed: dump.json(database: name))
        }
    }

    /// The server goes on after an error in the dump, so a dump that is not whole is refused before.
    func importDatabase(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let (name, dump) = try databaseAndDump(of: call)
        return try await gate.pass { () throws(DriverError) in
            _ = try await require(name)
            guard Files.exists(dump.path) else { throw DriverError(.notFound, "there is no dump \(dump.name)") }
            try await verify(dump, at: dump.path)
            let answer = try await tool.call("db:import", [("databaseName", name), ("file", dump.path)])
            if let error = answer.error { throw error.afterChange() }
            let complaints = answer.text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("ERROR ") }
            if let first = complaints.first {
                throw DriverError(
                    .failed, "\(complaints.count) statements of the dump failed, the others took effect",
                    cause: String(first.prefix(300))
                ).afterChange()
            }
            guard answer.text.contains("has been imported") else {
                throw answer.failure("it does not say that the dump was read").afterChange()
            }
            return ActionOutcome(changed: true, observed: dump.json(database: name))
        }
    }

    func listDumps(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let names = Files.names(in: places.dumps).filter(Dump.isName).sorted()
        return .seen(["dumps": .array(names.map { .object(Dump(name: $0, in: places.dumps).json(database: nil)) })])
    }

    func deleteDump(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let dump = try dump(of: call)
        let changed = Files.remove(dump.path)
        if Files.exists(dump.path) { throw DriverError(.failed, "dump \(dump.name) cannot be removed") }
        return ActionOutcome(changed: changed, observed: ["dump": .string(dump.name), "present": false])
    }

    /// Sends a dump as output.
    func readDump(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        let dump = try dump(of: call)
        let file = open(dump.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw DriverError(.notFound, "there is no dump \(dump.name)") }
        defer { close(file) }
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(file, &piece, piece.count)
            if count < 0 { throw DriverError(.failed, "dump \(dump.name) cannot be read") }
            if count == 0 { return .seen(dump.json(database: nil)) }
            do throws(CancellationError) {
                try await context.output(.stdout, Array(piece[..<count]))
            } catch { throw DriverError(.cancelled, "cancelled while the dump was sent") }
        }
    }

    /// Makes a dump of what the caller sends. It is kept only when it is whole.
    func writeDump(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        let dump = try dump(of: call)
        if Files.exists(dump.path) { throw DriverError(.conflict, "there is a dump \(dump.name) already") }
        try Files.makeFolder(places.dumps)
        let arriving =
            "\(places.dumps)/.arriving-\(context.commandID.filter { $0.isLetter || $0.isNumber })-\(dump.name)"
        Files.remove(arriving)
        let file = open(arriving, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .cannotWrite(dump.path) }
        defer { Files.remove(arriving) }
        do throws(DriverError) {
            for await piece in context.input {
                if !Files.writeAll(piece, to: file) { throw .cannotWrite(dump.path) }
            }
            if fsync(file) != 0 { throw .cannotWrite(dump.path) }
        } catch {
            close(file)
            throw error
        }
        close(file)
        if Task.isCancelled { throw DriverError(.cancelled, "cancelled while the dump arrived") }
        try await verify(dump, at: arriving)
        // A link is refused where a rename would replace what came meanwhile.
        guard link(arriving, dump.path) == 0 else { throw .cannotWrite(dump.path) }
        return ActionOutcome(changed: true, observed: dump.json(database: nil))
    }
}

extension CloudPanelDriver {
    private func databaseAndDump(of call: ActionCall) throws(DriverError) -> (String, Dump) {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("database")
        let dump = try reader.dump(in: places.dumps)
        try reader.finish()
        try call.concerns("database/\(name)")
        return (name, dump)
    }

    private func dump(of call: ActionCall) throws(DriverError) -> Dump {
        var reader = ArgumentReader(call.arguments)
        let dump = try reader.dump(in: places.dumps)
        try reader.finish()
        try call.concerns("dump/\(dump.name)")
        return dump
    }

    /// Reads a dump to its end, whatever its size: it must unpack, and its last words must be those of a finished dump.
    func verify(_ dump: Dump, at path: String) async throws(DriverError) {
        let tail = DumpTail()
        let request = ProcessRequest(
            dump.isPacked ? "gzip" : "cat", dump.isPacked ? ["-dc", "--", path] : ["--", path], outputLimit: 4096)
        let outcome = try await PanelTool.run(
            // The consumer keeps the end, the outcome the beginning: neither grows.
            request,
            onOutput: { stream, bytes async throws(CancellationError) in
                if stream == .stdout { tail.append(bytes) }
            })
        switch outcome.ended {
        case .itself: break
        case .deadline, .cancelled: throw DriverError(.cancelled, "cancelled while the dump was checked")
        }
        guard outcome.exit == .code(0) else {
            throw DriverError(
                .failed, "dump \(dump.name) cannot be unpacked", cause: String(outcome.errorText.prefix(300)))
        }
        guard tail.isComplete else {
            throw DriverError(.failed, "dump \(dump.name) is not whole: its last line is missing")
        }
    }
}

/// A dump by its file.
struct Dump: Sendable, Hashable {
    let name: String
    let folder: String

    init(name: String, in folder: String) {
        self.name = name
        self.folder = folder
    }

    /// The tool packs a file that is named so, and no other.
    var isPacked: Bool { name.hasSuffix(".gz") }
    var path: String { "\(folder)/\(name)" }
    /// The end of the name stays: it says whether to pack.
    var unfinished: String { "\(folder)/.unfinished-\(name)" }

    static func isName(_ name: String) -> Bool {
        Grammar.fileName.accepts(name) && (name.hasSuffix(".sql") || name.hasSuffix(".sql.gz"))
    }

    func json(database: String?) -> JSONObject {
        var status = stat()
        let isThere = lstat(path, &status) == 0
        var fields: JSONObject = ["dump": .string(name)]
        if let database { fields["database"] = .string(database) }
        if isThere {
            fields["path"] = .string(path)
            fields["bytes"] = .integer(Int64(status.st_size))
            fields["written"] = .integer(Int64(status.st_mtim.tv_sec) * 1000)
        }
        return fields
    }
}

extension ArgumentReader {
    fileprivate mutating func dump(in folder: String) throws(DriverError) -> Dump {
        let name = try string("dump")
        return Dump(name: name, in: folder)
    }
}
