import DriverKit
import Logging
import Synchronization

/// What an operation has sent, and a context that receives it.
final class Received: Sendable {
    private let streams = Mutex<[OutputStream: [UInt8]]>([:])
    private let input: AsyncStream<[UInt8]>

    init(input: AsyncStream<[UInt8]> = .empty) { self.input = input }

    var context: ActionContext {
        ActionContext(commandID: "cmd_x", logger: Logger(label: "test"), input: input) { stream, bytes in
            self.streams.withLock { $0[stream, default: []] += bytes }
        }
    }

    func bytes(_ stream: OutputStream) -> [UInt8] { streams.withLock { $0[stream] ?? [] } }
    func text(_ stream: OutputStream) -> String { String(decoding: bytes(stream), as: UTF8.self) }
}
