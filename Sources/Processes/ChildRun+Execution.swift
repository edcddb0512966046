import CLinux
import Glibc
import Subprocess
import SystemPackage

extension ChildRun {
    /// Starts the child, attends to its pipes, and waits for it to be reaped.
    func execute() async -> Outcome {
        do {
            let status = try await spawn()
            await sweepIfStopped()
            switch status {
            case .exited(let code): return .success(outcome(.code(code)))
            case .signaled(let signal): return .success(outcome(.signal(signal)))
            }
        } catch {
            await sweepIfStopped()
            return .failure(ProcessError(error, request))
        }
    }

    private func spawn() async throws -> TerminationStatus {
        if case .none = request.standardInput {
            return try await run(configuration, input: .none, output: .sequence, error: .sequence) { child in
                await self.attend(child.processIdentifier.value, child.standardOutput, child.standardError, nil)
            }.terminationStatus
        }
        // A child that does not read its input must not end the daemon.
        signal(SIGPIPE, SIG_IGN)
        return try await run(configuration, input: .inputWriter, output: .sequence, error: .sequence) { child in
            await self.attend(
                child.processIdentifier.value, child.standardOutput, child.standardError, child.standardInputWriter)
        }.terminationStatus
    }

    private var configuration: Configuration {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .gracefulShutDown(
                toProcessGroup: true, allowedDurationToNextStep: request.mayBeKilled ? request.grace : Self.never)
        ]
        let marked = request.environment.merging([Offspring.variable: mark]) { $1 }
        let variables = marked.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
        return Configuration(
            executable: request.executable.hasPrefix("/")
                ? .path(FilePath(request.executable)) : .name(request.executable),
            arguments: Arguments(request.arguments),
            environment: .custom(Dictionary(uniqueKeysWithValues: variables)),
            workingDirectory: request.workingDirectory.map { FilePath($0) }, platformOptions: options)
    }

    /// Reads both outputs and writes the input until the child has no more use for any of them.
    ///
    /// The three run in tasks of their own, which a stop does not cancel: what a child says after TERM is still read.
    private func attend(
        _ pid: pid_t, _ stdout: SubprocessOutputSequence, _ stderr: SubprocessOutputSequence,
        _ writer: StandardInputWriter?
    ) async {
        started(pid)
        let feeder = writer.map { writer in Task { await self.feed(writer) } }
        let readers = [
            Task { await self.read(stdout, .stdout, pid) }, Task { await self.read(stderr, .stderr, pid) },
        ]
        for reader in readers { await reader.value }
        guard let feeder else { return }
        // A child may close its outputs and go on reading.
        let watch = Task { await Self.waitForExit(of: pid, thenCancel: feeder) }
        await feeder.value
        watch.cancel()
    }

    private func read(_ output: SubprocessOutputSequence, _ stream: Child.Stream, _ pid: pid_t) async {
        var late = 0
        do {
            for try await buffer in output {
                let bytes = buffer.withUnsafeBytes { Array($0) }
                keep(bytes, of: stream)
                await deliver(bytes, of: stream)
                // What a dead child wrote fits in its pipe; more comes from a process that it left behind.
                if linux_child_has_exited(pid) == 1 { late += bytes.count }
                if late > Self.largestPipe { return }
            }
        } catch {
            keep(Array("\n[output lost: \(error)]\n".utf8), of: stream)
        }
    }

    private func feed(_ writer: StandardInputWriter) async {
        switch request.standardInput {
        case .none: break
        case .bytes(let bytes): _ = try? await writer.write(bytes)
        case .stream(let chunks):
            for await chunk in chunks {
                // A failure means that the child has closed its input: it wants no more.
                guard let written = try? await writer.write(chunk), written == chunk.count else { break }
            }
        }
        try? await writer.finish()
    }

    private static func waitForExit(of pid: pid_t, thenCancel feeder: Task<Void, Never>) async {
        var pause = Duration.milliseconds(5)
        while linux_child_has_exited(pid) == 0 {
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            pause = min(pause * 2, .milliseconds(500))
        }
        feeder.cancel()
    }

    /// Longer than any machine runs.
    private static let never = Duration.seconds(10 * 365 * 86_400)
    private static let largestPipe = 1 << 20
}

extension ProcessError {
    fileprivate init(_ error: any Error, _ request: ProcessRequest) {
        guard let error = error as? SubprocessError else {
            self = .lost("\(error)")
            return
        }
        let denied = error.underlyingError == .permissionDenied
        switch error.code {
        case .executableNotFound where Self.exists(request), .spawnFailed where denied:
            self = .notPermitted(request.executable)
        case .executableNotFound: self = .notFound(request.executable)
        case .spawnFailed, .failedToChangeWorkingDirectory:
            self = .notStarted(request.executable, reason: error.description)
        default: self = .lost(error.description)
        }
    }

    /// Whether the executable is there; one that is there and yet was not found may not be run.
    private static func exists(_ request: ProcessRequest) -> Bool {
        if request.executable.hasPrefix("/") { return access(request.executable, F_OK) == 0 }
        let directories = request.environment["PATH", default: ""].split(separator: ":")
        return directories.contains { access("\($0)/\(request.executable)", F_OK) == 0 }
    }
}
