import APIModels
import Glibc

/// A running command and whoever sits here: its output comes out here, input and Ctrl-C go there.
struct Conversation: Sendable {
    private let controller: Controller
    private let operation: String
    private let sendsInput: Bool

    init(_ controller: Controller, operation: String, sendsInput: Bool) {
        self.controller = controller
        self.operation = operation
        self.sendsInput = sendsInput
    }

    /// The operation once it has ended.
    func end() async -> Result<APIModels.Operation, Failure> {
        await withTaskGroup { group in
            group.addTask { await followed() }
            group.addTask {
                if sendsInput { await feed() }
                return nil
            }
            group.addTask {
                await cancelOnInterrupt()
                return nil
            }
            for await result in group {
                guard let result else { continue }
                group.cancelAll()
                return result
            }
            return .failure(Failure(.failed, "the command's end was not told"))
        }
    }

    private func followed() async -> Result<APIModels.Operation, Failure>? {
        var follow = Follow(controller, output: .table, withLog: false, timeout: nil)
        follow.isQuiet = true
        follow.onOutput = { piece in Terminal.write(piece.bytes ?? [], isError: piece.stream == "stderr") }
        do {
            return .success(try await follow.end(of: operation))
        } catch let failure as Failure {
            return .failure(failure)
        } catch {
            return .failure(Failure(.failed, "\(error)"))
        }
    }

    /// Standard input to its end, as fast as the command reads it.
    private func feed() async {
        let source = ByteSource(STDIN_FILENO)
        var offset: Int64 = 0
        while let bytes = await source.next() {
            guard await send(bytes, at: &offset, end: false) else { return }
        }
        if !Task.isCancelled { _ = await send([], at: &offset, end: true) }
    }

    /// False when the command takes no more input: it has ended, and its end is told elsewhere.
    private func send(_ bytes: [UInt8], at offset: inout Int64, end: Bool) async -> Bool {
        let goal = offset + Int64(bytes.count)
        repeat {
            let rest = Array(bytes.suffix(Int(goal - offset)))
            do {
                let order = InputOrder(base64: rest.isEmpty ? nil : rest.base64, offset: offset, end: end ? true : nil)
                offset = max(offset, try await controller.input(order, of: operation).offset)
            } catch {
                guard error.code == .unreachable, !Task.isCancelled else { return false }
                try? await Task.sleep(for: .milliseconds(500))
            }
        } while offset < goal && !Task.isCancelled
        return true
    }

    /// The first Ctrl-C calls the command off and waits for its end; the second leaves at once.
    private func cancelOnInterrupt() async {
        let signals = ByteSource(Interrupt.arm())
        guard await signals.next() != nil, !Task.isCancelled else { return }
        signal(SIGINT, SIG_DFL)
        let path = "/api/v1/operations/\(PercentEncoding.encode(operation))/cancel"
        do { let _: APIModels.Operation = try await controller.change("POST", path) } catch {
            Terminal.complain("the command could not be called off: \(error.message)")
        }
    }
}

/// Ctrl-C as bytes of a pipe, for whoever waits.
private enum Interrupt {
    nonisolated(unsafe) private static var writer: Int32 = -1  // Written once, before the handler that reads it is set.

    static func arm() -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return -1 }
        writer = ends[1]
        signal(SIGINT) { _ in
            var byte: UInt8 = 1
            _ = Glibc.write(Interrupt.writer, &byte, 1)
        }
        return ends[0]
    }
}
