import Glibc
import Processes
import Testing

/// Real children, started and ended by the tests.
@Suite struct ChildTests {
    func shell(_ script: String) -> ProcessRequest { ProcessRequest("/bin/sh", ["-c", script]) }

    @Test func `a child's exit code and both outputs come back apart`() async throws {
        let outcome = try await Child.run(shell("echo out; echo err >&2; exit 3"))
        #expect(outcome.exit == .code(3))
        #expect(outcome.outputText == "out\n")
        #expect(outcome.errorText == "err\n")
        #expect(outcome.ended == .itself)
        #expect(!outcome.truncated && !outcome.killed && !outcome.succeeded)
    }

    @Test func `a name is found in the path and arguments are not read by a shell`() async throws {
        let words = ["%s|", "a b", "$HOME;`id`", "", "-n"]
        let outcome = try await Child.run(ProcessRequest("printf", words))
        #expect(outcome.outputText == "a b|$HOME;`id`||-n|")
        #expect(outcome.succeeded)
    }

    @Test func `a child inherits no variable and no open file`() async throws {
        setenv("INNKEEPER_TEST_SECRET", "leaked", 1)
        let file = open("/dev/null", O_RDONLY)  // without FD_CLOEXEC
        defer { close(file) }
        var request = shell("env; ls /proc/self/fd | wc -l")
        request.environment["EXTRA"] = "yes"
        let text = try await Child.run(request).outputText
        #expect(!text.contains("INNKEEPER_TEST_SECRET"))
        #expect(text.contains("EXTRA=yes\n"))
        #expect(text.contains("LC_CTYPE=C.UTF-8\n") && text.contains("LC_MESSAGES=C\n"))
        #expect(!text.contains("LC_ALL=") && !text.contains("LANG"))
        // The three standard ones and the directory being listed.
        #expect(text.hasSuffix("\n4\n"))
    }

    @Test func `a working directory is used`() async throws {
        var request = shell("pwd")
        request.workingDirectory = "/usr"
        #expect(try await Child.run(request).outputText == "/usr\n")
        request.workingDirectory = "/nowhere/at/all"
        await #expect { try await Child.run(request) } throws: {
            if case .notStarted("/bin/sh", _) = $0 as? ProcessError { true } else { false }
        }
    }

    @Test func `a child killed by a signal says which`() async throws {
        let outcome = try await Child.run(shell("kill -SEGV $$"))
        #expect(outcome.exit == .signal(SIGSEGV))
        #expect(outcome.ended == .itself)
        #expect(!outcome.killed)
    }

    @Test(arguments: ["/no/such/program", "no-such-program-anywhere"])
    func `a missing executable is named`(_ executable: String) async {
        await #expect(throws: ProcessError.notFound(executable)) {
            try await Child.run(ProcessRequest(executable))
        }
    }

    @Test(arguments: ["/etc/passwd", "/etc"])
    func `a file that may not be run is a matter of permission`(_ executable: String) async {
        await #expect(throws: ProcessError.notPermitted(executable)) {
            try await Child.run(ProcessRequest(executable))
        }
    }

    @Test func `a hundred children at once all end and leave no open file behind`() async throws {
        _ = try await Child.run(shell("true"))  // opens what stays open for the life of the process
        let before = try openFiles()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask { try await Child.run(self.shell("echo \(number)")).outputText == "\(number)\n" }
            }
            for try await right in group { #expect(right) }
        }
        #expect(try openFiles() < before + 50)
    }

    private func openFiles() throws -> Int {
        let directory = try #require(opendir("/proc/self/fd"))
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }
}
