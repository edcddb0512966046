import Processes
import WireProtocol

@testable import DockerDriver
@testable import DriverKit
@testable import ZFSDriver

/// Answers of the Docker engine and output of the ZFS tools, and the orders that lead to them. Whatever they say becomes
/// figures that a line can carry, or is left out.
enum Engines {
    static let targets = [
        FuzzTarget("docker-json") { input in
            guard let value = try? JSONParser.parse(input, limits: .local) else { return try complaint(text(input)) }
            for value in [value] + (value.asArray ?? []) { try inspect(value) }
        },
        FuzzTarget("docker-spec") { input in
            guard let object = try? JSONParser.parse(input).asObject else { return }
            let secrets = object["secrets"]?.asObject ?? [:]
            var arguments = object
            arguments["secrets"] = nil
            guard
                let spec = try ordered({ () throws(DriverError) in
                    let call = try read(ContainerSpec.arguments, arguments, secrets: [.variables], secrets)
                    return try ContainerSpec(call.arguments, secrets: call.secrets)
                })
            else { return }
            try require(spec.labels[ContainerState.ownerLabel] == spec.owner, "a container without an owner")
            try require(
                spec.environment.allSatisfy { !$0.key.contains("=") && !$0.value.utf8.contains(0) }, "an odd variable")
            try require(spec.mounts.allSatisfy { $0.source.hasPrefix("/") }, "a mount of no path")
            try carried(spec.limits.body(quota: true))
        },
        FuzzTarget("zfs-output") { input in try output(text(input)) },
        FuzzTarget("zfs-order") { input in
            guard let object = try? JSONParser.parse(input).asObject else { return }
            guard
                let dataset = try ordered({ () throws(DriverError) in
                    let takes: [Argument] =
                        [.text("dataset", .datasetBelowPool, "which one")] + DatasetSpec.arguments
                    var reader = ArgumentReader(try read(takes, object).arguments)
                    let dataset = try DatasetSpec(&reader, dataset: "dataset")
                    try reader.finish()
                    return dataset
                })
            else { return }
            try require(
                !dataset.dataset.hasPrefix("-") && dataset.dataset.contains("/"), "an odd dataset: \(dataset.dataset)")
            let words = dataset.creationOptions
            try require(words.count % 2 == 0, "an option without a value")
            for (place, word) in words.enumerated() {
                try require(place % 2 == 1 || word == "-o", "an option of another kind: \(word)")
                try require(!word.utf8.contains(0) && !word.contains("\n"), "a word with a control character")
            }
        },
    ]

    /// An order as an action gets it.
    private static func read(
        _ arguments: [Argument], _ object: JSONObject, secrets: [Argument] = [], _ secret: JSONObject = [:]
    ) throws(DriverError) -> ActionCall {
        try ActionSpec("order", .mutate, summary: "reads an order").taking(arguments, secrets: secrets)
            .reading(ActionCall(action: "order", resource: "x", arguments: object, secrets: secret))
    }

    /// A refused order names the argument.
    private static func ordered<Order>(_ make: () throws(DriverError) -> Order) throws -> Order? {
        do { return try make() } catch {
            try require(!error.message.isEmpty, "a refusal without a reason")
            try require(
                error.code == .permissionDenied || error.code == .invalidArgument && error.message.contains("argument"),
                "refused as \(error.code): \(error.message)")
            return nil
        }
    }

    private static func inspect(_ value: JSONValue) throws {
        if let state = ContainerState(value) {
            try carried(state.observed)
            try require(!state.epoch.isEmpty && state.pidsLimit >= 0, "an odd container")
            _ = ContainerLimits.missing(from: state)
        }
        if let entry = ContainerEntry(value) { try carried(entry.observed) }
        if let image = ImageState(value) { try carried(image.observed) }
        _ = APIVersion(value["ApiVersion"]?.asString)
    }

    private static func complaint(_ text: String) throws {
        let error = EngineError.refused(status: Int(text.utf8.first ?? 0) + 300, message: text.printable(limit: 500))
            .driverError
        try require(!error.message.isEmpty, "an error without a message")
        let controls = text.printable(limit: 500).unicodeScalars.contains { $0.properties.generalCategory == .control }
        try require(!controls && text.printable(limit: 500).unicodeScalars.count <= 500, "an unprintable text")
        let (repository, tag) = DockerDriver.split(text)
        try require(
            text.isEmpty || !tag.isEmpty || text.hasSuffix(":") || text.hasSuffix("@"), "\(repository) has an empty tag"
        )
    }

    // MARK: - ZFS

    private static func output(_ text: String) throws {
        let objects = ZFSObject.parse(text)
        try require(Set(objects.map { Array($0.name.utf8) }).count >= Set(objects.map(\.name)).count, "a name is lost")
        for object in objects {
            try carried(object.json)
            _ = (object.owner, object.parts, object.number("used"))
        }
        let pools = ZFSPool.parse(text)
        for pool in pools { try carried(pool.json) }
        var observation = ZFSObservation(epoch: "x")
        for time in [ContinuousClock.Instant.now, .now + .seconds(86_400)] {
            _ = observation.update(pools)
            observation.update(objects, at: time)
        }
        try require(observation.update(pools).isEmpty || Set(pools.map(\.name)).count < pools.count, "news of nothing")
        for counter in observation.usage(at: .now + .seconds(2 * 86_400)) {
            try require(counter.value >= 0, "\(counter.subject) counts backwards: \(counter.value)")
        }
        let error = ZFSFailure.error(text, .code(1))
        try require(!error.message.isEmpty && (error.cause?.count ?? 0) <= 600, "a failure without a bounded cause")
    }
}

extension ContainerLimits {
    fileprivate static func missing(from state: ContainerState) -> ContainerLimits? {
        var reader = ArgumentReader(["memory_bytes": 67_108_864, "cpu_millis": 100, "pids": 100])
        return (try? ContainerLimits(reading: &reader))?.missing(in: state)
    }
}
