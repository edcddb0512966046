import APIModels
import Glibc
import Synchronization

/// A running command and whoever sits here: its output comes out here, input, signals and the window's size go there.
final class Conversation: Sendable {
    private let controller: Controller
    private let operation: String
    private let sendsInput: Bool
    private let hasTerminal: Bool
    private let sink: OutputSink
    private let isQuiet: Bool
    private let stopSignal = Mutex<Int32?>(nil)

    /// - Parameter isQuiet: steps and states are not told.
    init(
        _ controller: Controller, operation: String, sendsInput: Bool, hasTerminal: Bool = false,
        into sink: OutputSink, isQuiet: Bool = true
    ) {
        self.controller = controller
        self.operation = operation
        self.sendsInput = sendsInput
        self.hasTerminal = hasTerminal
        self.sink = sink
        self.isQuiet = isQuiet
    }

    /// The signal by which somebody has ended it from here.
    var stoppedBy: Int32? { stopSignal.withLock { $0 } }

    /// The operation once it has ended.
    /// - Parameter signals: bytes that are their numbers.
    func end(_ signals: ByteSource) async -> Result<APIModels.Operation, Failure> {
        await withTaskGroup { group in
            group.addTask { await self.followed() }
            group.addTask { await self.sendsInput ? self.feed() : nil }
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
                // What cannot be written or read here must not go on there.
                if case .failure(let failure) = result, failure.code != .unreachable { await callOff(isTold: false) }
                return result
            }
            return .failure(Failure(.failed, "the command's end was not told"))
        }
    }

    private func followed() async -> Result<APIModels.Operation, Failure>? {
        var follow = Follow(controller, output: .table, withLog: !isQuiet, timeout: nil, isSilentAtSignals: true)
        follow.isQuiet = isQuiet
        let sink = sink
        follow.onOutput = { piece throws(Failure) in try sink.take(piece) }
        do {
            return .success(try await follow.end(of: operation))
        } catch let failure as Failure {
            return .failure(failure)
        } catch {
            return .failure(Failure(.failed, "\(error)"))
        }
    }

    /// Standard input to its end, as fast as the command reads it. What cannot be read, or does not get there, is no end.
    private func feed() async -> Result<APIModels.Operation, Failure>? {
        let source = ByteSource(STDIN_FILENO)
        var offset: Int64 = 0
        do throws(Failure) {
            while let bytes = await source.next() {
                guard try await send(bytes, at: &offset, end: false) else { return nil }
            }
            if let failure = source.failure {
                throw Failure(.failed, "standard input cannot be read: \(failure)")
            }
            if !Task.isCancelled { _ = try await send([], at: &offset, end: true) }
            return nil
        } catch {
            return .failure(error)
        }
    }

    /// Refusals in a row of what may be about to begin again: a controller that comes back takes its commands up.
    private static let refusals = 5

    /// False when the command takes no more input because it has ended, which is told elsewhere.
    private func send(_ bytes: [UInt8], at offset: inout Int64, end: Bool) async throws(Failure) -> Bool {
        let goal = offset + Int64(bytes.count)
        var refused = 0
        repeat {
            let rest = Array(bytes.suffix(Int(goal - offset)))
            do throws(Failure) {
                let order = InputBody(base64: rest.isEmpty ? nil : rest.base64, offset: offset, end: end ? true : nil)
                offset = max(offset, try await controller.input(order, of: operation).offset)
                if offset >= goal { return true }
                refused = 0
            } catch {
                if Task.isCancelled { return false }
                if error.code != .unreachable {
                    if try await isOver() { return false }
                    refused += 1
                    guard error.code == .conflict, refused <= Self.refusals else { throw error }
                }
                try? await Task.sleep(for: .milliseconds(500))
            }
        } while !Task.isCancelled
        return false
    }

    private func isOver() async throws(Failure) -> Bool {
        let path = "/api/v1/operations/\(PercentEncoding.encode(operation))"
        return (try await controller.get(path) as APIModels.Operation).isFinished
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
        _ = try? await controller.input(InputBody(offset: 0, rows: rows, columns: columns), of: operation)
    }

    /// - Parameter isTold: whether somebody wants to hear that it was too late for that.
    private func callOff(isTold: Bool = true) async {
        let path = "/api/v1/operations/\(PercentEncoding.encode(operation))/cancel"
        do { let _: APIModels.Operation = try await controller.change("POST", path) } catch {
            if isTold { Terminal.complain("the command could not be called off: \(error.message)") }
        }
    }

    /// The controller ends a command when nobody sits in front of it. Who reads slowly is there all the same.
    private func attend() async {
        while (try? await Task.sleep(for: .seconds(10))) != nil {
            _ = try? await controller.input(InputBody(offset: 0), of: operation)
        }
    }
}
