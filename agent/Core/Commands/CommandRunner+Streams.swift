import DriverKit
import Logging
import NIOCore
import WireProtocol

extension CommandRunner {
    /// The driver's way back to here, usable from any thread.
    func context(for work: Work) -> ActionContext {
        let id = work.command.id
        var logger = around.logger
        logger[metadataKey: "command"] = "\(id)"
        return ActionContext(
            commandID: id, logger: logger, input: work.input.stream, screens: work.screens.stream,
            output: { [weak self] stream, bytes async throws(CancellationError) in
                guard let self else { throw CancellationError() }
                try await self.output(id, stream, bytes)
            },
            progress: { [weak self] message, fraction in self?.soon { $0.progress(id, message, fraction) } })
    }

    /// Takes output of the driver and holds it back until the controller has room for it, or nobody listens any more.
    private func output(
        _ id: String, _ stream: DriverKit.OutputStream, _ bytes: [UInt8]
    ) async throws(CancellationError) {
        guard inHand[id]?.window.write(stream, bytes) != nil else { throw CancellationError() }
        sendOutput(of: id)
        while inHand[id]?.window.mustWait == true {
            if Task.isCancelled { throw CancellationError() }
            await withTaskCancellationHandler {
                await withCheckedContinuation { writer in
                    if Task.isCancelled || inHand[id] == nil {
                        writer.resume()
                    } else {
                        inHand[id]?.writers.append(writer)
                    }
                }
            } onCancel: {
                soon { $0.wakeWriters(of: id) }
            }
        }
    }

    func sendOutput(of id: String) {
        guard around.outlet.isOpen, let chunks = inHand[id]?.window.take() else { return }
        send(chunks, of: id)
        if inHand[id]?.window.mustWait == false { wakeWriters(of: id) }
    }

    func send(_ chunks: [OutputWindow.Chunk], of id: String) {
        for chunk in chunks {
            let stream: WireProtocol.OutputStream = chunk.stream == .stdout ? .stdout : .stderr
            around.outlet.send(.output(Output(id: id, stream: stream, offset: chunk.offset, data: chunk.bytes)))
        }
    }

    func wakeWriters(of id: String) {
        guard let writers = inHand[id]?.writers, !writers.isEmpty else { return }
        inHand[id]?.writers = []
        for writer in writers { writer.resume() }
    }

    /// Progress is for whoever watches now: a full channel or a closed session loses it.
    private func progress(_ id: String, _ message: String, _ fraction: Double?) {
        guard let work = inHand[id], around.outlet.isReady else { return }
        let message = Redaction(of: work.command).text(message)
        let bounded = fraction.flatMap { $0.isFinite ? min(max($0, 0), 1) : nil }
        around.outlet.send(.progress(CommandProgress(id: id, message: String(message.prefix(1000)), fraction: bounded)))
    }

    func inputPipe(of id: String) -> InputPipe {
        InputPipe { [weak self] bytes in
            self?.soon { runner in runner.around.outlet.send(.consumed(Consumed(id: id, bytes: bytes))) }
        }
    }

    /// A controller that sends more than fits, or leaves bytes out, ends the command: to go on without them would be worse.
    func feed(_ input: Input) {
        guard let work = inHand[input.id] else { return }
        if let rows = input.rows, let columns = input.columns {
            work.screens.continuation.yield(TerminalSize(rows: rows, columns: columns))
        }
        if work.input.push(input.data, at: input.offset, end: input.end) == .refused { stop(input.id, .inputOverflow) }
    }
}
