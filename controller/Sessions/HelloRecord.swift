import Store
import WireProtocol

extension Hello {
    /// What the store keeps of a hello. The capacities in it are what the node claims.
    var record: NodeHello {
        let claims = NodeClaims(facts: facts)
        return NodeHello(
            node: node, agentVersion: agent, facts: facts, boot: boot, cpuMillis: claims.cpuMillis,
            memoryBytes: claims.memoryBytes, diskBytes: claims.diskBytes, catalogue: drivers.catalogue)
    }

    private var facts: JSONObject {
        [
            "hostname": .string(hostname),
            "os": [
                "name": .string(os.name), "version": .string(os.version), "kernel": .string(os.kernel),
                "arch": .string(os.arch),
            ],
            "started": .integer(started), "drivers": drivers.json,
        ]
    }
}

extension DriversReport {
    /// What the store keeps of drivers that have changed since the hello; what they say that there is are claims as well.
    func record(of node: String) -> NodeDrivers {
        let claims = NodeClaims(facts: ["drivers": drivers.json])
        return NodeDrivers(
            node: node, drivers: drivers.json, cpuMillis: claims.cpuMillis, memoryBytes: claims.memoryBytes,
            diskBytes: claims.diskBytes, catalogue: drivers.catalogue)
    }
}

extension [DriverReport] {
    /// What the node's drivers can do: `[{"driver", "operations": [ActionReport]}]`; nil when it does not say.
    fileprivate var catalogue: JSONValue? {
        let known = compactMap { driver in
            driver.catalogue.map { operations -> JSONValue in
                [
                    "driver": .string(driver.name), "version": .string(driver.version),
                    "operations": .array(operations.map(\.json)),
                ]
            }
        }
        return known.isEmpty ? nil : .array(known)
    }

    fileprivate var json: JSONValue {
        .array(
            map { driver in
                [
                    "name": .string(driver.name), "version": .string(driver.version),
                    "operations": .array(driver.operations.map(JSONValue.string)), "facts": .object(driver.facts),
                ]
            })
    }
}

extension SpoolReport {
    var held: [IntakeStream: ClosedRange<Int64>] {
        var held: [IntakeStream: ClosedRange<Int64>] = [:]
        let streams = [
            (IntakeStream.metrics, metrics, used?.metrics), (.usage, usage, used?.usage),
            (.events, events, used?.events),
        ]
        for (stream, range, used) in streams {
            if let range {
                held[stream] = range.first...max(range.first, range.last)
            } else if let used, used < .max {
                // Nothing is held: the oldest that may still come is the next one.
                held[stream] = used + 1...used + 1
            }
        }
        return held
    }
}

extension ActionReport {
    fileprivate var json: JSONValue {
        var json: JSONObject = [
            "name": .string(name), "kind": .string(kind.code), "summary": .string(summary),
            "deadline_ms": .integer(deadlineMs), "guarded": .bool(guarded), "allowed": .bool(allowed),
        ]
        json["input"] = input.map { .string($0.code) }
        json["output"] = output.map { .bool($0) }
        json["resource"] = resource.map { .string($0) }
        // A schema of an action of ours has a few KiB.
        for (key, schema) in [("arguments", arguments), ("secrets", secrets)] {
            if let schema, schema.encoded.count <= Self.maximumSchemaBytes { json[key] = .object(schema) }
        }
        return .object(json)
    }
}
