import Testing

/// What stands in the files, whoever reads them and wherever they lie.
@Suite struct TextTests {
    private static let folders = ["Sources", "agent", "controller", "proto", "packaging", "docs", "Tests", ".ci"]
    private static let pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "Package.swift"]

    static let texts = (folders.flatMap { House.files(below: $0) } + pages)
        .filter { path in
            !path.contains("/corpus/") && !path.contains("/HouseTests/")
                && [".swift", ".md", ".json", ".sh", ".py", ".h", ".c", "file", "/run", "/up"].contains {
                    path.hasSuffix($0)
                }
        }

    // In pieces, so that this file does not say them.
    private static let notes = ["TO" + "DO", "FIX" + "ME", "HA" + "CK:"]
    private static let places = ["../" + "shared", "/" + "work/", "/root/" + ".cache"]

    /// What was asked for is built or is an issue; a note in the code is neither.
    @Test func `no work is left as a note`() {
        for path in Self.texts {
            let text = House.text(path)
            for word in Self.notes where text.contains(word) {
                Issue.record("\(path) says \(word)")
            }
        }
    }

    /// The project is cloned to other places than where it was written.
    @Test func `nothing names the machine on which it was written`() {
        for path in Self.texts {
            let text = House.text(path)
            for word in Self.places where text.contains(word) {
                Issue.record("\(path) names \(word)")
            }
        }
    }

    @Test func `a page's links lead somewhere`() {
        for path in Self.texts where path.hasSuffix(".md") {
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            for link in Self.links(in: House.text(path)) where !link.contains(":") && !link.hasPrefix("#") {
                let target = link.split(separator: "#").first.map(String.init) ?? ""
                #expect(House.exists(folder.isEmpty ? target : "\(folder)/\(target)"), "\(path): \(link)")
            }
        }
    }

    private static func links(in text: String) -> [String] {
        text.components(after: "](").compactMap { $0.split(separator: ")").first.map(String.init) }
            .filter { !$0.contains(" ") && !$0.contains("\n") }
    }
}

extension String {
    /// What follows each occurrence of a mark.
    fileprivate func components(after mark: String) -> [Substring] {
        var (rest, found) = (self[...], [Substring]())
        while let range = rest.firstRange(of: mark) {
            rest = rest[range.upperBound...]
            found.append(rest.prefix(200))
        }
        return found
    }
}
