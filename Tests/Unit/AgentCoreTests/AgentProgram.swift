import Glibc
import NIOPosix
import TestSupport
import Testing

/// The program as it is built beside the tests.
enum AgentProgram {
    static let program = Checkout.program("innkeeper-agent")

    /// The wait status of a program that is about to end.
    static func ended(_ program: BackgroundProgram) async throws -> Int32 {
        try await eventually("the end of the agent (\(program.output))", within: .seconds(60)) {
            var status: Int32 = 0
            return waitpid(program.pid, &status, WNOHANG) == program.pid ? status : nil
        }
    }

    /// Runs it on a thread of its own: the test's controller must go on meanwhile.
    static func runAside(_ arguments: [String]) async throws -> (Int32, String) {
        try await NIOThreadPool.singleton.runIfActive { try run(arguments) }
    }

    static func run(_ arguments: [String]) throws -> (Int32, String) {
        var pipe: [Int32] = [0, 0]
        guard Glibc.pipe(&pipe) == 0 else { throw SetupFailure("no pipe") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
        posix_spawn_file_actions_adddup2(&actions, pipe[1], 2)
        posix_spawn_file_actions_addclose(&actions, pipe[0])
        defer { posix_spawn_file_actions_destroy(&actions) }
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, nil, &words, environ)
        close(pipe[1])
        defer { close(pipe[0]) }
        guard code == 0 else { throw SetupFailure("cannot start \(program): \(String(cString: strerror(code)))") }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = read(pipe[0], &chunk, chunk.count), count > 0 { text += chunk[..<count] }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        return ((status >> 8) & 0xFF, String(decoding: text, as: UTF8.self))
    }
}
