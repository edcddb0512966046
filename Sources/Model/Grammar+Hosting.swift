extension Grammar {
    /// A host's full name in lower case, at least two labels, the last one not a number.
    package static let domainName = Grammar(
        "domain name", "two or more labels of a-z, 0-9 and - with dots between, at most 253 characters, in lower case"
    ) { text in
        let labels = text.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard text.count <= 253, labels.count >= 2, let last = labels.last else { return false }
        return labels.allSatisfy(isHostLabel) && last.count >= 2 && !last.allSatisfy(\.isDigit)
    }

    /// An account of the system that owns a site.
    package static let accountName = Grammar(
        "account name", "1 to 32 of a-z, 0-9 and -, beginning with a letter and not ending with -"
    ) { text in
        guard let first = text.first, let last = text.last, text.count <= 32 else { return false }
        return first.isLowerLetter && last != 0x2D
            && text.allSatisfy { $0.isLowerLetter || $0.isDigit || $0 == 0x2D }
    }

    /// An account of a panel's server that owns a site there; the panel takes `_` as well.
    package static let siteUser = Grammar(
        "account name", "1 to 32 of a-z, 0-9, _ and -, beginning with a letter and not ending with -"
    ) { text in
        guard let first = text.first, let last = text.last, text.count <= 32 else { return false }
        return first.isLowerLetter && last != 0x2D
            && text.allSatisfy { $0.isLowerLetter || $0.isDigit || $0 == 0x2D || $0 == 0x5F }
    }

    /// A database or one of its users: what MySQL takes without quoting, and a dash.
    package static let databaseName = Grammar(
        "database name", "1 to 64 letters, digits, _ and -, beginning with a letter or digit"
    ) { text in startsAlphanumeric(text, length: 1...64, inner: "_-") }

    /// Of a file in a folder of its own: neither hidden nor a path.
    package static let fileName = Grammar(
        "file name", "1 to 128 letters, digits, _, - and ., beginning with a letter or digit"
    ) { text in startsAlphanumeric(text, length: 1...128, inner: "_-.") }
}
