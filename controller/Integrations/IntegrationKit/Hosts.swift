import Model

/// Names as DNS and proxies take them: in lower case, IDN as punycode. A label may begin with an underscore.
package enum HostName {
    package static func isValid(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.count >= 2 else { return false }
        return Grammar.domainName.accepts(labels.map { $0.hasPrefix("_") ? $0.dropFirst() : $0 }.joined(separator: "."))
    }

    /// Whether a host is a zone or lies in it.
    package static func lies(_ host: String, in zone: String) -> Bool { host == zone || host.hasSuffix("." + zone) }
}

extension String {
    /// As it may stand in a message of ours: visible, and no longer than a sentence.
    package var quotable: String {
        String(String.UnicodeScalarView(unicodeScalars.filter(VisibleText.isVisible).prefix(200)))
    }
}
