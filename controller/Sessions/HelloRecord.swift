import Store
import WireProtocol

extension Hello {
    /// What the store keeps of a hello: capacities in columns, the rest as facts.
    ///
    /// Capacities come from the drivers' facts: `host` says `processors` and `memory_bytes`, `zfs` the sizes of its pools.
    var record: NodeHello {
        let host = facts(of: "host")
        return NodeHello(
            node: node, agentVersion: agent, facts: facts, boot: boot,
            cpuMillis: (host["processors"]?.asInteger ?? 0).clamped(to: 1 << 20) * 1000,
            memoryBytes: (host["memory_bytes"]?.asInteger ?? 0).clamped(to: .max), diskBytes: poolBytes,
            catalogue: catalogue)
    }

    /// What the node's drivers can do: `[{"driver", "operations": [OperationReport]}]`; nil when it does not say.
    private var catalogue: JSONValue? {
        let known = drivers.compactMap { driver in
            driver.catalogue.map { operations -> JSONValue in
                [
                    "driver": .string(driver.name), "version": .string(driver.version),
                    "operations": .array(operations.map(\.json)),
                ]
            }
        }
        return known.isEmpty ? nil : .array(known)
    }

    private func facts(of driver: String) -> JSONObject {
        drivers.first { $0.name == driver }?.facts ?? [:]
    }

    private var poolBytes: Int64 {
        let sizes = (facts(of: "zfs")["pools"]?.asArray ?? []).compactMap { $0["size_bytes"]?.asInteger }
        return sizes.reduce(0) { sum, size in
            sum.addingReportingOverflow(max(0, size)).overflow ? .max : sum + max(0, size)
        }
    }

    private var facts: JSONObject {
        [
            "hostname": .string(hostname),
            "os": [
                "name": .string(os.name), "version": .string(os.version), "kernel": .string(os.kernel),
                "arch": .string(os.arch),
            ],
            "started": .integer(started),
            "drivers": .array(
                drivers.map { driver in
                    [
                        "name": .string(driver.name), "version": .string(driver.version),
                        "operations": .array(driver.operations.map(JSONValue.string)), "facts": .object(driver.facts),
                    ]
                }),
        ]
    }
}

extension Int64 {
    fileprivate func clamped(to limit: Int64) -> Int64 { Swift.min(Swift.max(0, self), limit) }
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

extension OperationReport {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "kind": .string(kind.code), "summary": .string(summary),
            "deadline_ms": .integer(deadlineMs), "guarded": .bool(guarded), "allowed": .bool(allowed),
        ]
    }
}
