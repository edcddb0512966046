import DriverKit
import Synchronization

/// Hears what a script says: its words to the agent, and the end of all else for those who look for what went wrong.
///
/// A guest is its customer's and may say anything, for ever: what is kept is bounded, and only declared names are taken.
final class RecipeListener: Sendable {
    struct Heard: Sendable {
        var hasBegun = false
        var exitCode: Int?
        var given: [String: String] = [:]
        var isUnchanged = false
        /// The system that the recipe was not written for.
        var foreignSystem: String?
        var isBusy = false
        /// The script's own reason, and whether to try again can help.
        var failure: (reason: String, again: Bool)?
        /// Where it stood.
        var stage: String?
        var reports = 0
        var tail: [UInt8] = []
        var lines = LineSplitter(limit: RecipeListener.lineLimit)
    }

    static let lineLimit = 8 << 10
    static let valueLimit = 4 << 10
    private static let tailLimit = 4 << 10
    /// Words about progress of one script that are passed on.
    private static let reportLimit = 1000

    private let marker: String
    private let returns: [RecipeReturn]
    private let context: ActionContext
    private let heard = Mutex(Heard())

    init(_ marker: String, _ returns: [RecipeReturn], _ context: ActionContext) {
        (self.marker, self.returns, self.context) = (marker, returns, context)
    }

    /// All that was said, the last line included though it may have no end.
    var all: Heard {
        heard.withLock { heard in
            if let line = heard.lines.finish() { _ = hear(line, &heard) }
            return heard
        }
    }

    func hear(_ stream: OutputStream, _ bytes: [UInt8]) {
        let reports = heard.withLock { heard -> [(String, Double?)] in
            guard stream == .stdout else {
                keep(bytes, &heard)
                return []
            }
            return heard.lines.feed(bytes).compactMap { hear($0, &heard) }
        }
        for (stage, fraction) in reports { context.progress(stage, fraction) }
    }

    /// What of a line is to be passed on.
    private func hear(_ line: [UInt8], _ heard: inout Heard) -> (String, Double?)? {
        let text = String(decoding: line, as: UTF8.self)
        // A program may leave a line of its own without an end.
        guard let start = text.firstRange(of: marker + " ") else {
            keep(line + [0x0A], &heard)
            return nil
        }
        let words = text[start.upperBound...].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        let rest = words.dropFirst().joined(separator: " ")
        switch words.first {
        case "began": heard.hasBegun = true
        case "ended": heard.exitCode = Int(rest)
        case "unchanged": heard.isUnchanged = true
        case "busy": heard.isBusy = true
        case "system": heard.foreignSystem = Self.printable(rest, 64)
        case "fail", "again": heard.failure = (Self.printable(rest, 500), words.first == "again")
        case "give" where words.count == 3: take(String(words[1]), String(words[2]), &heard)
        case "progress" where words.count == 3:
            let stage = Self.printable(String(words[2]), 200)
            heard.stage = stage
            heard.reports += 1
            return heard.reports <= Self.reportLimit ? (stage, Double(words[1])) : nil
        default: break
        }
        return nil
    }

    private func take(_ name: String, _ value: String, _ heard: inout Heard) {
        guard returns.contains(where: { $0.name == name }), value.utf8.count <= Self.valueLimit else { return }
        heard.given[name] = value
    }

    private func keep(_ bytes: [UInt8], _ heard: inout Heard) {
        heard.tail += bytes.suffix(Self.tailLimit)
        if heard.tail.count > 2 * Self.tailLimit { heard.tail = Array(heard.tail.suffix(Self.tailLimit)) }
    }

    /// The end of what the programs of the script said, without what is secret of it.
    static func said(_ heard: Heard, hiding secrets: [String]) -> String? {
        let text = String(decoding: heard.tail.suffix(tailLimit), as: UTF8.self)
        let shown = secrets.filter { !$0.isEmpty }.sorted { $0.utf8.count > $1.utf8.count }
            .reduce(text) { $0.split(separator: $1, omittingEmptySubsequences: false).joined(separator: "[secret]") }
        let kept = printable(shown.ending(1500), 1500)
        return kept.isEmpty ? nil : kept
    }

    /// One line: what a terminal would obey is left out.
    private static func printable(_ text: String, _ limit: Int) -> String {
        let scalars = text.unicodeScalars.map { scalar in
            scalar == "\n" ? "; " : scalar.properties.generalCategory == .control ? "" : String(scalar)
        }
        return scalars.joined().beginning(limit).trimmed
    }
}

extension String {
    fileprivate var trimmed: String {
        var scalars = unicodeScalars[...]
        while let last = scalars.last, last == " " || last == ";" { scalars.removeLast() }
        while let first = scalars.first, first == " " || first == ";" { scalars.removeFirst() }
        return String(scalars)
    }
}
