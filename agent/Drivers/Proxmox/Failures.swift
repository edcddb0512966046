import DriverKit
import Processes

/// What the messages of the tools mean. The numbers that they end with do not tell: the same failure is 2, 4 or 255.
enum ProxmoxFailure {
    struct Rule: Sendable {
        /// All of these occur, in the message without what stands in quotation marks.
        let words: [String]
        /// Occurs in the whole message.
        var quoted: String?
        let code: DriverErrorCode
        let meaning: String
        var retryable: Bool?
        /// Whether something is different although it failed.
        var changed = false

        init(
            _ words: String..., quoted: String? = nil, is code: DriverErrorCode, means meaning: String,
            retryable: Bool? = nil, changed: Bool = false
        ) {
            self.words = words
            self.quoted = quoted
            self.code = code
            self.meaning = meaning
            self.retryable = retryable
            self.changed = changed
        }
    }

    /// The error for a tool that failed.
    static func error(_ tool: ProxmoxTools.Tool, _ outcome: ProcessOutcome) -> DriverError {
        if case .signal(let number) = outcome.exit {
            return DriverError(
                .unknownOutcome, "\(tool.word) was killed by signal \(number)", retryable: true, cause: said(outcome))
        }
        return error(tool, message: reason(tool, outcome) + outcome.errorText, log: outcome.outputText)
    }

    /// What a backup says of a failure stands in its log only, a line for each container: `ERROR: Backup of VM 101 failed - …`.
    private static func reason(_ tool: ProxmoxTools.Tool, _ outcome: ProcessOutcome) -> String {
        guard tool == .vzdump else { return "" }
        let lines = outcome.outputText.split(separator: "\n").filter { $0.hasPrefix("ERROR: ") }
        return lines.suffix(2).map { $0 + "\n" }.joined()
    }

    /// - Parameter log: what the tool's task wrote to its standard output: the reason of some failures stands only there.
    static func error(_ tool: ProxmoxTools.Tool, message: String, log: String = "") -> DriverError {
        let whole = message.lowercased()
        let text = withoutQuotations(whole)
        let rule = rules.first { rule in
            rule.words.allSatisfy(text.contains) && (rule.quoted.map(whole.contains) ?? true)
        }
        // A file may be named like the message, which stands at the end of its line.
        let isFull = log.split(separator: "\n").contains { line in
            [": No space left on device", ": Disk quota exceeded"].contains { line.hasSuffix($0) }
        }
        // A volume that is too small is so the next time, too. Of a storage for backups old ones go.
        let isTooSmall = isFull && tool != .vzdump && (rule?.code ?? .failed) == .failed
        let error = DriverError(
            isTooSmall ? .outOfSpace : rule?.code ?? .failed, rule?.meaning ?? "\(tool.word) refused",
            retryable: isTooSmall ? false : rule?.retryable, cause: shortened(message, log))
        return rule?.changed == true ? error.afterChange() : error
    }

    /// The end of what a tool said; nil for nothing.
    static func said(_ outcome: ProcessOutcome) -> String? {
        let text = shortened(
            String(decoding: outcome.stderr.suffix(4000), as: UTF8.self),
            String(decoding: outcome.stdout.suffix(4000), as: UTF8.self))
        return text.isEmpty ? nil : text
    }

    /// The message, and the last lines of the log, within 600 characters; lock waits and help are no message.
    private static func shortened(_ message: String, _ log: String) -> String {
        let noise = ["trying to acquire lock...", " OK", "pct "]
        let lines = message.split(separator: "\n").filter { line in !noise.contains { line.hasPrefix($0) } }
        let end = log.split(separator: "\n").suffix(4)
        return (lines.prefix(6) + end).joined(separator: "; ").beginning(600)
    }

    /// The text less what stands between quotation marks: a snapshot or a volume may be named like a message.
    static func withoutQuotations(_ text: String) -> String {
        var result = ""
        var isQuoted = false
        for character in text {
            if character == "'", isQuoted || result.last.map({ " \n(:".contains($0) }) ?? true {
                isQuoted.toggle()
            } else if !isQuoted || character == "\n" {
                isQuoted = isQuoted && character != "\n"
                result.append(character)
            }
        }
        return result
    }
}
