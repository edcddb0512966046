import Store
import WireProtocol

/// Whose figures are asked for, and what they are called for whoever asks.
struct Measured: Sendable {
    /// Series of the node that begin with `prefix`; `name` stands in its place outside.
    struct Part: Sendable {
        let prefix: String
        let name: String
    }

    let subject: String
    /// Nil when the service was never placed.
    let node: String?
    /// Each series belongs to the first part that fits.
    let parts: [Part]

    init(_ node: NodeRecord) {
        subject = node.id
        self.node = node.id
        parts = [Part(prefix: "", name: "")]
    }

    /// The figures of its container by their own names, those of its data set as `dataset.used` and `dataset.quota`.
    init(_ service: ServiceRecord) {
        subject = service.id
        node = service.node
        var parts = [Part(prefix: "container/\(service.id).", name: "")]
        if let dataset = service.address["dataset"]?.asString {
            parts.append(Part(prefix: "zfs/\(dataset).", name: "dataset."))
        }
        self.parts = parts
    }

    /// The name outside; nil for what is not the subject's.
    func inner(_ name: String) -> String? {
        parts.lazy.compactMap { part in
            name.hasPrefix(part.prefix) ? part.name + name.dropFirst(part.prefix.count) : nil
        }.first
    }

    /// The node's series that `name` asks for; a `*` at its end stands for all that begin so.
    func outer(_ name: String) -> [String] {
        parts.compactMap { part in
            if name.hasPrefix(part.name) { return part.prefix + name.dropFirst(part.name.count) }
            guard name.last == "*", part.name.hasPrefix(name.dropLast()) else { return nil }
            return part.prefix + "*"
        }
    }
}
