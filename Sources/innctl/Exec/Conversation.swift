import APIModels
import Glibc
import Synchronization

/// A running command and whoever sits here: its output comes out here, input, signals and the window's size go there.
final class Conversation: Sendable {
    private let controller: Controller
    private let operation: String
    private let sendsInput: Bool
    private let hasTerminal: Bool
    private let stopSignal = Mutex<Int32?>(nil)

    init(_ controller: Controller, operation: String, sendsInput: Bool, hasTerminal: Bool) {
        self.controller = controller
        self.operation = operation
        self.sendsInput = sendsInput
        self.hasTerminal = hasTerminal
    }

    /// The signal by which somebody has ended it from here.
    var stoppedBy: Int32? { stopSignal.withLock { $0 } }

    /// The operation once it has ended.
    /// - Parameter signals: bytes that are their numbers.
    func end(_ signals: ByteSource) async -> Result<APIModels.Operation, Failure> {
        await withTaskGroup { group in
            group.addTask { await self.followed() }
            group.addTask {
                if self.sendsInput { await self.feed() }
                return nil
            }
            group.addTask {
                await self.heed(signals)
                return nil
            }
            group.addTask {
                await self.attend()
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

    /// Signals as they come: a window that changes its size is told to the command; what ends a program calls the command
    /// off, and a second one leaves at once.
    private func heed(_ signals: ByteSource) async {
        while let numbers = await signals.next(), !Task.isCancelled {
            if numbers.contains(UInt8(SIGWINCH)), hasTerminal { await tellSize() }
            guard let ending = numbers.last(where: { $0 != UInt8(SIGWINCH) }) else { continue }
            stopSignal.withLock { $0 = Int32(ending) }
            await callOff()
            // Its end may be long in coming when the node is away; whoever does not want to wait sends the signal again.
            try? await Task.sleep(for: .seconds(30))
            guard !Task.isCancelled else { return }
            Departure.restore()
            Terminal.complain("operation \(operation) has not ended yet; see innctl operation show \(operation)")
            Glibc.exit(128 + Int32(ending))
        }
    }

    private func tellSize() async {
        let (rows, columns) = RawTerminal.size
        _ = try? await controller.input(InputOrder(offset: 0, rows: rows, columns: columns), of: operation)
    }

    private func callOff() async {
        let path = "/api/v1/operations/\(PercentEncoding.encode(operation))/cancel"
        do { let _: APIModels.Operation = try await controller.change("POST", path) } catch {
            Terminal.complain("the command could not be called off: \(error.message)")
        }
    }

    /// The controller ends a command when nobody sits in front of it. Who reads slowly is there all the same.
    private func attend() async {
        while (try? await Task.sleep(for: .seconds(10))) != nil {
            _ = try? await controller.input(InputOrder(offset: 0), of: operation)
        }
    }
}
