package import DriverKit
import HTTPFetch
import Model
import WireProtocol

extension DockerDriver {
    /// Follows the engine's events; when the engine goes away, again from where they ended. The engine remembers its last
    /// 256 only, and none across its own restart, so each new connection is told as `engine.connected`: time for a look
    /// at everything.
    package func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        creations.report(to: emit)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await followEvents(emit) }
            // One that could not be removed when the engine told of it is not forgotten.
            group.addTask {
                while (try? await Task.sleep(for: .seconds(30), tolerance: .seconds(5))) != nil { await removeLate() }
            }
        }
    }

    private func followEvents(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        var log = EventLog()
        var wait = Duration.seconds(1)
        while !Task.isCancelled {
            do {
                let stream = try await engine.stream("GET", "/events", query: log.query, head: .seconds(10))
                await roster.forget()
                emit(DriverEvent(time: .now(), kind: "engine.connected", data: ["version": .string(engine.version)]))
                wait = .seconds(1)
                await removeLate()
                try await follow(stream, &log, emit)
                emit(DriverEvent(time: .now(), kind: "engine.lost"))
            } catch is HTTPError {
                emit(DriverEvent(time: .now(), kind: "engine.lost"))
            } catch {
                // Not there yet: the next attempt will tell.
            }
            await roster.forget()
            try? await Task.sleep(for: wait * Double.random(in: 0.5...1))
            wait = min(wait * 2, .seconds(30))
        }
    }

    private func follow(
        _ stream: HTTPStream, _ log: inout EventLog, _ emit: @Sendable (DriverEvent) -> Void
    ) async throws(HTTPError) {
        var lines = JSONLines()
        for try await chunk in stream {
            for object in lines.feed(chunk) {
                guard let event = log.take(object) else { continue }
                await roster.forget()
                emit(event)
                if creations.contains(object["Actor"]?["Attributes"]?[ContainerState.commandLabel]?.asString) {
                    await removeLate()
                }
            }
        }
    }
}

/// Which events have been seen, and what becomes of each.
struct EventLog {
    private static let remembered = 512
    private var seen: [String] = []
    private var last: Int64?

    /// Asks from the last event on, itself and its neighbours included, because several may bear one time.
    var query: [(String, String)] {
        let filters: JSONValue = ["type": ["container"]]
        guard let last else { return [("filters", filters.text)] }
        return [("filters", filters.text), ("since", String(last / 1_000_000_000))]
    }

    /// Nil for one that was seen before or says nothing of a container's life.
    mutating func take(_ object: JSONObject) -> DriverEvent? {
        guard let action = object["Action"]?.asString, let nanoseconds = object["timeNano"]?.asInteger,
            let actor = object["Actor"]?.asObject, let id = actor["ID"]?.asString
        else { return nil }
        let key = "\(nanoseconds) \(id) \(action)"
        guard !seen.contains(key) else { return nil }
        seen.append(key)
        if seen.count > Self.remembered { seen.removeFirst(seen.count - Self.remembered) }
        last = max(last ?? nanoseconds, nanoseconds)
        return Self.event(action, id, (actor["Attributes"]?.asObject ?? [:]).texts, nanoseconds)
    }

    private static let kinds = [
        "create": "created", "start": "started", "restart": "restarted", "die": "died", "oom": "out_of_memory",
        "destroy": "removed", "pause": "paused", "unpause": "unpaused", "rename": "renamed", "update": "updated",
        "health_status": "health",
    ]

    /// What stands after `: ` is the state of health, or the command line of an execution, which may hold secrets: only
    /// the first is used.
    private static func event(
        _ action: String, _ id: String, _ attributes: [String: String], _ nanoseconds: Int64
    ) -> DriverEvent? {
        let parts = action.split(separator: ":", maxSplits: 1)
        guard let word = parts.first, let kind = kinds[String(word)] else { return nil }
        var data: JSONObject = ["id": .string(id)]
        data["service"] = attributes[ContainerState.ownerLabel].map { .string($0) }
        if let code = attributes["exitCode"].flatMap({ Int64($0) }) { data["exit_code"] = .integer(code) }
        if kind == "health", parts.count > 1 { data["health"] = .string(parts[1].drop { $0 == " " }.description) }
        if kind == "renamed" {
            data["old_name"] = attributes["oldName"].map { .string(String($0.drop { $0 == "/" })) }
        }
        return DriverEvent(
            time: Timestamp(milliseconds: nanoseconds / 1_000_000),
            resource: attributes["name"].map { "docker/\($0)" }, kind: "container.\(kind)", data: data)
    }
}
