import DriverKit
import Model
import WireProtocol

/// What is to be published: each value goes into the file as code of nginx, so each follows a grammar.
struct ProxySpec: Sendable {
    let name: String
    let service: String?
    let serverNames: [String]
    let upstream: String
    let port: Int64
    let transport: String
    /// Bytes; 0 is no limit.
    let bodyLimit: Int64
    /// authelia, authentik, ldap, tinyauth or basic; nil is public.
    let access: String?
    /// Answers are sent on as they come.
    let streams: Bool
    /// `nextcloud`: SWAG's own sample for an app takes the place of the plain form.
    let sample: String?

    var file: String { "\(name).subdomain.conf" }

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        name = try reader.string("name")
        service = try reader.optionalString("service")
        serverNames = (try reader.strings("server_names") ?? []).map { $0.lowercased() }
        guard Set(serverNames).count == serverNames.count else {
            throw .invalidArgument("server_names", "repeats a name")
        }
        upstream = try reader.string("upstream")
        port = try reader.integer("port")
        transport = try reader.string("protocol")
        bodyLimit = try reader.integer("body_limit_bytes")
        access = try reader.optionalString("access")
        streams = try reader.bool("streaming")
        sample = try reader.optionalString("sample")
    }

    static func isHostName(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return name.utf8.count <= 253 && labels.count >= 2 && labels.allSatisfy { Grammar.nodeName.accepts(String($0)) }
            && labels.last?.allSatisfy(\.isNumber) == false
    }

    /// Nothing that leads back into the proxy's machine or to a cloud's metadata.
    static func isUpstream(_ host: String) -> Bool {
        guard (1...253).contains(host.utf8.count), let first = host.utf8.first, let last = host.utf8.last,
            host.utf8.allSatisfy({ isWord($0) || "._-".utf8.contains($0) }), isWord(first), isWord(last)
        else { return false }
        let lower = host.lowercased()
        let digits = lower.utf8.allSatisfy {
            (0x30...0x39).contains($0) || $0 == 0x2E || (0x61...0x66).contains($0) || $0 == 0x78
        }
        let isOdd = digits && !isAddress(lower) && lower.utf8.first.map { (0x30...0x39).contains($0) } ?? false
        let closed = ["127.", "0.", "169.254.", "224.", "255."].contains { lower.hasPrefix($0) } && isAddress(lower)
        let names = ["localhost", "host.docker.internal", "gateway.docker.internal", "metadata.google.internal"]
        return !closed && !isOdd && !names.contains(lower) && !lower.hasSuffix(".localhost")
    }

    static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                UInt8(part) != nil && (part.count == 1 || part.first != "0")
            }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
    }

    // MARK: text

    static let mark = "## Innkeeper"
    private var heading: String { "\(Self.mark) \(name)\(service.map { " of \($0)" } ?? "")" }

    /// The plain form, after SWAG's own template.
    /// - Parameter home: the folder of the configuration, as nginx sees it.
    func text(home: String) -> String {
        var lines = [heading, "", "server {", "    listen 443 ssl;", "    listen [::]:443 ssl;", ""]
        lines += [
            "    server_name \(serverNames.joined(separator: " "));", "", "    include \(home)/nginx/ssl.conf;", "",
        ]
        lines += ["    client_max_body_size \(bodyLimit);", ""]
        if let access, access != "basic" { lines += ["    include \(home)/nginx/\(access)-server.conf;", ""] }
        lines += ["    location / {"]
        if access == "basic" {
            lines += [
                "        auth_basic \"Restricted\";", "        auth_basic_user_file \(home)/nginx/.htpasswd;", "",
            ]
        } else if let access {
            lines += ["        include \(home)/nginx/\(access)-location.conf;", ""]
        }
        lines += ["        include \(home)/nginx/proxy.conf;", "        include \(home)/nginx/resolver.conf;"]
        lines += ["        set $upstream_app \(upstream);", "        set $upstream_port \(port);"]
        lines += ["        set $upstream_proto \(transport);"]
        lines += ["        proxy_pass $upstream_proto://$upstream_app:$upstream_port;"]
        if streams { lines += ["", "        proxy_buffering off;"] }
        return (lines + ["    }", "}", ""]).joined(separator: "\n")
    }

    /// The sample with these names and this upstream; everything else stays as the sample has it.
    /// - Throws: `unsupported` when the sample is not of the usual shape.
    func text(from sample: [UInt8]) throws(DriverError) -> String {
        let text = heading + "\n" + String(decoding: try ProxySample(sample).text(of: self), as: UTF8.self)
        guard isAll(of: NginxText(Array(text.utf8))) else {
            throw DriverError(.unsupported, "the sample has names or upstreams where none are expected")
        }
        return text
    }

    /// As nginx will read it, which minds no lines: a second name may stand behind something else.
    private func isAll(of text: NginxText) -> Bool {
        let upstreams = text.statements.filter { $0.starts(with: ["set", "$upstream_app"]) }
        return text.serverNames == serverNames && upstreams.allSatisfy { $0.dropFirst(2) == [upstream] }
    }
}
