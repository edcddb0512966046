/// Addresses of mail, as what runs for customers takes them.
package enum EmailAddress {
    package static let expectation = "an e-mail address of at most 254 characters"

    package static func accepts(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= 254, parts.count == 2, (1...64).contains(parts[0].utf8.count),
            Grammar.domainName.accepts(parts[1].lowercased())
        else { return false }
        return parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { $0.isAlphanumeric || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
        }
    }
}
