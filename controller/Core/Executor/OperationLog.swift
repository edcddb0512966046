import Logging
import Store

/// Lines of progress on their way to the log of their operation. When the store cannot keep up, the newest are dropped:
/// progress must not hold up the work.
struct OperationLog: Sendable {
    private let stream: AsyncStream<(operation: String, line: OperationLogLine)>
    private let continuation: AsyncStream<(operation: String, line: OperationLogLine)>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1000))
    }

    func add(_ operation: String, _ line: OperationLogLine) { continuation.yield((operation, line)) }

    func write(to store: Store, _ logger: Logger) async {
        for await (operation, line) in stream {
            do {
                try await store.appendLog(operation, [line])
            } catch {
                logger.warning("a line of an operation's log was lost", metadata: ["error": "\(error)"])
            }
        }
    }
}
