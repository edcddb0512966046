import DriverKit
import Logging
import Processes
import TestSupport
import Testing
import WireProtocol

/// What says that it only looks, and what the agent looks at by itself, leaves the node as it was.
@Suite(.timeLimit(.minutes(10))) struct `A look` {
    /// Something that is there, or could be, for what an action must be given.
    private static let examples: [String: JSONValue] = [
        "pool": "tank", "dataset": "tank/own", "snapshot": "s", "vmid": 703, "storage": "local",
        "domain": "example.org", "dump": "a.sql", "template": "Generic", "namespace": "shop", "release": "shop",
        "name": "web", "project": "shop", "content": "services:\n  web:\n    image: x\n", "file": "link.subdomain.conf",
        "vm": "x", "recipe": "none",
        "server_names": ["shop.example.org"], "upstream": "shop", "port": 80,
    ]
    /// Words of `zfs` and `zpool` that change nothing; the others are listed and got by the emulation itself.
    private static let looking: Set<String> = ["version", "status", "events", "send", "diff", "holds", "receive"]

    @Test func `no look changes anything`() async throws {
        let node = try await StolenNode()
        var looks = 0
        for driver in node.drivers {
            let before = try await Self.print(node)
            for action in driver.actions where action.kind == .observe {
                let call = Self.call(action, of: driver)
                let context = ActionContext(commandID: "cmd_look", logger: Logger(label: "test"))
                do throws(DriverError) {
                    let outcome = try await driver.perform(call, context)
                    #expect(!outcome.changed, "\(call.action) says that it changed something")
                } catch {
                    #expect(error.code != .invalidArgument, "\(call.action): \(error)")
                    #expect(!error.changed, "\(call.action)")
                }
                looks += 1
            }
            _ = try? await driver.inventory()
            _ = await (driver.facts(), driver.usage(), driver.needs(), driver.absence())
            var batch = SampleBatch()
            await driver.sample(into: &batch)
            #expect(try await Self.print(node) == before, "\(type(of: driver).name) leaves traces")
        }
        #expect(looks > 60)
        #expect(node.engineChanges == [])
        let words = node.poolChanges.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first }
        #expect(Set(words.map(String.init)).subtracting(Self.looking) == [])
    }

    private static func call(_ action: ActionSpec, of driver: any Driver) -> ActionCall {
        var arguments: JSONObject = [:]
        // A send takes a snapshot or a token.
        for argument in action.arguments ?? [] where argument.isRequired || argument.name == "snapshot" {
            arguments[argument.name] = examples[argument.name]
        }
        let words = (action.resource ?? type(of: driver).name).split(separator: "{", omittingEmptySubsequences: false)
        let resource = words.dropFirst().reduce(String(words[0])) { text, word in
            let parts = word.split(separator: "}", maxSplits: 1, omittingEmptySubsequences: false)
            let value = arguments[String(parts[0])]
            return text + (value?.asString ?? value?.text ?? "x") + (parts.count > 1 ? parts[1] : "")
        }
        return ActionCall(action: action.name, resource: resource, arguments: arguments)
    }

    /// Every file of the node with what is in it, but for what the emulations note of calls and what programs lock.
    private static func print(_ node: StolenNode) async throws -> String {
        // The emulated cluster counts the requests that it gets.
        let script = """
            cd "$1" && sed '/"requests"/d; /"refused"/d' kubernetes/var/cluster.json | sha256sum && find . -type f ! -name cluster.json \\
                ! -name changes ! -name calls.log ! -name notes ! -name '*.lock' ! -name lock ! -path '*/run/*' \\
                ! -path '*/tmp/*' ! -path '*/helm/*' -exec sha256sum {} + | sort -k 2
            """
        let outcome = try await Child.run(
            ProcessRequest(
                "/bin/sh", ["-c", script, "sh", node.folder.path], deadline: .seconds(60), outputLimit: 4 << 20))
        guard outcome.succeeded else { throw SetupFailure("no print of the node: \(outcome.errorText)") }
        return outcome.outputText
    }
}
