import DriverKit
import Processes

/// What the messages of `helm` and `kubectl` mean. Their exit code is 1 for everything.
enum HelmFailure {
    static func error(_ outcome: ProcessOutcome, _ tool: String) -> DriverError {
        let said = words(outcome.errorText)
        if case .signal(let number) = outcome.exit {
            return DriverError(.unknownOutcome, "\(tool) was killed by signal \(number)", retryable: true, cause: said)
        }
        return rules.error(
            withoutQuotations(outcome.errorText), otherwise: "\(tool) refused",
            cause: said ?? "ended with \(outcome.exit) and without a message")
    }

    /// The message without warnings and log lines, shortened; nil for nothing.
    static func words(_ text: String) -> String? {
        let lines = text.split(separator: "\n").filter { !isNoise($0) }
        let said = scrubbed(lines.prefix(12).joined(separator: "; "))
        return said.isEmpty ? nil : said.beginning(1000)
    }

    /// `WARNING: …`, and what the libraries log: `W1121 15:04:05.123456 4711 file.go:1] …`.
    private static func isNoise(_ line: Substring) -> Bool {
        if line.hasPrefix("WARNING:") || line.hasPrefix("Warning:") || line.hasPrefix("level=") { return true }
        let start = Array(line.utf8.prefix(5))
        return start.count == 5 && "IWE".utf8.contains(start[0])
            && start[1...].allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Without the values that Kubernetes quotes when it refuses one: `Invalid value: "hunter2"`.
    static func scrubbed(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.range(of: "nvalid value: \"") {
            result += rest[..<start.upperBound]
            rest = rest[start.upperBound...]
            var isEscaped = false
            let end = rest.utf8.firstIndex { byte in
                if isEscaped {
                    isEscaped = false
                } else if byte == 0x5C {
                    isEscaped = true
                } else if byte == 0x22 {
                    return true
                }
                return false
            }
            result += "…"
            rest = rest[(end ?? rest.endIndex)...]
        }
        return result + rest
    }

    /// The text less what stands between double quotation marks: a release or an object may be named like a message.
    static func withoutQuotations(_ text: String) -> String {
        var isQuoted = false
        return String(
            text.filter { character in
                if character == "\"" || character == "\n" && isQuoted { isQuoted.toggle() }
                return !isQuoted
            })
    }

    /// In order: the first whose words occur decides.
    static let rules: [FailureRule] = [
        .init("another operation (install/upgrade/rollback) is in progress", .busy, "the release is being worked on"),
        .init("release: already exists", .busy, "somebody else has just changed the release"),
        .init("due to atomic being set", .failed, "it failed and was undone"),
        .init("due to rollback-on-failure being set", .failed, "it failed and was undone"),
        .init("an error occurred while rolling back", .failed, "it failed, and so did its undoing"),
        .init("kubernetes cluster unreachable", .unavailable, "the cluster does not answer"),
        .init("unable to connect to the server", .unavailable, "the cluster does not answer"),
        .init("was refused - did you specify", .unavailable, "the cluster does not answer"),
        .init("connection refused", .unavailable, "the cluster does not answer"),
        .init("connection reset by peer", .unavailable, "the connection to the cluster was lost"),
        .init("client connection lost", .unavailable, "the connection to the cluster was lost"),
        .init("unexpected eof", .unavailable, "the connection to the cluster was lost"),
        .init("tls handshake timeout", .unavailable, "the cluster does not answer"),
        .init("i/o timeout", .unavailable, "the cluster does not answer"),
        .init("no such host", .unavailable, "the cluster's name cannot be resolved"),
        .init("no route to host", .unavailable, "the cluster does not answer"),
        .init("(serviceunavailable)", .unavailable, "the cluster is overloaded or starting"),
        .init("(servertimeout)", .unavailable, "the cluster is overloaded"),
        .init("(toomanyrequests)", .unavailable, "the cluster is overloaded"),
        .init("(internalerror)", .unavailable, "the cluster had an internal error"),
        .init("etcdserver:", .unavailable, "the cluster's store does not answer"),
        .init("you must be logged in to the server", .permissionDenied, "the cluster does not know these credentials"),
        .init("unauthorized", .permissionDenied, "the credentials are not accepted"),
        .init("exceeded quota", .outOfSpace, "a quota of the namespace is used up"),
        .init("forbidden", .permissionDenied, "the cluster does not permit it"),
        .init("too long: must have at most", .failed, "the release is too large for its record in the cluster"),
        .init("invalid ownership metadata", .conflict, "an object is there that does not belong to the release"),
        .init("cannot re-use a name that is still in use", .conflict, "the release is there already"),
        .init("has no deployed releases", .conflict, "the release was never deployed"),
        .init("object has been modified", .busy, "somebody else changed it at the same time"),
        .init("apply failed with", .conflict, "somebody else manages fields of it"),
        .init("(alreadyexists)", .conflict, "it is there already"),
        .init("release: not found", .notFound, "there is no such release"),
        .init("release not found", .notFound, "there is no such release"),
        .init("release has no", .notFound, "there is no such revision"),
        .init("(notfound)", .notFound, "there is no such object"),
        .init("the server doesn't have a resource type", .unsupported, "the cluster does not know that kind of object"),
        .init("no matches for kind", .unsupported, "the cluster does not know a kind of object of the chart"),
        .init("unknown flag", .unsupported, "this version of the tool does not know that"),
        .init("values don't meet the specifications", .invalidArgument, "the chart does not take the values"),
        .init("failed to parse", .invalidArgument, "the chart or its values cannot be read"),
        .init("chart.yaml file is missing", .invalidArgument, "there is no chart"),
        .init("no chart version found", .notFound, "there is no such version of the chart"),
        .init("not found in https://", .notFound, "there is no such version of the chart"),
        .init("no chart name found", .notFound, "there is no such chart"),
        .init("not a valid chart repository", .unavailable, "the chart repository does not answer"),
        .init("failed to fetch", .unavailable, "the chart cannot be fetched"),
        .init("failed to download", .unavailable, "the chart cannot be fetched"),
        .init("execution error at", .invalidArgument, "the chart does not take the values"),
        .init("parse error at", .invalidArgument, "the chart cannot be rendered"),
        .init("yaml parse error", .invalidArgument, "the chart cannot be rendered"),
        .init("(invalid)", .invalidArgument, "the cluster does not take an object"),
        .init("is invalid:", .invalidArgument, "the cluster does not take an object"),
        .init("(badrequest)", .invalidArgument, "the cluster does not take the request"),
        .init("no space left on device", .outOfSpace, "the node's disk is full"),
        .init("timed out waiting for the condition", .timedOut, "it was not ready in time"),
        .init("context deadline exceeded", .timedOut, "it was not done in time"),
        .init("job failed", .failed, "a job of the release failed"),
        .init("backofflimitexceeded", .failed, "a job of the release failed"),
        .init("hooks failed", .failed, "a hook of the chart failed"),
    ]
}

extension StringProtocol {
    /// Where a text occurs first, byte for byte: what is to be hidden does not escape behind a mark that combines with it.
    func range(of other: String) -> Range<Index>? {
        let wanted = Array(other.utf8)
        var start = startIndex
        while let first = wanted.first, let place = utf8[start...].firstIndex(of: first) {
            if utf8[place...].starts(with: wanted) { return place..<utf8.index(place, offsetBy: wanted.count) }
            start = utf8.index(after: place)
        }
        return nil
    }
}
