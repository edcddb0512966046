package import Logging

/// Which of a child's two outputs bytes came from.
package enum OutputStream: String, Sendable, Hashable {
    case stdout, stderr
}

/// The size of a terminal, in characters.
package struct TerminalSize: Sendable, Hashable {
    package var rows: Int64
    package var columns: Int64

    package init(rows: Int64, columns: Int64) { (self.rows, self.columns) = (rows, columns) }
}

/// A running action's way to those who wait for it.
package struct ActionContext: Sendable {
    package typealias Output = @Sendable (OutputStream, [UInt8]) async throws(CancellationError) -> Void
    package typealias Progress = @Sendable (_ message: String, _ fraction: Double?) -> Void

    /// Identity of the command, for log lines and names that must be the same when a command is looked at again.
    package let commandID: String
    package let logger: Logger
    /// Bytes that the asker sends while the action runs; finishes when the asker has sent the last.
    package let input: AsyncStream<[UInt8]>
    /// The sizes that the asker's terminal takes on while the action runs; only the newest waits.
    package let screens: AsyncStream<TerminalSize>
    private let sendOutput: Output
    private let sendProgress: Progress

    package init(
        commandID: String, logger: Logger, input: AsyncStream<[UInt8]> = .empty,
        screens: AsyncStream<TerminalSize> = .empty,
        output: @escaping Output = { _, _ throws(CancellationError) in }, progress: @escaping Progress = { _, _ in }
    ) {
        self.commandID = commandID
        self.logger = logger
        self.input = input
        self.screens = screens
        sendOutput = output
        sendProgress = progress
    }

    /// Sends output; suspends while the asker has given no credit.
    package func output(_ stream: OutputStream, _ bytes: [UInt8]) async throws(CancellationError) {
        try await sendOutput(stream, bytes)
    }

    /// Tells how far the action is: one sentence, and a fraction of 0...1 where it is known.
    package func progress(_ message: String, _ fraction: Double? = nil) {
        sendProgress(message, fraction)
    }
}

extension AsyncStream where Element: Sendable {
    /// A stream that has ended.
    package static var empty: AsyncStream<Element> { AsyncStream { $0.finish() } }
}
