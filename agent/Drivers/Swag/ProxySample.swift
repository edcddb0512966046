import DriverKit

/// SWAG's sample for an app, of which names and upstream are exchanged and everything else stays.
///
/// An app may have parts on other ports (`location /rpc` on 6800 beside the site on 80). Only the port of the site's own location
/// is the one that a caller names; another stays as the sample has it.
struct ProxySample: Sendable {
    private let bytes: [UInt8]
    private let names: NginxTree.Statement
    private let own: ProxyTarget
    private let others: [ProxyTarget]

    /// - Throws: `unsupported` where it is not told which of several things is the site's own.
    init(_ bytes: [UInt8]) throws(DriverError) {
        guard let tree = NginxTree(bytes) else { throw .sample("is no file that nginx would take") }
        let servers = tree.blocks.count { $0.words == ["server"] }
        guard servers == 1 else { throw .sample("has \(servers) servers; publish each by a configuration of its own") }
        let names = tree.statements.filter { $0.words[0] == "server_name" && $0.words.count > 1 }
        guard names.count == 1 else { throw .sample("has not one server_name") }
        guard let own = tree.ownTarget else { throw .sample("has no location / with one upstream") }
        let transport = ProxyTarget.value(own.transport)
        guard ["http", "https"].contains(transport) else {
            throw .sample("speaks \(transport.prefix(20)) with its upstream, which is neither http nor https")
        }
        var others: [ProxyTarget] = []
        for (block, statements) in tree.settings where block != own.block {
            guard tree.blocks[block].words.first == "location", let other = ProxyTarget(in: block, statements) else {
                throw .sample("sets parts of an upstream where none are expected")
            }
            guard ProxyTarget.value(other.app) == ProxyTarget.value(own.app) else {
                throw .sample("has a second app behind it: \(ProxyTarget.value(other.app).prefix(100))")
            }
            others.append(other)
        }
        (self.bytes, self.names, self.own, self.others) = (bytes, names[0], own, others)
    }

    func text(of order: ProxySpec) -> [UInt8] {
        var edits: [(place: Range<Int>, text: String)] = []
        let places = names.places
        edits.append(
            (places[1].lowerBound..<places[places.count - 1].upperBound, order.serverNames.joined(separator: " ")))
        for target in [own] + others {
            edits.append((target.app.places[2], order.upstream))
            guard target.isAlike(own) else { continue }
            edits.append((target.port.places[2], "\(order.port)"))
            edits.append((target.transport.places[2], order.transport))
        }
        var result = bytes
        for edit in edits.sorted(by: { $0.place.lowerBound > $1.place.lowerBound }) {
            result.replaceSubrange(edit.place, with: edit.text.utf8)
        }
        return result
    }
}

extension DriverError {
    fileprivate static func sample(_ problem: String) -> DriverError {
        DriverError(.unsupported, "the sample \(problem)")
    }
}
