import DriverKit

/// What the messages of the panel's tool mean. It ends with 1 whatever went wrong.
enum PanelFailure {
    static func error(_ text: String, _ command: String, _ code: Int32, _ said: String?) -> DriverError {
        rules.error(
            text, otherwise: "clpctl \(command) failed", cause: said ?? "ended with code \(code) and without a message")
    }

    /// In order: the first whose words occur decides.
    static let rules: [FailureRule] = [
        .init("database is locked", .busy, "the panel's database is locked"),
        .init("no space left", .outOfSpace, "the disk is full"),
        .init("is not defined", .unsupported, "clpctl does not offer that command here: it must run as root, by sudo"),
        .init("option does not exist", .unsupported, "this version of clpctl does not know an option"),
        .init("sudo: ", .permissionDenied, "sudo does not let clpctl run"),
        .init("permission denied", .permissionDenied, "not permitted"),
        .init("ratelimited", .failed, "the certificate authority refuses for a while", retryable: false),
        .init("too many certificates", .failed, "the certificate authority refuses for a while", retryable: false),
        .init("dns problem", .failed, "a name does not lead here", retryable: true),
        .init("nxdomain", .failed, "a name does not lead here", retryable: true),
        .init("invalid response from", .failed, "the authority could not verify a name", retryable: true),
        .init("unauthorized", .failed, "the authority could not verify a name", retryable: true),
        .init("could not resolve", .unavailable, "the network is not there"),
        .init("timed out", .unavailable, "something did not answer the panel"),
        .init("connection refused", .unavailable, "something did not answer the panel"),
        .init("sqlstate", .unavailable, "the database server does not answer the panel"),
        .init("already exist", .conflict, "something of that name exists already"),
        .init("does not exist", .notFound, "it does not exist"),
        .init("requires a value", .invalidArgument, "the panel misses a value"),
        .init("is required and missing", .invalidArgument, "the template lacks a placeholder"),
        .init("not a valid", .invalidArgument, "the panel does not take a value"),
        .init("is not valid", .invalidArgument, "the panel does not take a value"),
        .init("this value", .invalidArgument, "the panel does not take a value"),
        .init("cannot be empty", .invalidArgument, "the panel misses a value"),
    ]
}
