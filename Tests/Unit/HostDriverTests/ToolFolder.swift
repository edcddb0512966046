import DriverKit
import Glibc
import HostDriver
import Logging
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// A folder of scripts in the place of the machine's programs, a root that stands in for `/`, and the driver over both.
final class ToolFolder {
    let root: FakeRoot
    let driver: HostDriver

    /// - Parameter scripts: by the program's name; each sees its arguments as the program does, and `$RECORD`, a file.
    init(
        _ scripts: [String: String] = [:], files: [String: String] = [:], patience: Duration = .seconds(30)
    ) throws {
        root = try FakeRoot(files)
        for (name, body) in scripts {
            try root.write("#!/bin/sh\nRECORD=\(root.path)/record\n\(body)\n", to: "/tools/\(name)")
            #expect(chmod("\(root.path)/tools/\(name)", 0o755) == 0)
        }
        driver = HostDriver(
            root: root.path, tools: HostTools(directories: ["\(root.path)/tools"], patience: patience))
    }

    func perform(
        _ operation: String, _ arguments: JSONObject = [:], into collector: Collector = Collector()
    ) async throws(DriverError) -> JSONObject {
        let call = ActionCall(action: operation, resource: "host", arguments: arguments)
        return try await driver.perform(call, collector.context).observed
    }

    func record() -> String {
        let file = open("\(root.path)/record", O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

/// What a command has put out.
final class Collector: Sendable {
    private let bytes = Mutex([UInt8]())
    private let gate: @Sendable () async throws(CancellationError) -> Void

    init(gate: @escaping @Sendable () async throws(CancellationError) -> Void = { () throws(CancellationError) in }) {
        self.gate = gate
    }

    var context: ActionContext {
        ActionContext(
            commandID: "test", logger: Logger(label: "test"),
            output: { _, bytes throws(CancellationError) in
                try await self.gate()
                self.bytes.withLock { $0 += bytes }
            })
    }

    var count: Int { bytes.withLock { $0.count } }

    /// The lines, each of which is one JSON object.
    func lines() throws -> [JSONObject] {
        try bytes.withLock { $0 }.split(separator: 0x0A).map {
            try JSONObject(parsing: String(decoding: $0, as: UTF8.self))
        }
    }
}

@Suite struct PageTests {
    @Test func `the page names every operation, and what the driver needs`() async throws {
        #expect(try undocumented(HostDriver().actions, page: "host") == [])
        #expect(try tellsArguments(HostDriver().actions, page: "host"))
        #expect(try undocumented(await HostDriver().needs(), page: "host") == [])
    }
}
