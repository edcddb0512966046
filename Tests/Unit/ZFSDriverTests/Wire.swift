import DriverKit
import Logging
import Processes
import Synchronization
import TestSupport
import WireProtocol
import ZFSDriver

/// The far end of one command: what it says is kept, and what it is to read is given.
final class Wire: Sendable {
    private let said = Mutex((stdout: [UInt8](), progress: [String]()))
    private let input: AsyncStream<[UInt8]>
    /// Called before each piece of output is taken; whoever waits in it gives no credit.
    private let gate: @Sendable () async throws(CancellationError) -> Void

    /// - Parameter pieces: the command's input, which ends behind the last of them.
    init(
        _ pieces: [[UInt8]] = [],
        gate: @escaping @Sendable () async throws(CancellationError) -> Void = { () throws(CancellationError) in }
    ) {
        input = AsyncStream { stream in
            for piece in pieces { stream.yield(piece) }
            stream.finish()
        }
        self.gate = gate
    }

    /// Bytes in pieces as the link cuts them.
    convenience init(stream: some Collection<UInt8>) {
        let bytes = Array(stream)
        self.init(
            stride(from: 0, to: bytes.count, by: 32 << 10).map { Array(bytes[$0..<min(bytes.count, $0 + (32 << 10))]) })
    }

    var stdout: [UInt8] { said.withLock { $0.stdout } }
    var text: String { String(decoding: stdout, as: UTF8.self) }
    var progress: [String] { said.withLock { $0.progress } }

    var context: ActionContext {
        ActionContext(
            commandID: "test", logger: Logger(label: "test"), input: input,
            output: { stream, bytes throws(CancellationError) in
                try await self.gate()
                self.said.withLock { $0.stdout += bytes }
            },
            progress: { message, _ in self.said.withLock { $0.progress.append(message) } })
    }
}

extension RealPool {
    @discardableResult
    func perform(
        _ operation: String, _ arguments: JSONObject, on resource: String? = nil, over wire: Wire
    ) async throws(DriverError) -> ActionOutcome {
        let call = ActionCall(action: operation, resource: resource ?? "zfs/\(dataset)", arguments: arguments)
        return try await driver.perform(call, wire.context)
    }

    /// Writes a file of random bytes into the dataset; gives its digest.
    func write(_ name: String, bytes: Int) async throws -> String {
        let place = try await get("mountpoint")
        try await zfs.command(
            "/bin/dd", "if=/dev/urandom", "of=\(place)/\(name)", "bs=\(bytes)", "count=1", "conv=fsync")
        return try await digest("\(place)/\(name)")
    }

    func digest(_ path: String) async throws -> String {
        String(try await zfs.command("/usr/bin/sha256sum", path).outputText.prefix(64))
    }

    /// What `dataset.send` streams.
    func sent(_ more: JSONObject) async throws(DriverError) -> [UInt8] {
        let wire = Wire()
        var arguments: JSONObject = ["dataset": .string(dataset)]
        for member in more.members { arguments[member.key] = member.value }
        try await perform("dataset.send", arguments, over: wire)
        return wire.stdout
    }

    @discardableResult
    func receive(
        _ stream: some Collection<UInt8>, into target: String, _ more: JSONObject = [:]
    ) async throws(DriverError) -> ActionOutcome {
        var arguments: JSONObject = ["dataset": .string(target)]
        for member in more.members { arguments[member.key] = member.value }
        return try await perform("dataset.receive", arguments, on: "zfs/\(target)", over: Wire(stream: stream))
    }
}
