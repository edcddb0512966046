/// The targets of `Package.swift`, read from its text: names and folders, as its helpers list them.
struct Manifest {
    struct Target {
        var name: String
        var path: String
    }

    var targets: [Target]

    static let current = Manifest(House.text("Package.swift"))

    init(_ text: String) {
        targets = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard ["part(", "program("].contains(where: { line.drop { $0 == " " }.hasPrefix($0) }) else { continue }
            // The formatter puts the first arguments on the same line or on the next.
            let strings = Self.strings(in: line + (index + 1 < lines.count ? lines[index + 1] : ""))
            if strings.count >= 2 { targets.append(Target(name: strings[0], path: strings[1])) }
        }
    }

    private static func strings(in text: Substring) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
    }
}
