import DriverKit
import HTTPFetch
import Model
import WireProtocol

/// `event.list`: what the engine remembers (the last 256 events of its life), or what happens from now on.
extension DockerDriver {
    static let eventAction = Action<DockerDriver>(
        ActionSpec(
            "event.list", .observe, defaultDeadline: .seconds(3600),
            summary: "sends the engine's events as lines of JSON, past ones or as they come", lasting: true)
    ) { (driver, call, context) throws(DriverError) in try await driver.sendEvents(call, context) }

    static let kinds = ["container", "image", "network", "volume"]

    private func sendEvents(_ call: ActionCall, _ context: ActionContext) async throws(DriverError)
        -> ActionOutcome
    {
        var reader = ArgumentReader(call.arguments)
        let follows = try reader.bool("follow")
        let types = try reader.strings("types") ?? Self.kinds
        let now = Timestamp.now().milliseconds
        let since = try reader.optionalInteger("since") ?? (follows ? now : 0)
        let until = try reader.optionalInteger("until") ?? (follows ? nil : now)
        try reader.finish()
        let filters: JSONValue = ["type": .array(types.map { .string($0) })]
        var query = [("filters", filters.text), ("since", String(since / 1000))]
        if let until { query.append(("until", String((until + 999) / 1000))) }
        let count = try await sendLines(query, from: since, to: context)
        return ActionOutcome(changed: false, observed: ["count": .integer(count)])
    }

    private func sendLines(
        _ query: [(String, String)], from since: Int64, to context: ActionContext
    ) async throws(DriverError) -> Int64 {
        var lines = JSONLines()
        var count: Int64 = 0
        do {
            let stream = try await engine.stream("GET", "/events", query: query, head: .seconds(10))
            for try await chunk in stream {
                for object in lines.feed(chunk) {
                    guard let event = EngineEvent(object), event.time.milliseconds >= since else { continue }
                    try await context.output(.stdout, JSONValue.object(event.line).encoded + [UInt8(ascii: "\n")])
                    count += 1
                }
            }
        } catch let error as EngineError {
            throw error.driverError
        } catch let error as HTTPError {
            throw EngineError.transport(error).driverError
        } catch {
            throw DriverError(.cancelled, "broken off")
        }
        return count
    }
}

/// One event of the engine, without what containers could hide in it: of attributes only names and codes go on.
struct EngineEvent: Sendable, Hashable {
    let time: Timestamp
    let line: JSONObject

    init?(_ object: JSONObject) {
        guard let type = object["Type"]?.asString, let action = object["Action"]?.asString,
            let nanoseconds = object["timeNano"]?.asInteger
        else { return nil }
        time = Timestamp(milliseconds: nanoseconds / 1_000_000)
        let attributes = (object["Actor"]?["Attributes"]?.asObject ?? [:]).texts
        // Behind `exec_create: ` stands a command line, which may hold secrets; behind `health_status: ` the health.
        let parts = action.split(separator: ":", maxSplits: 1)
        let word = String(parts.first ?? "")
        let shown = word == "health_status" ? action : word
        var line: JSONObject = [
            "time": .integer(time.milliseconds), "type": .string(type.printable(limit: 40)),
            "action": .string(shown.printable(limit: 80)),
        ]
        line["id"] = object["Actor"]?["ID"]?.asString.map { .string($0.printable(limit: 300)) }
        let names = [
            ("name", "name"), ("image", "image"), ("container", "container"), ("signal", "signal"),
            (ContainerState.ownerLabel, "service"), (ComposeLabel.project, "project"),
        ]
        for (theirs, ours) in names { line[ours] = attributes[theirs].map { .string($0.printable(limit: 300)) } }
        line["exit_code"] = attributes["exitCode"].flatMap { Int64($0) }.map { .integer($0) }
        self.line = line
    }
}
