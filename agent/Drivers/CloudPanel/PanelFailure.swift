import DriverKit

/// What the messages of the panel's tool mean. It ends with 1 whatever went wrong.
enum PanelFailure {
    static func error(_ text: String, _ command: String, _ code: Int32, _ said: String?) -> DriverError {
        let lowered = text.lowercased()
        let rule = rules.first { lowered.contains($0.words) }
        return DriverError(
            rule?.code ?? .failed, rule?.meaning ?? "clpctl \(command) failed", retryable: rule?.retryable,
            cause: said ?? "ended with code \(code) and without a message")
    }

    struct Rule {
        let words: String
        let code: DriverErrorCode
        let meaning: String
        var retryable: Bool?

        init(_ words: String, _ code: DriverErrorCode, _ meaning: String, retryable: Bool? = nil) {
            self.words = words
            self.code = code
            self.meaning = meaning
            self.retryable = retryable
        }
    }

    /// In order: the first whose words occur decides.
    static let rules = [
        Rule("database is locked", .busy, "the panel's database is locked"),
        Rule("no space left", .outOfSpace, "the disk is full"),
        Rule("is not defined", .unsupported, "clpctl does not offer that command here: it must run as root, by sudo"),
        Rule("option does not exist", .unsupported, "this version of clpctl does not know an option"),
        Rule("sudo: ", .permissionDenied, "sudo does not let clpctl run"),
        Rule("permission denied", .permissionDenied, "not permitted"),
        Rule("ratelimited", .failed, "the certificate authority refuses for a while", retryable: false),
        Rule("too many certificates", .failed, "the certificate authority refuses for a while", retryable: false),
        Rule("dns problem", .failed, "a name does not lead here", retryable: true),
        Rule("nxdomain", .failed, "a name does not lead here", retryable: true),
        Rule("invalid response from", .failed, "the authority could not verify a name", retryable: true),
        Rule("unauthorized", .failed, "the authority could not verify a name", retryable: true),
        Rule("could not resolve", .unavailable, "the network is not there"),
        Rule("timed out", .unavailable, "something did not answer the panel"),
        Rule("connection refused", .unavailable, "something did not answer the panel"),
        Rule("sqlstate", .unavailable, "the database server does not answer the panel"),
        Rule("already exist", .conflict, "something of that name exists already"),
        Rule("does not exist", .notFound, "it does not exist"),
        Rule("requires a value", .invalidArgument, "the panel misses a value"),
        Rule("is required and missing", .invalidArgument, "the template lacks a placeholder"),
        Rule("not a valid", .invalidArgument, "the panel does not take a value"),
        Rule("is not valid", .invalidArgument, "the panel does not take a value"),
        Rule("this value", .invalidArgument, "the panel does not take a value"),
        Rule("cannot be empty", .invalidArgument, "the panel misses a value"),
    ]
}
