import Store
import WireProtocol

/// Whose figures are asked for, and what they are called for whoever asks.
struct Measured: Sendable {
    let subject: String
    /// Nil when the service was never placed.
    let node: String?
    /// Each series belongs to the first part that fits.
    let parts: [FigurePart]

    init(_ node: NodeRecord) {
        subject = node.id
        self.node = node.id
        parts = [FigurePart(prefix: "", name: "")]
    }

    /// Those that the service's product names.
    init(_ service: ServiceRecord, _ catalogue: Catalogue) {
        subject = service.id
        node = service.node
        parts = catalogue.product(of: service)?.figures(service) ?? []
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
