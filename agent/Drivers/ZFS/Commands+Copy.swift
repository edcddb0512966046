import DriverKit
import Model
import Processes
import WireProtocol

/// From one dataset of the node into another, by a pipe.
extension ZFSDriver {
    func copyDataset(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let source = try SendRequest(&reader)
        let request = try ReceiveRequest(&reader, target: "target", mark: call.mark, by: context.commandID)
        try reader.finish()
        try call.concerns(request.target)
        guard source.dataset != request.target else { throw .invalidArgument("target", "is the dataset itself") }
        let meter = TransferMeter(try await look(at: source), "copying \(source.source)", context)
        let channel = ByteChannel()
        async let sent = pour(source, into: channel, meter)
        let received: Result<ActionOutcome, DriverError>
        do throws(DriverError) {
            received = .success(try await take(IncomingStream(channel.stream), request))
        } catch { received = .failure(error) }
        // Whoever reads no more stops who writes.
        channel.close()
        return try Self.judge(await sent, received)
    }

    private func pour(
        _ source: SendRequest, into channel: ByteChannel, _ meter: TransferMeter
    ) async -> DriverError? {
        defer { channel.finish() }
        do throws(DriverError) {
            try await tools.pour(.zfs, source.words) { (stream, bytes) throws(CancellationError) in
                guard stream == .stdout else { return }
                try await channel.write(bytes)
                meter.add(bytes)
            }
            return nil
        } catch { return error }
    }

    /// Both ends count: a sender that failed explains why the receiver got too little.
    private static func judge(
        _ sending: DriverError?, _ received: Result<ActionOutcome, DriverError>
    ) throws(DriverError) -> ActionOutcome {
        switch received {
        case .success(let outcome):
            // A sender that was stopped because all was there already has not failed.
            if let sending, outcome.changed { throw sending.afterChange() }
            return outcome
        case .failure(let error):
            guard let sending, sending.code != .cancelled else { throw error }
            throw DriverError(
                sending.code, sending.message, retryable: sending.retryable,
                cause: [sending.cause, "the receiver: \(error.message)"].compactMap { $0 }.joined(separator: "; "))
        }
    }
}
