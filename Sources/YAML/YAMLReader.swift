package import WireProtocol

/// Reads one YAML document as values of JSON, by the events of libyaml. What readers of compose files could take for two
/// things is refused with its place: doubled keys, keys that are no texts, tags of programs, further documents.
///
/// Never traps and stays bounded on any input: what aliases multiply counts as often as it appears.
package struct YAMLReader {
    static let depthLimit = 64
    static let weightLimit = 4 << 20

    private struct Anchor {
        let value: JSONValue
        let weight: Int
    }

    private enum Key {
        case name(String)
        case merge
    }

    private let events: YAMLEvents
    private let schema: YAMLSchema
    private var depth = 0
    /// Bytes and values made so far, each value with the margin that it stands behind when it is written.
    private var weight = 0
    private var anchors: [String: Anchor] = [:]

    /// - Parameter schema: whose reading of plain scalars counts.
    package static func read(_ text: String, as schema: YAMLSchema = .both) throws(YAMLError) -> JSONValue {
        var reader = YAMLReader(events: try YAMLEvents(text), schema: schema)
        return try reader.document()
    }

    private init(events: YAMLEvents, schema: YAMLSchema) {
        self.events = events
        self.schema = schema
    }

    private mutating func document() throws(YAMLError) -> JSONValue {
        _ = try events.next()
        guard case .document = try events.next().kind else { return .null }
        let value = try node(try events.next())
        _ = try events.next()
        let rest = try events.next()
        guard case .streamEnd = rest.kind else { throw YAMLError(rest.mark, "begins another document") }
        return value
    }

    private mutating func node(_ event: YAMLEvent) throws(YAMLError) -> JSONValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw YAMLError(event.mark, "is nested too deeply") }
        if case .alias(let name) = event.kind { return try alias(name, event.mark) }
        let before = weight
        // Within itself an anchor is not there, also not the one of that name before it.
        if let anchor = event.anchor { anchors[anchor] = nil }
        let value =
            switch event.kind {
            case .sequence: try sequence(event)
            case .mapping: try mapping(event)
            default: try scalar(event)
            }
        if let anchor = event.anchor { anchors[anchor] = Anchor(value: value, weight: weight - before) }
        return value
    }

    private mutating func alias(_ name: String, _ mark: YAMLMark) throws(YAMLError) -> JSONValue {
        guard let anchor = anchors[name] else {
            throw YAMLError(mark, "names the anchor \(Self.short(name)), which is not there")
        }
        // All of it stands that much deeper here.
        try add(anchor.weight * (1 + depth), mark)
        return anchor.value
    }

    private mutating func scalar(_ event: YAMLEvent) throws(YAMLError) -> JSONValue {
        guard case .scalar(let text, let style) = event.kind else { throw YAMLError(event.mark, "is no value") }
        guard !text.utf8.contains(0) else { throw YAMLError(event.mark, "has a NUL, which no program can be given") }
        try add(1 + text.utf8.count, event.mark)
        do { return try schema.value(text, style, tag: event.tag) } catch { throw YAMLError(event.mark, error.words) }
    }

    private mutating func sequence(_ start: YAMLEvent) throws(YAMLError) -> JSONValue {
        try checkTag(start, "seq")
        var values: [JSONValue] = []
        while true {
            let event = try events.next()
            if case .end = event.kind { return .array(values) }
            try add(1, event.mark)
            values.append(try node(event))
        }
    }

    private mutating func mapping(_ start: YAMLEvent) throws(YAMLError) -> JSONValue {
        try checkTag(start, "map")
        var object: JSONObject = [:]
        var sources: [JSONObject]?
        while true {
            let event = try events.next()
            if case .end = event.kind { return .object(try merge(sources ?? [], into: object, start.mark)) }
            switch try key(event) {
            case .merge:
                guard sources == nil else {
                    throw YAMLError(event.mark, "repeats the key <<: name all that is merged in one list")
                }
                sources = try merged(try events.next())
            case .name(let name):
                try add(1 + name.utf8.count, event.mark)
                guard object[name] == nil else { throw YAMLError(event.mark, "repeats the key \(Self.short(name))") }
                object[name] = try node(try events.next())
            }
        }
    }

    private mutating func key(_ event: YAMLEvent) throws(YAMLError) -> Key {
        if case .scalar(let text, let style) = event.kind {
            if event.tag == YAMLSchema.prefix + "merge" { return .merge }
            if text == "<<", style == .plain, event.tag == nil { return .merge }
        }
        switch try node(event) {
        case .string(let name): return .name(name)
        // docker-compose 1.29 makes a text of it wherever it uses it; docker compose refuses it.
        case .integer(let number) where schema == .pyYAML: return .name(String(number))
        case .array, .object: throw YAMLError(event.mark, "has a key that is no scalar")
        case let value: throw YAMLError(event.mark, "has the key \(value.text), which is no text: put it in quotes")
        }
    }

    /// What a merge key names: a mapping or a list of them.
    private mutating func merged(_ event: YAMLEvent) throws(YAMLError) -> [JSONObject] {
        let value = try node(event)
        let values = value.asArray ?? [value]
        let objects = values.compactMap(\.asObject)
        guard objects.count == values.count else { throw YAMLError(event.mark, "merges what is no mapping") }
        return objects
    }

    /// The first source that has a key gives it; what the mapping has itself stays.
    private mutating func merge(
        _ sources: [JSONObject], into object: JSONObject, _ mark: YAMLMark
    ) throws(YAMLError) -> JSONObject {
        var object = object
        for source in sources {
            for member in source.members where object[member.key] == nil {
                try add(1 + member.key.utf8.count, mark)
                object[member.key] = member.value
            }
        }
        return object
    }

    private func checkTag(_ event: YAMLEvent, _ kind: String) throws(YAMLError) {
        guard let tag = event.tag, tag != YAMLSchema.prefix + kind else { return }
        throw YAMLError(event.mark, "has the tag \(Self.short(tag)), which is not taken")
    }

    private mutating func add(_ count: Int, _ mark: YAMLMark) throws(YAMLError) {
        weight += count + 2 * depth
        if weight > Self.weightLimit { throw YAMLError(mark, "makes the document too large") }
    }

    static func short(_ text: String) -> String { text.utf8.count <= 200 ? text : String(text.prefix(100)) + "…" }
}
