import Glibc
import Synchronization
import TestSupport

/// A daemon that tests start, stop, kill and freeze. Each of its lives has a log of its own.
package final class Daemon: Sendable {
    private let command: [String]
    private let folder: String
    private let state = Mutex<(program: BackgroundProgram?, lives: Int)>((nil, 0))
    private let wrapper = Mutex<[String]>([])

    /// - Parameter folder: where its logs go; it must be there.
    package init(_ command: [String], logs folder: String) {
        self.command = command
        self.folder = folder
    }

    /// What the present life has said so far.
    package var log: String { state.withLock { $0.program?.output ?? "" } }

    /// The process id of the present life.
    package var pid: Int32? { state.withLock { $0.program?.pid } }

    /// From its next start on it is run by another command, whose words these are.
    package func wrap(in words: [String]) { wrapper.withLock { $0 = words } }

    package func start() throws {
        let life = state.withLock { state in
            state.lives += 1
            return state.lives
        }
        let words = wrapper.withLock { $0 } + command
        let program = try BackgroundProgram(
            words[0], Array(words.dropFirst()), log: "\(folder)/life-\(life).log")
        try LastWill.includes(program.pid)
        state.withLock { $0.program = program }
    }

    /// `kill -9`; it is gone when this returns.
    package func kill() async {
        guard let program = taken() else { return }
        program.signal(SIGKILL)
        await program.stop()
    }

    /// Asks it to end, in order.
    package func stop() async {
        guard let program = taken() else { return }
        program.signal(SIGCONT)
        await program.stop()
    }

    package func restart() async throws {
        await kill()
        try start()
    }

    package func freeze() { state.withLock { $0.program?.signal(SIGSTOP) } }
    package func thaw() { state.withLock { $0.program?.signal(SIGCONT) } }

    private func taken() -> BackgroundProgram? {
        state.withLock { state in
            defer { state.program = nil }
            return state.program
        }
    }
}
