import ControllerCore
import WireProtocol

@testable import API
@testable import APIModels
@testable import HTTP

/// What a client of the API sends: bodies, queries, cursors, keys. Each is refused with a problem of its own, never with
/// one of the controller's.
enum Requests {
    static let targets = [
        FuzzTarget("api-body") { input in
            let bytes = Array(input)
            try model(PlanRequest.self, bytes)
            try model(PlanChange.self, bytes)
            try model(ServiceBody.self, bytes)
            try model(UpgradeBody.self, bytes)
            try model(LabelsRequest.self, bytes)
            try model(JoinTokenRequest.self, bytes)
            try model(APIKeyRequest.self, bytes)
            try model(ReasonRequest.self, bytes)
        },
        FuzzTarget("api-answer") { input in
            guard let json = try? JSONParser.parse(input) else { return }
            try answer(Service.self, json)
            try answer(AcceptedOperation.self, json)
            try answer(Node.self, json)
            try answer(Listing<Operation>.self, json)
            try answer(MetricRange.self, json)
            try answer(Problem.self, json)
        },
        FuzzTarget("api-query", longest: 512) { input in
            try query(text(input))
            try cursor(text(input))
            try key(text(input))
        },
    ]

    private static func model<Body: Codable>(_ type: Body.Type, _ bytes: [UInt8]) throws {
        let body: Body
        do { body = try StrictBody.model(type, from: bytes) } catch {
            return try require(error.status == 400 && !error.detail.isEmpty, "refused with \(error.status)")
        }
        try stable(body, unknownFields: .refused)
    }

    private static func answer<Body: Codable>(_ type: Body.Type, _ json: JSONValue) throws {
        let body: Body
        do { body = try BodyDecoder.model(type, from: json) } catch {
            return try require(!error.problem.isEmpty, "a refusal without a reason")
        }
        try stable(body, unknownFields: .ignored)
    }

    private static func stable<Body: Codable>(_ body: Body, unknownFields: BodyDecoder.UnknownFields) throws {
        let json = try BodyEncoder.json(body)
        let again: Body
        do { again = try BodyDecoder.model(Body.self, from: json, unknownFields: unknownFields) } catch {
            throw Violation(description: "\(Body.self) refuses its own JSON: \(error) in \(json.text)")
        }
        try require(try BodyEncoder.json(again) == json, "\(Body.self) changes on its way: \(json.text)")
    }

    private static func query(_ text: String) throws {
        let items: QueryItems
        do { items = try QueryItems(text, allowed: ["limit", "cursor", "since", "state", "follow"]) } catch {
            return try require(error.status == 400 && !error.detail.isEmpty, "refused with \(error.status)")
        }
        let limit = try refusable { () throws(Problem) in try items.integer("limit", 1...500) } ?? nil
        try require(limit.map { (1...500).contains($0) } ?? true, "a limit of \(limit ?? 0)")
        _ = try refusable { () throws(Problem) in try items.time("since") }
        _ = try refusable { () throws(Problem) in try items.flag("follow") }
        try require(items.all("state").last == items["state"], "the last value is not the one that counts")
    }

    private static func cursor(_ text: String) throws {
        if let place = try refusable({ () throws(Problem) in try Cursor.place(text, list: "nodes") }) {
            try require(Cursor.text(place, list: "nodes") == text, "two cursors for one place")
        }
        try require(
            try Cursor.place(Cursor.text(text, list: "nodes"), list: "nodes") == text, "a cursor loses its place")
        let other = try refusable { () throws(Problem) in
            try Cursor.place(Cursor.text(text, list: "nodes"), list: "plans")
        }
        try require(other == nil, "a cursor that is good for another list")
        if let decoded = PercentDecoding.decode(text) {
            try require(decoded.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a control character out of a path")
        }
    }

    private static func key(_ text: String) throws {
        guard let key = KeyText(text) else { return }
        try require(key.text == text && KeyText(key.text) == key, "a key reads back as another")
        try require(!"\(key)".contains(text.suffix(43)), "a key prints its secret")
    }

    private static func refusable<Value>(_ work: () throws(Problem) -> Value) throws -> Value? {
        do { return try work() } catch {
            try require(error.status == 400 && error.field != nil, "refused without naming the field: \(error.detail)")
            return nil
        }
    }
}
