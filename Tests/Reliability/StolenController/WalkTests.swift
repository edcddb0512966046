import AgentCore
import DriverKit
import Glibc
import Logging
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// What docs/packages.md says of a stolen controller, walked: every operation of every driver, with the policy and the
/// configuration of the package, tried against the node itself, other people's data, and what the agent keeps.
@Suite(.timeLimit(.minutes(10))) struct `A stolen controller` {
    private static func policy() throws -> Policy {
        let path = "\(Checkout.root)/packaging/deb/agent/policy.json"
        guard let file = fopen(path, "r") else { throw SetupFailure("there is no \(path)") }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        let fields = try JSONParser.parse(Array(bytes.prefix(count))).asObject
        return try Policy(reading: try #require(fields))
    }

    @Test func `no operation is left out of the walk`() async throws {
        let node = try await StolenNode()
        let there = Set(
            node.drivers.flatMap { driver in driver.actions.map { "\(type(of: driver).name).\($0.name)" } })
        let known = Set(Reaches.all.keys)
        #expect(there.subtracting(known).sorted() == [], "operations that nobody has thought of")
        #expect(known.subtracting(there).sorted() == [], "operations that no driver has")
    }

    @Test func `every action says what it takes, and all of it fits a hello`() async throws {
        let node = try await StolenNode()
        var bytes = 0
        for driver in node.drivers {
            for action in driver.actions {
                let name = "\(type(of: driver).name).\(action.name)"
                let schema = try #require(action.arguments?.schema.encoded, "\(name) does not say what it takes")
                let secrets = action.secrets.isEmpty ? 0 : action.secrets.schema.encoded.count
                #expect(max(schema.count, secrets) <= ActionReport.maximumSchemaBytes, "\(name)")
                bytes += schema.count + secrets
            }
        }
        #expect(bytes < 256 << 10, "a node with every driver says \(bytes) bytes of schemas")
    }

    @Test func `what is as good as a shell needs a rule by name`() async throws {
        let (node, policy) = (try await StolenNode(), try Self.policy())
        for driver in node.drivers {
            for operation in driver.actions {
                let name = "\(type(of: driver).name).\(operation.name)"
                let isDenied = policy.denial(of: name, on: "x", guarded: operation.isGuarded) != nil
                var isByName = false
                if case .byName = Reaches.all[name] { isByName = true }
                #expect(isDenied == isByName, "\(name)")
            }
        }
    }

    @Test func `nothing it can order reaches the node, others' data or the agent's files`() async throws {
        let (node, policy) = (try await StolenNode(), try Self.policy())
        var tried = 0
        for driver in node.drivers {
            for operation in driver.actions {
                let name = "\(type(of: driver).name).\(operation.name)"
                guard case .tried(let attempts) = Reaches.all[name],
                    policy.denial(of: name, on: "x", guarded: operation.isGuarded) == nil
                else { continue }
                for attempt in attempts {
                    let (error, said) = await Self.perform(operation.name, attempt, on: driver, node)
                    let codes: [DriverErrorCode] = [
                        .permissionDenied, .invalidArgument, .conflict, .foreign, .notFound, .unsupported,
                    ]
                    #expect(
                        error.map { codes.contains($0.code) } == true,
                        "\(name) of \(attempt): \(String(describing: error))")
                    #expect(error?.changed != true, "\(name) of \(attempt)")
                    #expect(!said.contains(StolenNode.secret), "\(name) of \(attempt) told a secret")
                    tried += 1
                }
            }
        }
        #expect(tried > 300)
        #expect(node.engineChanges == [])
        #expect(node.poolChanges == "")
    }

    private static func perform(
        _ operation: String, _ attempt: Attempt, on driver: any Driver, _ node: StolenNode
    ) async -> (DriverError?, String) {
        let said = Mutex("")
        let context = ActionContext(
            commandID: "cmd_stolen", logger: Logger(label: "test"),
            output: { _, bytes throws(CancellationError) in
                said.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            })
        let call = ActionCall(
            action: operation, resource: attempt.resource,
            arguments: node.here(.object(attempt.arguments)).asObject ?? [:], secrets: attempt.secrets)
        do throws(DriverError) {
            let outcome = try await driver.perform(call, context)
            return (nil, said.withLock { $0 } + JSONValue.object(outcome.observed).text)
        } catch { return (error, said.withLock { $0 } + error.description) }
    }
}
