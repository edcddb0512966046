import APIModels
import Model
import WireProtocol

/// How values read in tables.
enum Readable {
    /// `a=1,b=2`, by name.
    static func labels(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    /// How long ago: `12s`, `5m`, `3h`, `9d`.
    static func age(_ time: Timestamp?, now: Timestamp = .now()) -> String? {
        guard let time else { return nil }
        return span(max(0, now.milliseconds - time.milliseconds))
    }

    /// For lists, where milliseconds say nothing: `2026-11-30T15:29:25Z`.
    static func time(_ time: Timestamp?) -> String? {
        time.map { Timestamp(milliseconds: $0.milliseconds / 1000 * 1000).iso8601.replacing(".000Z", with: "Z") }
    }

    /// When something ends: `in 23h`, `5m ago`.
    static func end(_ time: Timestamp?, now: Timestamp = .now()) -> String? {
        guard let time else { return nil }
        let left = time.milliseconds - now.milliseconds
        return left >= 0 ? "in \(span(left))" : "\(span(-left)) ago"
    }

    /// A stretch of time in its largest unit.
    static func span(_ milliseconds: Int64) -> String {
        switch milliseconds / 1000 {
        case ..<1: "\(milliseconds)ms"
        case let seconds where seconds < 120: "\(seconds)s"
        case let seconds where seconds < 7200: "\(seconds / 60)m"
        case let seconds where seconds < 172_800: "\(seconds / 3600)h"
        case let seconds: "\(seconds / 86400)d"
        }
    }

    /// `memory_bytes` as `memory`: units follow from the ends of names, and stand in the values.
    static func words(_ key: String) -> String {
        var name = key
        for (end, word) in [("cpu_millis", "cores"), ("_bytes", ""), ("_seconds", ""), ("_at", ""), ("_id", " id")]
        where name.hasSuffix(end) {
            name = String(name.dropLast(end.count)) + word
            break
        }
        return name.replacing("_", with: " ")
    }

    /// A JSON value in a line, with the unit that its name tells of.
    static func value(_ value: JSONValue, named key: String = "") -> String {
        switch value {
        case .string(let text): text
        case .bool(let truth): truth ? "yes" : "no"
        case .null: "-"
        case .integer(let number) where key.hasSuffix("bytes"): bytes(number)
        case .integer(let number) where key.hasSuffix("_millis"): cores(number)
        case .integer(let number) where key.hasSuffix("_seconds"):
            span(number.multipliedReportingOverflow(by: 1000).partialValue)
        // Milliseconds since 1970; no other number of these objects comes near.
        case .integer(let number) where (1_000_000_000_000...9_999_999_999_999).contains(number):
            Timestamp(milliseconds: number).iso8601
        case .array(let items):
            items.map { self.value($0) }.joined(separator: items.contains { $0.asObject != nil } ? "; " : ", ")
        case .object(let object):
            object.members.map { "\(words($0.key)) \(self.value($0.value, named: $0.key))" }.joined(separator: ", ")
        default: value.text
        }
    }

    /// What a thing of a node is like, in a few words: its state, and of its figures those that people look for.
    static func sight(_ json: JSONValue?) -> String? {
        guard let object = json?.asObject else { return brief(json) }
        let telling = [
            "state", "status", "health", "image", "type", "domain", "kernel", "memory_bytes", "memory_limit_bytes",
            "used_bytes", "available_bytes", "quota_bytes", "size_bytes",
        ]
        let facts = telling.compactMap { key -> String? in
            guard let value = object[key], value != .integer(0), value.asObject == nil else { return nil }
            let text = self.value(value, named: key)
            return ["state", "status", "health", "image", "type"].contains(key) ? text : "\(words(key)) \(text)"
        }
        return facts.isEmpty ? brief(json) : facts.joined(separator: ", ")
    }

    /// What an object says in a few words: its state first, then its plain values, of parts nothing.
    static func brief(_ json: JSONValue?) -> String? {
        guard let object = json?.asObject else { return json.map { value($0) } }
        let state = ["state", "status", "health"].first { object[$0]?.asString != nil }
        let plain = object.members.filter { $0.key != state && $0.value.asObject == nil && $0.value.asArray == nil }
        let facts = plain.map { "\(words($0.key)) \(value($0.value, named: $0.key))" }
        return ((state.flatMap { object[$0]?.asString }.map { [$0] } ?? []) + facts).joined(separator: ", ")
    }

    /// In the largest unit that they fill, with one decimal where that says something: `512 MiB`, `1.4 GiB`.
    static func bytes(_ count: Int64) -> String {
        guard let text = ByteCount(count)?.rounded else { return "\(count)" }
        return text.replacing(".0 ", with: " ")
    }

    /// At most three digits after the point, none that say nothing.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "?" }
        guard abs(value) < 1e15 else { return "\(value)" }
        let thousandths = Int64((value * 1000).rounded())
        guard thousandths % 1000 != 0 else { return "\(thousandths / 1000)" }
        var fraction = String(abs(thousandths % 1000) + 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return (value < 0 ? "-" : "") + "\(abs(thousandths) / 1000).\(fraction)"
    }

    /// `web-1 (nod_…)`: by its name, and by what it is called for good.
    static func node(_ id: String?, _ name: String?) -> String? {
        id.map { id in name.map { "\($0) (\(id))" } ?? id }
    }

    /// `order-1 (svc_…)`: by the billing system's name, and by its own.
    static func service(_ service: Service) -> String {
        service.externalID.map { "\($0) (\(service.id))" } ?? service.id
    }

    /// A core is 1000 millis: `0.5`, `2`.
    static func cores(_ millis: Int64) -> String { number(Double(millis) / 1000) }
}

extension String {
    /// Nil where there is no text.
    var nilIfEmpty: String? { isEmpty ? nil : self }
}
