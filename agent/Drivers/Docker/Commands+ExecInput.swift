import DriverKit
import NIOCore
import WireProtocol

/// Executions that read: their input goes in while their output comes out.
extension DockerDriver {
    func converse(
        _ execution: Execution, _ order: ExecutionRequest, _ context: ActionContext
    ) async throws(DriverError) -> OutputRelay {
        do {
            let version = try await engine.negotiated()
            let connection = try await HijackedConnection(socket: engine.socket)
            return try await connection.post("/v\(version)/exec/\(execution.id)/start", order.start) {
                received, inbound, outbound in
                // Ends with the command's output, however much input is still to come.
                let feeding = Task { await Self.feed(context.input, to: outbound) }
                defer { feeding.cancel() }
                return try await Self.pass(received, inbound, framed: !order.hasTerminal, to: context)
            }
        } catch let error as DriverError {
            throw error
        } catch let error as EngineError {
            throw error.driverError
        } catch is CancellationError {
            throw DriverError(.cancelled, "broken off")
        } catch {
            throw DriverError(
                .unavailable, "the connection to the engine failed", retryable: true, cause: "\(error)")
        }
    }

    private static func pass(
        _ received: [UInt8], _ inbound: consuming HijackedConnection.Inbound.AsyncIterator, framed: Bool,
        to context: ActionContext
    ) async throws -> OutputRelay {
        var relay = OutputRelay(framed: framed)
        try await relay.pass(received, to: context)
        while let chunk = try await inbound.next() { try await relay.pass(Array(chunk.readableBytesView), to: context) }
        try Task.checkCancellation()
        try relay.finish()
        return relay
    }

    /// A command that has closed its input takes no more; that is its affair.
    private static func feed(_ input: AsyncStream<[UInt8]>, to outbound: HijackedConnection.Outbound) async {
        var isTaken = true
        for await piece in input where isTaken {
            do { try await outbound.write(ByteBuffer(bytes: piece)) } catch { isTaken = false }
        }
        if !Task.isCancelled { outbound.finish() }
    }

    /// Gives the command's terminal its size, and each that the asker's takes on, until the task is cancelled.
    func resize(_ execution: Execution, _ first: TerminalSize?, _ later: AsyncStream<TerminalSize>) async {
        if let first { await resize(execution, first) }
        for await size in later { await resize(execution, size) }
    }

    /// The engine takes a size only once the command runs.
    private func resize(_ execution: Execution, _ size: TerminalSize) async {
        let query = [("h", String(size.rows)), ("w", String(size.columns))]
        for _ in 0..<20 where !Task.isCancelled {
            if (try? await engine.call("POST", "/exec/\(execution.id)/resize", query: query)) != nil { return }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
