extension Grammar {
    /// The distribution project's reference grammar, without the rarely used digest algorithms.
    @Sendable static func isImageReference(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count <= 255 else { return false }
        var name = text
        if let at = text.firstIndex(of: 0x40) {
            guard isDigest(text[(at + 1)...]) else { return false }
            name = text[..<at]
        }
        // A colon after the last slash begins the tag; before it, it is the registry's port.
        let lastPart = (name.lastIndex(of: 0x2F) ?? name.startIndex - 1) + 1
        if let colon = name[lastPart...].firstIndex(of: 0x3A) {
            guard isTag(name[(colon + 1)...]) else { return false }
            name = name[..<colon]
        }
        let parts = name.split(separator: 0x2F, omittingEmptySubsequences: false)
        guard let first = parts.first else { return false }
        let path = parts.count > 1 && isRegistry(first) ? parts.dropFirst() : parts[...]
        return path.allSatisfy(isPathPart)
    }

    private static func isDigest(_ digest: ArraySlice<UInt8>) -> Bool {
        let hex = digest.dropFirst(7)
        return digest.starts(with: "sha256:".utf8) && hex.count == 64
            && hex.allSatisfy { $0.isDigit || (0x61...0x66).contains($0) }
    }

    private static func isTag(_ tag: ArraySlice<UInt8>) -> Bool {
        guard let first = tag.first, tag.count <= 128, first.isAlphanumeric || first == 0x5F else { return false }
        return tag.allSatisfy { $0.isAlphanumeric || $0.isOne(of: "_.-") }
    }

    /// Only a first part with a dot or a port, or `localhost`, is a registry; otherwise it belongs to the path.
    private static func isRegistry(_ part: ArraySlice<UInt8>) -> Bool {
        let pieces = part.split(separator: 0x3A, omittingEmptySubsequences: false)
        guard let host = pieces.first, pieces.count <= 2 else { return false }
        guard pieces.count == 2 || part.contains(0x2E) || part.elementsEqual("localhost".utf8) else { return false }
        let portIsValid = pieces.count == 1 || isPort(pieces[1])
        return portIsValid
            && host.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { label in
                isHostLabel(ArraySlice(label.map { $0.isLetter ? $0 | 0x20 : $0 }))
            }
    }

    /// Lower-case letters and digits; between them `.`, `_`, `__` or any number of `-`.
    private static func isPathPart(_ part: ArraySlice<UInt8>) -> Bool {
        guard let first = part.first, let last = part.last else { return false }
        guard first.isLowerLetter || first.isDigit, last.isLowerLetter || last.isDigit else { return false }
        return part.split(whereSeparator: { $0.isLowerLetter || $0.isDigit }).allSatisfy { run in
            run.elementsEqual(".".utf8) || run.elementsEqual("_".utf8) || run.elementsEqual("__".utf8)
                || run.allSatisfy { $0 == 0x2D }
        }
    }
}
