import DriverKit
import Glibc
import Model
import Processes
import WireProtocol

/// Files into and out of a container. The tool reports success whatever became of them: what has arrived is compared.
extension ProxmoxDriver {
    static let fileActions: [Action<ProxmoxDriver>] = [
        Action(
            ActionSpec(
                "container.push", .mutate, defaultDeadline: .seconds(600),
                summary: "writes a file inside a running container", input: .always)
        ) { (driver, call, context) throws(DriverError) in try await driver.push(call, context) },
        // It changes nothing, but hands out what may be secret: no policy should allow it as mere looking.
        Action(
            ActionSpec(
                "container.pull", .mutate, defaultDeadline: .seconds(600),
                summary: "reads a file out of a running container", givesBytes: true)
        ) { (driver, call, context) throws(DriverError) in try await driver.pull(call, context) },
    ]

    /// Moves the arrived file to its place when it is whole: `$1` where it is, `$2` its place, `$3` what it should be.
    private static let settle = """
        [ ! -d "$2" ] || { rm -f "$1"; exit 21; }
        found=$(sha256sum <"$1") || exit 22
        [ "${found%% *}" = "$3" ] || { wc -c <"$1"; rm -f "$1"; exit 23; }
        mv -f "$1" "$2" || { rm -f "$1"; exit 24; }
        """
    /// Tells size and checksum of the file `$1`.
    private static let weigh = """
        [ -f "$1" ] || exit 21
        found=$(sha256sum <"$1") || exit 22
        echo "${found%% *} $(wc -c <"$1")"
        """

    private func push(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        let request = try PushRequest(call)
        try await requireOpen(request.vmid)
        guard let spool = SpoolFile() else { throw DriverError(.failed, "no room for the content", retryable: true) }
        defer { spool.remove() }
        let bytes = try await spool.take(context.input, bytes: request.bytes, limit: PushRequest.limit)
        let sum = try await tools.sum(of: spool.path)
        guard request.sum.map({ $0 == sum }) ?? true else {
            throw DriverError(.failed, "the content came with another checksum", retryable: true)
        }
        let aside = "\(request.path).innkeeper-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        let outcome = try await tools.act(.pct, request.words(from: spool.path, to: aside))
        try await settle(request, aside, bytes, sum, pushed: outcome)
        return ActionOutcome(
            changed: true,
            observed: ["path": .string(request.path), "size_bytes": .integer(bytes), "sha256": .string(sum)])
    }

    private func settle(
        _ request: PushRequest, _ aside: String, _ bytes: Int64, _ sum: String, pushed: ProcessOutcome
    ) async throws(DriverError) {
        let end = try await inside(request.vmid, Self.settle, aside, request.path, sum)
        switch end.exit {
        case .code(0): return
        case .code(21): throw DriverError(.conflict, "\(request.path) is a folder")
        case .code(22): throw Self.refusal(of: pushed) ?? DriverError(.failed, "the file did not arrive")
        case .code(23):
            let arrived = end.outputText.filter { $0.isNumber }
            throw DriverError(
                .outOfSpace, "only \(arrived) of \(bytes) bytes arrived: is the container's disk full?",
                cause: ProxmoxFailure.said(pushed))
        default: throw DriverError(.failed, "the file could not be put in its place", cause: ProxmoxFailure.said(end))
        }
    }

    private func pull(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let path = try reader.string("path")
        let limit = try reader.integer("max_bytes")
        try reader.finish()
        try await requireOpen(vmid)
        let (sum, bytes) = try await weigh(vmid, path)
        guard bytes <= limit else { throw DriverError(.conflict, "\(path) has \(bytes) bytes, more than max_bytes") }
        guard let spool = SpoolFile() else { throw DriverError(.failed, "no room for the content", retryable: true) }
        defer { spool.remove() }
        let outcome = try await tools.act(.pct, ["pull", "\(vmid)", path, spool.path])
        guard try await tools.sum(of: spool.path) == sum else {
            throw Self.refusal(of: outcome)
                ?? DriverError(
                    .failed, "what arrived of \(path) is not what was there: it was changed, or there is no room",
                    retryable: true, cause: ProxmoxFailure.said(outcome))
        }
        try await spool.give(to: context)
        let observed: JSONObject = ["path": .string(path), "size_bytes": .integer(bytes), "sha256": .string(sum)]
        return .seen(observed)
    }

    private func weigh(_ vmid: Int, _ path: String) async throws(DriverError) -> (sum: String, bytes: Int64) {
        let end = try await inside(vmid, Self.weigh, path)
        let words = end.outputText.split(whereSeparator: \.isWhitespace)
        switch end.exit {
        case .code(0) where words.count == 2 && words[0].utf8.count == 64:
            if let bytes = Int64(words[1]) { return (String(words[0]), bytes) }
        case .code(21): throw DriverError(.notFound, "there is no file \(path) in container \(vmid)")
        default: break
        }
        throw DriverError(.failed, "\(path) cannot be read in container \(vmid)", cause: ProxmoxFailure.said(end))
    }

    /// The error in what a tool said that has reported success.
    private static func refusal(of outcome: ProcessOutcome) -> DriverError? {
        outcome.errorText.contains("failed to") ? ProxmoxFailure.error(.pct, outcome) : nil
    }

    /// Runs one of the scripts above inside a container.
    private func inside(_ vmid: Int, _ script: String, _ words: String...) async throws(DriverError) -> ProcessOutcome {
        let command = ["exec", "\(vmid)", "--keep-env", "0", "--", "/bin/sh", "-c", script, "sh"] + words
        let outcome = try await tools.run(.pct, ProcessRequest(tools.path(.pct), command, outputLimit: 64 << 10))
        guard outcome.ended == .itself else { throw DriverError(.cancelled, "stopped while it looked at the file") }
        if outcome.exit == .code(127) {
            throw DriverError(.unsupported, "container \(vmid) has no shell", cause: ProxmoxFailure.said(outcome))
        }
        return outcome
    }

    /// A container that runs and whose files are its own.
    private func requireOpen(_ vmid: Int) async throws(DriverError) {
        try checkReach(of: try await require(vmid).config, "container \(vmid)")
        try await requireRunning(vmid)
    }

    func requireRunning(_ vmid: Int) async throws(DriverError) {
        guard try await require(vmid).isRunning else { throw DriverError(.conflict, "container \(vmid) does not run") }
    }
}

/// A file to write, as a call asks for it.
struct PushRequest: Sendable {
    let vmid: Int
    let path: String
    /// Nil where nobody knows before the end of the input.
    let bytes: Int64?
    let sum: String?
    static let limit: Int64 = 16 << 30
    private let options: [String]

    init(_ call: ActionCall) throws(DriverError) {
        var reader = ArgumentReader(call.arguments)
        vmid = try reader.vmid(of: call)
        path = try reader.string("path")
        bytes = try reader.optionalInteger("size_bytes")
        sum = try reader.optionalString("sha256")
        let mode = try reader.optionalString("mode")
        let owners = try ["user", "group"].map { name throws(DriverError) in
            try reader.optionalInteger(name).map { ["--\(name)", "\($0)"] } ?? []
        }
        try reader.finish()
        options = (mode.map { ["--perms", $0] } ?? []) + owners.flatMap { $0 }
    }

    func words(from source: String, to target: String) -> [String] {
        ["push", "\(vmid)", source, target] + options
    }
}
