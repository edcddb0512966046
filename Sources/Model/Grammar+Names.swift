extension Grammar {
    /// RFC 1123 labels with dots between, 63 characters in all so that it also fits one DNS label and a certificate.
    package static let nodeName = Grammar(
        "node name", "1 to 63 of a-z, 0-9, - and ., where each part begins and ends with a letter or digit"
    ) { text in
        text.count <= 63 && text.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy(isHostLabel)
    }

    /// `zone` or `example.org/zone`.
    package static let labelKey = Grammar(
        "label key", "1 to 63 letters, digits, -, _, . and /, each part beginning and ending with a letter or digit"
    ) { text in
        text.count <= 63
            && text.split(separator: 0x2F, omittingEmptySubsequences: false).allSatisfy {
                isBounded($0, length: 1...63, inner: "-_.")
            }
    }

    /// May be empty.
    package static let labelValue = Grammar(
        "label value", "at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit"
    ) { text in text.isEmpty || isBounded(text, length: 1...63, inner: "-_.") }

    /// What Docker takes for a container.
    package static let containerName = Grammar(
        "container name", "2 to 128 letters, digits, _, . and -, beginning with a letter or digit"
    ) { text in startsAlphanumeric(text, length: 2...128, inner: "_.-") }

    /// A bridge of a Linux machine.
    package static let bridgeName = Grammar(
        "bridge name", "1 to 15 letters, digits, -, _ and ., beginning with a letter or digit"
    ) { text in startsAlphanumeric(text, length: 1...15, inner: "-_.") }

    /// `[registry[:port]/]path[:tag][@sha256:digest]`, never beginning with `-`.
    package static let imageReference = Grammar(
        "image reference", "name[:tag][@sha256:digest] of at most 255 characters, path in lower case", isImageReference)

    package static let environmentName = Grammar(
        "environment variable", "1 to 128 letters, digits and _, not beginning with a digit"
    ) { text in
        guard let first = text.first, text.count <= 128, !first.isDigit else { return false }
        return text.allSatisfy { $0.isAlphanumeric || $0 == 0x5F }
    }

    /// The id that a billing system gives to a service. As a part of a path `.` and `..` would mean something else.
    package static let externalID = Grammar(
        "external id", "1 to 128 printable ASCII characters without spaces, and neither . nor .."
    ) { text in
        (1...128).contains(text.count) && text.allSatisfy(\.isGraphic)
            && !text.elementsEqual(".".utf8) && !text.elementsEqual("..".utf8)
    }

    package static let planName = Grammar(
        "plan name", "1 to 63 of a-z, 0-9, -, _ and ., beginning and ending with a letter or digit"
    ) { text in
        isBounded(text, length: 1...63, inner: "-_.") && text.allSatisfy { !$0.isLetter || $0.isLowerLetter }
    }

    /// A prefix and an underscore, then what `Identifier.make` makes, or any name of the same letters.
    package static let identifier = Grammar(
        "id", "1 to 128 letters, digits, _, -, . and :, beginning with a letter or digit"
    ) { text in startsAlphanumeric(text, length: 1...128, inner: "_-.:") }

    static func isHostLabel(_ label: ArraySlice<UInt8>) -> Bool {
        guard let first = label.first, let last = label.last, label.count <= 63 else { return false }
        return first != 0x2D && last != 0x2D && label.allSatisfy { $0.isLowerLetter || $0.isDigit || $0 == 0x2D }
    }

    static func startsAlphanumeric(_ text: ArraySlice<UInt8>, length: ClosedRange<Int>, inner: StaticString) -> Bool {
        guard length.contains(text.count), let first = text.first, first.isAlphanumeric else { return false }
        return text.allSatisfy { $0.isAlphanumeric || $0.isOne(of: inner) }
    }

    static func isBounded(_ text: ArraySlice<UInt8>, length: ClosedRange<Int>, inner: StaticString) -> Bool {
        guard let last = text.last, last.isAlphanumeric else { return false }
        return startsAlphanumeric(text, length: length, inner: inner)
    }
}
