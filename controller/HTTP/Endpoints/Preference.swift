package import HTTPTypes

/// What a caller would like of an answer to work that takes long (RFC 7240). What nobody understands is passed over.
package struct Preference: Sendable, Hashable {
    /// He does not wait for the end.
    package private(set) var isAsync = false
    /// The most that he waits.
    package private(set) var wait: Duration?

    init(_ headers: HTTPFields) {
        for part in (headers[.prefer] ?? "").lowercased().split(separator: ",").prefix(16) {
            let words = part.split(separator: ";")[0].split(separator: "=", maxSplits: 1)
                .map { $0.filter { $0 != " " && $0 != "\t" && $0 != "\"" } }
            switch words.first {
            case "respond-async": isAsync = true
            case "wait":
                wait = words.last.flatMap { Int64($0) }.flatMap { (0...86_400).contains($0) ? .seconds($0) : nil }
            default: continue
            }
        }
    }
}

extension HTTPField.Name {
    static let prefer = Self("Prefer")!
    /// `Host` of HTTP/1.1, `:authority` of HTTP/2.
    package static let addressedHost = Self("Host")!
}

extension APICall {
    /// How long whoever asked waits for the end of work: no longer than `most`, and not at all where he wants to be told later.
    package func patience(atMost most: Duration) -> Duration {
        preference.isAsync ? .zero : min(preference.wait ?? most, most)
    }
}
