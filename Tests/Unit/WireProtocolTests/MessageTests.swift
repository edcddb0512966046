import Testing
import WireProtocol

@Suite struct `Messages` {
    private let command = Command(
        id: "cmd_1", resource: "docker/svc_1", generation: 2, driver: "docker", operation: "container.ensure",
        arguments: ["env": ["A": "hunter2"]], secrets: ["password": "hunter2"], deadlineMs: 1000)

    @Test func `a secret shows in no description of its message`() {
        let enrol = EnrolmentRequest(token: "tok", secret: "hunter2", csr: "-----BEGIN ", hostname: "h", agent: "0")
        var dumped = ""
        dump(ControllerMessage.command(command), to: &dumped)
        dump(AgentMessage.enrol(enrol), to: &dumped)
        let texts = [
            "\(command)", "\(ControllerMessage.command(command))", String(reflecting: command), "\(enrol)",
            String(reflecting: AgentMessage.enrol(enrol)), dumped,
        ]
        for text in texts { #expect(!text.contains("hunter2"), "\(text)") }
        #expect("\(command)".contains("cmd_1"))
    }

    @Test func `an error of a field quotes no value`() throws {
        let line =
            #"{"type":"enrol","token":"t","secret":["hunter2"],"csr":"x","hostname":"h","agent":"a","protocol":[1]}"#
        let error = #expect(throws: WireError.self) { try AgentMessage(decoding: Array(line.utf8)) }
        #expect(error?.description == "enrol: secret must be a string")
    }

    @Test func `the identity of an order ignores how it is delivered and how its arguments are ordered`() {
        var repeated = command
        repeated.deadlineMs = 5
        repeated.window = 1
        repeated.trace = "op_1"
        repeated.journal = "jrn_1"
        repeated.id = "cmd_2"
        #expect(repeated.identity(secretsDigest: "ab") == command.identity(secretsDigest: "ab"))
        var first = command
        first.arguments = ["a": 1, "b": 2]
        var second = command
        second.arguments = ["b": 2, "a": 1]
        #expect(first.identity(secretsDigest: "") == second.identity(secretsDigest: ""))
    }

    @Test func `the identity of an order changes with everything that it means`() {
        let changes: [(inout Command) -> Void] = [
            { $0.resource = "docker/svc_2" }, { $0.generation = 3 }, { $0.driver = "zfs" },
            { $0.operation = "container.stop" }, { $0.arguments = [:] },
        ]
        for change in changes {
            var other = command
            change(&other)
            #expect(other.identity(secretsDigest: "ab") != command.identity(secretsDigest: "ab"))
        }
        #expect(command.identity(secretsDigest: "cd") != command.identity(secretsDigest: "ab"))
        #expect(command.sortedSecrets == Array(#"{"password":"hunter2"}"#.utf8))
    }

    @Test func `the highest common version is taken`() {
        #expect(ProtocolVersion.negotiate([0, 1, 7]) == 1)
        #expect(ProtocolVersion.negotiate([2, 99]) == nil)
        #expect(ProtocolVersion.negotiate([]) == nil)
    }

    @Test func `an unknown code keeps its name and ends a wait`() {
        #expect(CommandStatus(code: "superseded") == .unknown("superseded"))
        #expect(CommandStatus(code: "superseded").isFinal)
        #expect(CommandStatus(code: "running") == .running)
        #expect(!CommandStatus.running.isFinal && !CommandStatus.accepted.isFinal)
        #expect(!GoodbyeCode(code: "x").isKnown && GoodbyeCode.overload.isKnown)
    }

    @Test(arguments: [-1, 2, 0.5, .infinity, .nan] as [Double])
    func `progress is always a fraction that the peer takes`(fraction: Double) throws {
        let message = AgentMessage.progress(CommandProgress(id: "c", message: "m", fraction: fraction))
        #expect(try AgentMessage(decoding: message.line().dropLast()) == message)
    }

    @Test func `base 64 knows every length and only its canonical form`() {
        for count in 0..<50 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode(Array("foobar".utf8)) == "Zm9vYmFy")
        #expect(Base64.encode(Array("foob".utf8)) == "Zm9vYg==")
        for text in ["Zg", "Zg=", "Zh==", "Z===", "====", "=", "Zg==Zg==", "Zm9\n", "Zm-_", "Zg==="] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }
}

@Suite struct `Messages that must fit` {
    private func result(observed: JSONObject) -> CommandResult {
        CommandResult(id: "c", status: .succeeded, changed: true, observed: observed, finished: 1)
    }

    private func isTaken(_ message: AgentMessage) -> Bool {
        (try? AgentMessage(decoding: message.line().dropLast())) == message
    }

    @Test func `a result that fits is left as it is`() {
        let small = result(observed: ["a": [1, 2, nil]])
        #expect(small.fitting == small)
    }

    @Test func `a result that is too long, too deep or too much is cut to one that the peer takes`() {
        let long = JSONValue.string(String(repeating: "x", count: 1 << 20))
        let deep = (0..<40).reduce(JSONValue.null) { value, _ in .array([value]) }
        let many = JSONValue.array(Array(repeating: 0, count: 100_001))
        for value in [long, deep, many] {
            let cut = result(observed: ["value": value]).fitting
            #expect(isTaken(.result(cut)))
            #expect(cut.status == .succeeded && cut.changed)
            #expect(cut.observed["omitted"] != nil)
        }
    }

    @Test func `the texts of an error are cut between characters`() {
        var failed = result(observed: [:])
        failed.status = .failed
        failed.error = CommandError(
            code: .failed, message: String(repeating: "é", count: 1 << 20), retryable: false, operation: "a.b",
            resource: "host", detail: String(repeating: "☃", count: 1 << 20))
        #expect(isTaken(.result(failed.fitting)))
        #expect(failed.fitting.error?.message.hasPrefix("éé") == true)
    }

    @Test func `a large inventory goes in pieces that add up`() {
        let items = (0..<5000).map { number in
            Inventory.Item(
                resource: "docker/svc_\(number)", state: ["text": .string(String(repeating: "x", count: 500))])
        }
        let whole = Inventory(driver: "docker", generation: 7, full: true, items: items)
        let pieces = whole.pieces()
        #expect(pieces.count > 1)
        #expect(pieces.flatMap(\.items) == items)
        #expect(pieces.map(\.full) == [true] + Array(repeating: false, count: pieces.count - 1))
        #expect(pieces.map(\.generation) == (0..<Int64(pieces.count)).map { 7 + $0 })
        for piece in pieces { #expect(isTaken(.inventory(piece))) }
    }

    @Test func `a small inventory is one piece, and an item that never fits loses its state`() {
        let empty = Inventory(driver: "zfs", generation: 1, full: true, items: [])
        #expect(empty.pieces() == [empty])
        let deep = (0..<40).reduce(JSONValue.null) { value, _ in .array([value]) }
        let item = Inventory.Item(resource: "zfs/tank", state: ["deep": deep])
        let pieces = Inventory(driver: "zfs", generation: 1, full: true, items: [item]).pieces()
        #expect(pieces.count == 1 && pieces[0].items[0].resource == "zfs/tank")
        #expect(isTaken(.inventory(pieces[0])))
    }
}
