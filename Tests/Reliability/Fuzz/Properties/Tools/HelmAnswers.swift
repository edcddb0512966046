import DriverKit
import Model
import WireProtocol

@testable import HelmDriver

/// What `helm` and `kubectl` print.
enum HelmAnswers {
    static let targets = [
        FuzzTarget("helm") { input in
            try lists(Array(input))
            try cluster(input)
            try complaints(input)
            try values(input)
        }
    ]

    private static func understood<Value>(_ read: () throws(DriverError) -> Value) throws -> Value? {
        do { return try read() } catch {
            try require(error.code == .failed && !error.message.isEmpty, "refused as \(error.code)")
            return nil
        }
    }

    private static func lists(_ bytes: [UInt8]) throws {
        if let history = try understood({ () throws(DriverError) in try ReleaseRevision.parse(bytes) }) {
            let numbers = history.map(\.number)
            try require(numbers == numbers.sorted(), "revisions out of order")
            for revision in history { try carried(revision.json) }
        }
        for release in try understood({ () throws(DriverError) in try ListedRelease.parse(bytes) }) ?? [] {
            try carried(release.json)
        }
        for hook in try understood({ () throws(DriverError) in try ReleaseHook.parse(bytes) }) ?? [] {
            try carried(hook.json)
        }
        if let chart = try understood({ () throws(DriverError) in try ChartIdentity.parse(bytes) }) {
            let again = try ChartIdentity.parse(Array("name: \"\(chart.name)\"\nversion: \"\(chart.version)\"\n".utf8))
            try require(again == chart, "a chart reads back as another")
        }
    }

    private static func cluster(_ input: UnsafeRawBufferPointer) throws {
        guard let json = try? JSONParser.parse(input, limits: .local) else { return }
        let items = json["items"]?.asArray ?? json.asArray ?? [json]
        let all = items.map(ClusterObject.init(json:))
        let release = ReleaseID(namespace: "shop", name: "web")
        let objects = ReleaseObjects(of: release, in: all)
        try require(objects.objects.count <= all.count, "more objects than the cluster has")
        let hooks = (try? ReleaseHook.parse(Array(input))) ?? []
        for needsAddress in [false, true] {
            let found = Readiness(objects: objects, hooks: hooks, needsAddress: needsAddress)
            try require(found.isReady == found.problems.isEmpty, "ready with problems")
            try require(found.failure == nil || !found.isReady, "ready although it failed")
            try carried(found.json)
        }
        for object in all {
            let event = ClusterEvent(object)
            try carried(event.json)
            try hides(event.message)
            try carried(object.podJSON)
        }
    }

    private static func complaints(_ input: UnsafeRawBufferPointer) throws {
        try brief(HelmFailure.error(ended(input), "helm"), atMost: 1000)
        let scrubbed = HelmFailure.scrubbed(text(input))
        try hides(scrubbed)
        try require(HelmFailure.scrubbed(scrubbed) == scrubbed, "scrubbed twice it is another text")
        let secrets = SecretWords(["password": "hunter2"])
        let hidden = secrets.hidden(in: text(input))
        for word in ["hunter2", "aHVudGVyMg=="] { try require(!contains(hidden, bytes: word), "\(word) is told") }
    }

    /// What Kubernetes quotes because it refuses it may be a secret.
    private static func hides(_ message: String) throws {
        for rest in places(of: "nvalid value: \"", in: message) {
            try require(rest.starts(with: "…".utf8), "a refused value is told: \(message)")
        }
    }

    private static func values(_ input: UnsafeRawBufferPointer) throws {
        guard let value = try? JSONParser.parse(input) else { return }
        try require(value.plain.plain == value.plain, "made plain twice it is another value")
        try require(value.overlaid(with: value) == value, "laid over itself it changes")
        let file = ReleaseSpec.file(value)
        try require((try? JSONParser.parse(file)) == value, "values read back as others")
    }
}
