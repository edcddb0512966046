import DriverKit
import Model
import WireProtocol

/// Looking at virtual machines and at what was written about them.
extension LibvirtDriver {
    func listMachines(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        return .seen(["vms": .array(try await machines().map { .object($0.json) })])
    }

    func tellState(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("vm")
        try reader.finish()
        let machine = try await machine(name)
        var observed = machine.json
        let details = MachineDetails(try await tools.ask(.details(machine.id)))
        for member in details.json.members { observed[member.key] = member.value }
        // A log that cannot be read takes nothing from the state.
        let written = (try? log(of: machine.name, limit: 256 << 10)) ?? nil
        if let run = written.flatMap({ LastRun(in: $0.bytes) }) { observed["last_run"] = .object(run.json) }
        return .seen(observed)
    }

    func sendMachineLog(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("vm")
        let request = try LogRequest(&reader)
        try reader.finish()
        if let log = try log(of: name, limit: Self.mostBytes) {
            let lines = LogLines.last(request.lines, of: log.bytes, since: request.since, isWhole: log.isWhole)
            return try await send(lines, from: "file", context)
        }
        // Machines of which libvirt keeps no file are only spoken of by its daemons.
        let journal = try await tools.journal(lines: 10_000, since: request.since)
        let lines = LogLines.last(10_000, of: journal, since: nil, isWhole: true).filter { $0.mentions(name) }
        return try await send(lines.suffix(request.lines), from: "journal", context)
    }

    func sendDaemonLog(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let request = try LogRequest(&reader)
        try reader.finish()
        if let folder = try LogFolder(tools.logs) {
            for name in ["virtqemud.log", "libvirtd.log"] {
                guard let log = try folder.end(of: name, atMost: Self.mostBytes) else { continue }
                let lines = LogLines.last(request.lines, of: log.bytes, since: request.since, isWhole: log.isWhole)
                return try await send(lines, from: "file", context)
            }
        }
        let journal = try await tools.journal(lines: request.lines, since: request.since)
        let lines = LogLines.last(request.lines, of: journal, since: nil, isWhole: true)
        return try await send(lines, from: "journal", context)
    }

    /// Every machine that libvirt knows, with its state.
    func machines() async throws(DriverError) -> [Machine] {
        var machines = Machine.parse(try await tools.ask(.list))
        let states = MachineState.parse(try await tools.ask(.states))
        for place in machines.indices {
            if let state = states[machines[place].name] { machines[place].state = state }
        }
        return machines.sorted { $0.name < $1.name }
    }

    private func machine(_ name: String) async throws(DriverError) -> Machine {
        let all = try await machines()
        guard let found = all.first(where: { $0.name == name }) ?? all.first(where: { $0.id == MachineID(name) }) else {
            throw DriverError(.notFound, "there is no virtual machine \(name)")
        }
        return found
    }

    /// The end of a machine's log, with what was rotated away in front as far as it is needed; nil when there is none.
    func log(of name: String, limit: Int) throws(DriverError) -> (bytes: [UInt8], isWhole: Bool)? {
        guard let folder = try LogFolder("\(tools.logs)/qemu") else { return nil }
        var found: (bytes: [UInt8], isWhole: Bool)?
        for suffix in ["", ".0", ".1", ".2"] {
            let room = limit - (found?.bytes.count ?? 0)
            guard room > 0, found?.isWhole ?? true else { break }
            guard let older = try folder.end(of: "\(name).log\(suffix)", atMost: room) else {
                // Between two steps of a rotation the newest name is missing for a moment.
                if suffix.isEmpty { continue } else { break }
            }
            found = (older.bytes + (found?.bytes ?? []), older.isWhole)
        }
        return found
    }

    private func send(
        _ lines: [String], from source: String, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var bytes = 0
        for piece in lines.inPieces(of: 200) {
            let text = Array(piece.map { "\($0)\n" }.joined().utf8)
            bytes += text.count
            do { try await context.output(.stdout, text) } catch { throw DriverError(.cancelled, "broken off") }
        }
        return .seen([
            "source": .string(lines.isEmpty && source == "journal" ? "none" : source),
            "lines": .integer(Int64(lines.count)), "bytes": .integer(Int64(bytes)),
        ])
    }

    /// Of a log, at most this much is read: four files of libvirt's default size.
    private static var mostBytes: Int { 8 << 20 }
}

/// How much of a log a call asks for.
struct LogRequest: Sendable {
    let lines: Int
    /// Milliseconds since 1970.
    let since: Int64?

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        lines = Int(try reader.integer("lines"))
        since = try reader.optionalInteger("since")
    }
}

/// The last time that a machine was started, as its log tells it.
struct LastRun: Sendable, Hashable {
    let started: Timestamp
    let ended: Timestamp?
    /// shutdown, destroyed, crashed, migrated, saved, failed, …
    let reason: String?

    /// Nil when the log holds no start (any more).
    init?(in log: [UInt8]) {
        var run: (started: Timestamp, ended: Timestamp?, reason: String?)?
        for line in log.split(separator: 10).map({ $0.drop { $0 == 0 } }) {
            guard let time = LogLines.time(of: line) else { continue }
            let text = String(decoding: line.dropFirst(28).prefix(200), as: UTF8.self)
            if text.hasPrefix(": starting up") { run = (time, nil, nil) }
            if text.hasPrefix(": shutting down"), run != nil {
                let reason = text.split(separator: "reason=").dropFirst().first.map { $0.beginning(40) }
                run?.ended = time
                run?.reason = reason
            }
        }
        guard let run else { return nil }
        (started, ended, reason) = (run.started, run.ended, run.reason)
    }

    var json: JSONObject {
        var object: JSONObject = ["started": .string(started.iso8601)]
        object["ended"] = ended.map { .string($0.iso8601) }
        object["reason"] = reason.map { .string($0) }
        return object
    }
}

extension String {
    /// Whether a name stands here for itself and not as part of another: `web` is not in `web2` or `web-swtpm`.
    func mentions(_ name: String) -> Bool {
        var rest = self[...]
        func isPart(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || character == "-" || character == "_"
        }
        while let first = name.first, let place = rest.firstIndex(of: first) {
            if rest[place...].hasPrefix(name) {
                let after = rest[place...].dropFirst(name.count).first
                let before = place > startIndex ? self[index(before: place)] : nil
                if !(before.map(isPart) ?? false), !(after.map(isPart) ?? false) { return true }
            }
            rest = rest[rest.index(after: place)...]
        }
        return false
    }
}

extension Array {
    fileprivate func inPieces(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}

extension ActionOutcome {
    /// The outcome of an action that only looks.
    static func seen(_ observed: JSONObject) -> ActionOutcome {
        ActionOutcome(changed: false, observed: observed)
    }
}
