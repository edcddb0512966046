import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// Something of a site that it can be without for a while: its certificate, its visits counted. What cannot be had yet stays wanted,
/// with the reason, and is tried again.
struct Wish: StepOutput, Hashable {
    enum State: String, Sendable, Hashable {
        /// The plan wants none.
        case off
        case active, wanted
    }

    var state: State
    /// Why it is not there yet.
    var reason: String
    /// When that was found out.
    var time: Timestamp
    /// What there is: an id, or the end of a certificate in milliseconds.
    var value: JSONValue
    /// Whether somebody was asked for it, who counts what fails.
    var isTried: Bool

    init(_ state: State, _ reason: String = "", at time: Timestamp, value: JSONValue = .null, isTried: Bool = true) {
        (self.state, self.reason, self.time) = (state, String(reason.prefix(Self.longest)), time)
        (self.value, self.isTried) = (value, isTried)
    }

    /// Bytes of a reason that are kept.
    private static let longest = 500

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        state = State(rawValue: try object.string("state")) ?? .wanted
        reason = try object.string("reason")
        time = Timestamp(milliseconds: try object.integer("time"))
        (value, isTried) = (object["value"] ?? .null, try object.bool("tried"))
    }

    var json: JSONValue {
        [
            "state": .string(state.rawValue), "reason": .string(reason), "time": .integer(time.milliseconds),
            "value": value, "tried": .bool(isTried),
        ]
    }
}

extension Wish {
    /// Notes in the service what became of it, under `observed.wishes.NAME`: since when it is wanted, how often it was tried, and when
    /// the next time is.
    func note(_ name: String, in service: inout ServiceRecord, _ pauses: (Int64) -> Duration) {
        var wishes = service.observed["wishes"]?.asObject ?? [:]
        if state == .wanted {
            let before = wishes[name]?.asObject ?? [:]
            let tries = (before["tries"]?.asInteger ?? 0) + (isTried ? 1 : 0)
            let next = time + pauses(tries)
            wishes[name] = [
                "since": before["since"] ?? .integer(time.milliseconds), "tries": .integer(tries),
                "next": .integer(next.milliseconds), "reason": .string(reason),
            ]
        } else {
            wishes[name] = nil
        }
        service.observed["wishes"] = wishes.isEmpty ? nil : .object(wishes)
    }

    /// One that an auxiliary step has given up on.
    static func givenUp(at time: Timestamp) -> Wish {
        Wish(.wanted, "nobody gave an answer", at: time)
    }
}
