/// One thing that a daemon's doctor looked at.
package struct Remark: Sendable, Hashable, CustomStringConvertible {
    package enum Verdict: String, Sendable, Hashable, CaseIterable {
        case good = "ok"
        /// Worth knowing; the daemon works.
        case note
        /// The daemon cannot work, or not for long.
        case wrong
    }

    package let verdict: Verdict
    /// What was looked at, in one or two words.
    package let subject: String
    /// What was found, as a clause.
    package let text: String
    /// What to do about it.
    package let advice: String?

    private init(_ verdict: Verdict, _ subject: String, _ text: String, _ advice: String?) {
        (self.verdict, self.subject, self.text, self.advice) = (verdict, subject, text, advice)
    }

    package static func good(_ subject: String, _ text: String) -> Remark { Remark(.good, subject, text, nil) }

    package static func note(_ subject: String, _ text: String, advice: String? = nil) -> Remark {
        Remark(.note, subject, text, advice)
    }

    package static func wrong(_ subject: String, _ text: String, advice: String) -> Remark {
        Remark(.wrong, subject, text, advice)
    }

    package var description: String {
        let line = "\(padded(verdict.rawValue, to: 6))\(padded(subject, to: 20))\(text)"
        return advice.map { "\(line)\n\(padded("", to: 6))\(padded("", to: 20))do: \($0)" } ?? line
    }

    private func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 1))
    }
}

/// All that a doctor found, in the order in which it looked.
package struct Diagnosis: Sendable, CustomStringConvertible {
    package private(set) var remarks: [Remark] = []

    package init() {}

    package mutating func add(_ remark: Remark) { remarks.append(remark) }
    package mutating func add(_ more: [Remark]) { remarks += more }

    package var isWell: Bool { !remarks.contains { $0.verdict == .wrong } }

    /// One remark a line, and a last line that sums up.
    package var description: String {
        let wrong = remarks.count { $0.verdict == .wrong }
        let sum = wrong == 0 ? "nothing is wrong" : wrong == 1 ? "one thing is wrong" : "\(wrong) things are wrong"
        return (remarks.map(\.description) + [sum]).joined(separator: "\n")
    }
}
