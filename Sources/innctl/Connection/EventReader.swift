/// One server-sent event.
struct ServerEvent: Sendable, Hashable {
    var name = "message"
    var id: String?
    var data = ""
}

/// Takes the bytes of a `text/event-stream` and gives its events. Comments are dropped.
struct EventReader {
    /// No event of this API comes near it; a peer that goes on beyond it is not one of ours.
    static let limit = 1 << 20

    private var line: [UInt8] = []
    private var event = ServerEvent()
    private var hasData = false
    private var held = 0

    /// The events that end within `bytes`.
    mutating func read(_ bytes: [UInt8]) throws(Failure) -> [ServerEvent] {
        var events: [ServerEvent] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if let done = take(String(decoding: line, as: UTF8.self)) { events.append(done) }
                line.removeAll(keepingCapacity: true)
            } else if byte != UInt8(ascii: "\r") {
                line.append(byte)
            }
            guard line.count + held <= Self.limit else {
                throw Failure(.failed, "the controller sent an event larger than 1 MiB")
            }
        }
        return events
    }

    private mutating func take(_ line: String) -> ServerEvent? {
        if line.isEmpty { return finish() }
        if line.hasPrefix(":") { return nil }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count > 1 ? parts[1] : ""
        if value.first == " " { value.removeFirst() }
        switch parts[0] {
        case "event": event.name = String(value)
        case "id": event.id = String(value)
        case "data":
            event.data += (hasData ? "\n" : "") + value
            hasData = true
            held = event.data.utf8.count
        default: break
        }
        return nil
    }

    private mutating func finish() -> ServerEvent? {
        defer {
            event = ServerEvent()
            hasData = false
            held = 0
        }
        return hasData ? event : nil
    }
}
