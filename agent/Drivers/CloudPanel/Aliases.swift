import DriverKit
import Model
import Synchronization
import WireProtocol

/// Further names of a site are answered by a file of ours that nginx reads after the panel's: the panel's own servers of the site
/// once more, under the other names. The panel's file and its database stay as they are.
extension CloudPanelDriver {
    func setAliases(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let domain = try reader.string("domain")
        let names = try reader.strings("names") ?? []
        try reader.finish()
        try call.concerns("site/\(domain)")
        let wanted = Set(names).subtracting([domain]).sorted()
        return try await gate.pass { () throws(DriverError) in
            let site = try await database.requireSite(domain)
            if let other = try await database.sites().first(where: { wanted.contains($0.domain) }) {
                throw DriverError(.conflict, "\(other.domain) is a site of its own on this server")
            }
            if let taken = aliasedDomains.first(where: { other in
                other != domain && aliases(of: other).contains(where: wanted.contains)
            }) {
                throw DriverError(.conflict, "the site \(taken) answers for one of the names already")
            }
            guard !wanted.isEmpty else {
                let changed = try await dropAliases(of: domain)
                return ActionOutcome(changed: changed, observed: describe(site))
            }
            let changed = try await serve(wanted, of: site)
            // A suspension covers all names.
            if Files.exists(places.suspension(domain)) { _ = try await suspend(site) }
            return ActionOutcome(changed: changed, observed: describe(site))
        }
    }

    /// The names that a site answers for beside the panel's.
    func aliases(of domain: String) -> [String] {
        (Files.text("\(places.aliased)/\(domain)", atMost: 64 << 10) ?? "").split(separator: "\n").map(String.init)
            .filter(Grammar.domainName.accepts)
    }

    var aliasedDomains: [String] { Files.names(in: places.aliased).filter(Grammar.domainName.accepts).sorted() }

    /// Makes nginx answer for the names as the panel's file of the site says.
    /// - Returns: whether it was not so.
    private func serve(_ names: [String], of site: PanelSite) async throws(DriverError) -> Bool {
        guard let text = Files.text(places.host(site.domain)) else {
            throw DriverError(.notFound, "nginx has no configuration of \(site.domain)")
        }
        guard let wanted = AliasedHost(site.domain, text).text(names) else {
            throw DriverError(.failed, "nginx's configuration of \(site.domain) has no server of that name")
        }
        let (path, note) = (places.aliases(site.domain), "\(places.aliased)/\(site.domain)")
        let (before, noted) = (Files.bytes(path), Files.bytes(note))
        let list = Array((names.joined(separator: "\n") + "\n").utf8)
        if before == Array(wanted.utf8), noted == list { return false }
        try Files.makeFolder(places.aliased)
        try Files.write(Array(wanted.utf8), to: path, mode: 0o644)
        do throws(DriverError) { try await reloadNginx() } catch {
            if let before { try Files.write(before, to: path, mode: 0o644) } else { Files.remove(path) }
            throw error
        }
        // Last: what nginx was not told of is written again by whoever comes next.
        try Files.write(list, to: note, mode: 0o600)
        return true
    }

    /// - Returns: whether there were any.
    func dropAliases(of domain: String) async throws(DriverError) -> Bool {
        let wasThere = Files.remove(places.aliases(domain))
        let wasNoted = Files.exists("\(places.aliased)/\(domain)")
        guard wasThere || wasNoted else { return false }
        do throws(DriverError) { try await reloadNginx() } catch { throw error.afterChange() }
        Files.remove("\(places.aliased)/\(domain)")
        return true
    }

    /// The panel may have written its file anew, or the site may be gone.
    func renewAliases(_ domain: String, _ site: PanelSite?) async -> DriverEvent? {
        let resource = "cloudpanel/site/\(domain)"
        do throws(DriverError) {
            let changed: Bool
            if let site {
                changed = try await serve(aliases(of: domain), of: site)
            } else {
                changed = try await dropAliases(of: domain)
            }
            let kind = site == nil ? "site.aliases_ended" : "site.aliases_renewed"
            return changed ? DriverEvent(time: .now(), resource: resource, kind: kind) : nil
        } catch {
            let problem = error.description
            let isNew = observed.withLock { $0.problems.updateValue(problem, forKey: domain) != problem }
            guard isNew else { return nil }
            return DriverEvent(
                time: .now(), resource: resource, kind: "site.aliases_failed", data: ["problem": .string(problem)])
        }
    }
}

/// The servers of a site under other names.
struct AliasedHost {
    private let domain: String
    private let servers: [[Directive]]

    /// A line of nginx's configuration, with what stands in its braces.
    private struct Directive {
        var words: [String]
        var block: [Directive]?
    }

    init(_ domain: String, _ text: String) {
        self.domain = domain
        var tokens = NginxTokens(text)
        // Deeper than anybody writes it, and no deeper.
        let all = Self.directives(&tokens, depth: 0)
        // Those of further names by themselves send visitors on, and stay the site's.
        servers = all.filter { $0.words == ["server"] }.compactMap(\.block).filter { block in
            block.contains { $0.words.first == "server_name" && $0.words.dropFirst().contains(domain) }
        }
    }

    private static func directives(_ tokens: inout NginxTokens, depth: Int) -> [Directive] {
        var (found, words): ([Directive], [String]) = ([], [])
        while let token = tokens.next() {
            switch token {
            case .word(let word): words.append(word)
            case .end:
                if !words.isEmpty { found.append(Directive(words: words)) }
                words = []
            case .open:
                let block = depth < 32 ? directives(&tokens, depth: depth + 1) : []
                found.append(Directive(words: words, block: block))
                words = []
            case .close: return found
            }
        }
        return found
    }

    /// Nil where the panel's file has no server of the site.
    func text(_ names: [String]) -> String? {
        guard !servers.isEmpty else { return nil }
        let head =
            "# Further names of \(domain): the panel's own servers once more. Innkeeper writes and removes this file."
        return ([head] + servers.map { render($0, names) }).joined(separator: "\n") + "\n"
    }

    private func render(_ server: [Directive], _ names: [String]) -> String {
        var listens = HostConfiguration.Server()
        listens.listens = server.filter { $0.words.first == "listen" }.map { Array($0.words.dropFirst()) }
        var lines = listens.addresses.map { "  listen \($0);" }
        lines.append("  server_name \(names.joined(separator: " "));")
        for directive in server where !["listen", "server_name"].contains(directive.words.first) {
            lines += Self.lines(directive, indent: "  ")
        }
        return "server {\n" + lines.joined(separator: "\n") + "\n}"
    }

    private static func lines(_ directive: Directive, indent: String) -> [String] {
        let words = directive.words.joined(separator: " ")
        guard let block = directive.block else { return ["\(indent)\(words);"] }
        return ["\(indent)\(words) {"] + block.flatMap { lines($0, indent: indent + "  ") } + ["\(indent)}"]
    }
}
