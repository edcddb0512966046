import Model

/// What came of handing a message over.
enum Attempt: Sendable, Hashable {
    case delivered(status: Int)
    /// It is to be tried again.
    /// - Parameters:
    ///   - isReceivers: whether the receiver as a whole is not well, so that others wait too.
    ///   - after: as long as the receiver asks to wait.
    case failed(problem: String, status: Int? = nil, isReceivers: Bool, after: Duration? = nil)
    /// The receiver wants no more (410).
    case unwanted

    init(_ reply: OutboundReply) {
        switch reply.status {
        case 200...299: self = .delivered(status: reply.status)
        case 410: self = .unwanted
        case 300...399:
            self = .failed(
                problem: "it answered with \(reply.status), and redirects are not followed", status: reply.status,
                isReceivers: false)
        default:
            let isBusy = [408, 425, 429].contains(reply.status) || reply.status >= 500
            self = .failed(
                problem: "it answered with \(reply.status)", status: reply.status, isReceivers: isBusy,
                after: Self.wait(reply.headers["retry-after"]))
        }
    }

    /// What the error says of the URL stays out: it may hold a secret.
    init(_ error: PortError) {
        let cause = error.message.firstRange(of: ": ").map { error.message[$0.upperBound...] }
        self = .failed(problem: String(cause ?? error.message[...]), isReceivers: true)
    }

    private static func wait(_ text: String?) -> Duration? {
        guard let seconds = text.flatMap({ Int64($0) }), seconds > 0 else { return nil }
        return .seconds(min(seconds, 3600))
    }
}

/// When a message that was not taken is tried again, as Standard Webhooks recommends: over three days.
enum DeliverySchedule {
    private static let waits: [Duration] = [
        .seconds(5), .seconds(300), .seconds(1800), .seconds(7200), .seconds(18_000), .seconds(36_000),
        .seconds(50_400), .seconds(72_000), .seconds(86_400),
    ]

    /// Until a message is given up.
    static var attempts: Int { waits.count + 1 }

    /// Nil when it was tried often enough.
    /// - Parameter chance: 0 to 1, so that many do not come back at once.
    static func wait(after attempts: Int, chance: Double) -> Duration? {
        guard attempts >= 1, attempts <= waits.count else { return nil }
        let milliseconds = Double(waits[attempts - 1].wholeMilliseconds)
        return .milliseconds(Int64(milliseconds * (0.9 + 0.2 * chance)))
    }

    /// How long nothing goes to a receiver that has failed so often in a row.
    static func rest(after failures: Int) -> Duration { .seconds(min(300, 5 << min(failures - 1, 10))) }
}
