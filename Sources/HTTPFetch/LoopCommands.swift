import CLibCurl
import Synchronization

/// What other threads ask of the transfer thread.
enum LoopCommand: Sendable {
    case start(Exchange, HTTPRequest, HTTPTarget)
    case resumeReceiving(Exchange)
    case resumeSending(Exchange)
    case abort(Exchange)
    case stop
}

/// The way in for other threads: leaves a command and wakes the transfer thread.
final class LoopCommands: Sendable {
    private let state = Mutex(State())

    private struct State {
        var pending: [LoopCommand] = []
        /// As a number, because only `curl_multi_wakeup` may be called from another thread.
        var multi: UInt?
    }

    func submit(_ command: LoopCommand) {
        state.withLock { state in
            state.pending.append(command)
            if let multi = state.multi { curl_multi_wakeup(UnsafeMutableRawPointer(bitPattern: multi)) }
        }
    }

    /// Called by the transfer thread with its handle, and with nil before the handle goes away.
    func attach(_ multi: UnsafeMutableRawPointer?) {
        state.withLock { $0.multi = multi.map { UInt(bitPattern: $0) } }
    }

    func take() -> [LoopCommand] {
        state.withLock { state in
            defer { state.pending = [] }
            return state.pending
        }
    }
}
