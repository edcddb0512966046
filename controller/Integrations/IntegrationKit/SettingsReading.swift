package import ControllerCore
package import Model
package import WireProtocol

/// The settings of an integration.
package protocol IntegrationSettings: Sendable {
    init(_ fields: JSONObject) throws
}

extension IntegrationSettings {
    /// The settings, or which field is wrong.
    package static func read(_ fields: JSONObject, _ path: String) throws(CoreError) -> Self {
        do { return try Self(fields) } catch let error as FieldError {
            throw .invalid(field: error.under(path).path, problem: error.sentence)
        } catch let error as GrammarError {
            throw .invalid(field: "\(path).\(error.field)", problem: "must be \(error.expectation)")
        } catch { throw .invalid(field: path, problem: "\(error)") }
    }
}

extension JSONObject {
    /// A text of one line that is not empty.
    package func line(_ key: String, atMost limit: Int = 1000) throws(FieldError) -> String {
        guard let line = try optionalLine(key, atMost: limit) else { throw FieldError(path: key, problem: .missing) }
        return line
    }

    package func optionalLine(_ key: String, atMost limit: Int = 1000) throws(FieldError) -> String? {
        guard let text = try optionalString(key) else { return nil }
        guard !text.isEmpty, text.utf8.count <= limit, VisibleText.isVisible(text) else {
            throw FieldError(path: key, problem: .value(expected: "one line of 1 to \(limit) characters"))
        }
        return text
    }

    /// A full name, in lower case.
    package func domain(_ key: String) throws(FieldError) -> String {
        let name = try string(key)
        guard Grammar.domainName.accepts(name) else {
            throw FieldError(path: key, problem: .value(expected: Grammar.domainName.expectation))
        }
        return name
    }

    /// One or more certificates as PEM.
    package func optionalAuthorities() throws(FieldError) -> String? {
        guard let text = try optionalString("authority") else { return nil }
        guard text.utf8.count <= 64 << 10, text.contains("-----BEGIN CERTIFICATE-----") else {
            throw FieldError(path: "authority", problem: .value(expected: "certificates as PEM, at most 64 KiB"))
        }
        return text
    }

    /// Where the service is: `https://host…` without query and without a slash at the end. Plain HTTP only to an address of this
    /// machine or of a private network, since it carries passwords.
    package func serviceURL(_ key: String) throws(FieldError) -> String {
        var text = try string(key)
        while text.hasSuffix("/") { text.removeLast() }
        let isTLS = text.hasPrefix("https://")
        guard isTLS || text.hasPrefix("http://"), text.utf8.count <= 300,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"?#@\\\"'<>".utf8.contains($0) })
        else { throw FieldError(path: key, problem: .value(expected: "a URL such as https://panel.example.net:8080")) }
        let rest = text.dropFirst(isTLS ? 8 : 7)
        let authority = String(rest.prefix { $0 != "/" })
        let hostPort = authority.hasSuffix("]") || !authority.contains(":") ? authority + ":80" : authority
        guard Grammar.hostPort.accepts(hostPort) else {
            throw FieldError(path: key, problem: .value(expected: "a URL with a host name or an address"))
        }
        let host = hostPort[..<hostPort.lastIndex(of: ":")!].filter { $0 != "[" && $0 != "]" }
        guard isTLS || IPAddress(host)?.isPrivate == true else {
            let expected = "https, since plain http is for addresses of this machine and of private networks"
            throw FieldError(path: key, problem: .value(expected: expected))
        }
        return text
    }
}

extension IPAddress {
    /// Of this machine, of a private network, or of a link: nothing that the world can reach.
    package var isPrivate: Bool {
        // An IPv4 address in the clothes of IPv6.
        if family == .v6, number >> 32 == 0xFFFF { return IPAddress(.v4, number & 0xFFFF_FFFF)?.isPrivate ?? true }
        let first = family == .v4 ? number >> 24 : number >> 120
        switch family {
        case .v4:
            return [0, 10, 127].contains(first) || number >> 20 == 0xAC1 || number >> 16 == 0xC0A8
                || number >> 16 == 0xA9FE || number >> 22 == 0x191 || first >= 224
        case .v6: return number <= 1 || first & 0xFE == 0xFC || number >> 118 == 0x3FA || first == 0xFF
        }
    }
}
