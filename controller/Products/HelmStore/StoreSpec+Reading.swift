import ControllerCore
import Model
import Placement
import WireProtocol

extension StoreSpec {
    /// Reads the fields of a plan, or what was stored.
    /// - Throws: an error whose field is a path below `path`.
    init(json: JSONObject, under path: String = "spec") throws(CoreError) {
        do throws(FieldError) { self = try Self.read(json) } catch {
            throw .invalid(field: error.under(path).path, problem: error.sentence)
        }
    }

    private static let keys: Set<String> = [
        "engine", "version", "chart", "chart_version", "chart_repo", "zone", "tls", "files_gib", "database_gib",
        "backups", "values", "environment_values", "ready", "on_failure", "name", "id", "email", "title", "placement",
        "labels",
    ]
    static let gib: ClosedRange<Int64> = 1...65_536
    static let timeout: ClosedRange<Int64> = 10...7200
    static let poll: ClosedRange<Int64> = 1...300

    private static func read(_ json: JSONObject) throws(FieldError) -> StoreSpec {
        try json.allowOnly(keys)
        let backups = try part(json, "backups", ["retention", "schedule", "size_gib"])
        let ready = try part(json, "ready", ["timeout_s", "poll_s", "ingress_address"])
        let placement = try part(json, "placement", ["strategy", "labels"])
        let spec = StoreSpec(
            engine: try word(json, "engine") ?? .woocommerce,
            version: try text(json, "version", .chartVersion), chart: try chart(json),
            zone: try zone(json), tls: try json.optionalBool("tls") ?? true,
            filesGiB: try json.optionalInteger("files_gib", in: gib) ?? 5,
            databaseGiB: try json.optionalInteger("database_gib", in: gib) ?? 5,
            backups: try nested("backups") { () throws(FieldError) in try Self.backups(backups) },
            values: try values(json, "values"), environmentValues: try values(json, "environment_values"),
            patience: try nested("ready") { () throws(FieldError) in
                Patience(
                    timeoutSeconds: try ready.optionalInteger("timeout_s", in: timeout) ?? 600,
                    pollSeconds: try ready.optionalInteger("poll_s", in: poll) ?? 5,
                    needsAddress: try ready.optionalBool("ingress_address") ?? true)
            },
            onFailure: try word(json, "on_failure") ?? .keep, name: try name(json), id: try id(json),
            email: try email(json),
            title: try line(json, "title", most: 200),
            strategy: try nested("placement") { () throws(FieldError) in try word(placement, "strategy") ?? .spread },
            nodeLabels: try labels(placement, "placement.labels"), labels: try labels(json, "labels"))
        try spec.checkImages()
        return spec
    }

    private static func backups(_ json: JSONObject) throws(FieldError) -> Backups {
        let backups = Backups(
            retention: try json.optionalInteger("retention", in: 0...365) ?? 0,
            schedule: try word(json, "schedule") ?? .none,
            sizeGiB: try json.optionalInteger("size_gib", in: gib) ?? 10)
        guard backups.retention > 0 || backups.schedule == .none else {
            throw FieldError(path: "schedule", problem: .value(expected: "none where no backup is kept"))
        }
        return backups
    }

    /// Medusa has no image that everybody runs.
    private func checkImages() throws(FieldError) {
        guard engine == .medusa else { return }
        let image = values.merged(with: environmentValues)["images"]?["medusa"]
        func says(_ key: String) -> Bool { image?[key]?.asString?.isEmpty == false }
        guard says("repository") else { throw FieldError(path: "values.images.medusa.repository", problem: .missing) }
        guard version != nil || says("tag") || says("digest") else {
            throw FieldError(path: "values.images.medusa.tag", problem: .missing)
        }
    }

    private static func chart(_ json: JSONObject) throws(FieldError) -> Chart {
        let chart = try json.string("chart")
        let repo = try text(json, "chart_repo", .chartRepository)
        let isLocal = chart.hasPrefix("/")
        let grammar: Grammar = isLocal ? .absolutePath : chart.hasPrefix("oci://") ? .ociChart : .chartName
        guard grammar.accepts(chart) else {
            throw FieldError(
                path: "chart", problem: .value(expected: "a path, an oci:// reference, or the name of a chart"))
        }
        guard (repo == nil) == (isLocal || chart.hasPrefix("oci://")) else {
            throw FieldError(
                path: "chart_repo", problem: .value(expected: "given with the bare name of a chart, and only with that")
            )
        }
        return Chart(chart: chart, version: try text(json, "chart_version", .chartVersion), repo: repo)
    }

    /// One label is enough: `localhost`.
    private static func zone(_ json: JSONObject) throws(FieldError) -> String {
        let zone = try json.string("zone")
        guard zone.utf8.count <= 190, Grammar.domainName.accepts(zone) || Grammar.namespaceName.accepts(zone) else {
            throw FieldError(path: "zone", problem: .value(expected: "a domain of at most 190 characters"))
        }
        return zone
    }

    private static func name(_ json: JSONObject) throws(FieldError) -> String? {
        guard let name = try json.optionalString("name") else { return nil }
        guard isName(name) else { throw FieldError(path: "name", problem: .value(expected: nameExpectation)) }
        return name
    }

    private static func id(_ json: JSONObject) throws(FieldError) -> String? {
        guard let id = try json.optionalString("id") else { return nil }
        let end = id.utf8.suffix(7)
        guard let name = try json.optionalString("name"), id.hasPrefix("\(name)-"),
            id.utf8.count == name.utf8.count + 7,
            end.dropFirst().allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) })
        else {
            throw FieldError(path: "id", problem: .value(expected: "the name, - and six of a-z and 0-9"))
        }
        return id
    }

    static let nameExpectation =
        "1 to \(nameLimit) of a-z, 0-9 and -, beginning with a letter and ending with a letter or digit"

    static func isName(_ text: String) -> Bool {
        text.utf8.count <= nameLimit && Grammar.namespaceName.accepts(text)
            && text.utf8.first.map { (0x61...0x7A).contains($0) } == true
    }

    /// What decides over the service itself is not the operator's to say there.
    private static let own = ["engine", "host", "mode", "task", "credentials"]

    private static func values(_ json: JSONObject, _ key: String) throws(FieldError) -> JSONObject {
        let values = try json.optionalObject(key) ?? [:]
        if let taken = own.first(where: { values[$0] != nil }) {
            throw FieldError(path: "\(key).\(taken)", problem: .value(expected: "left to the controller"))
        }
        guard JSONValue.object(values).encoded.count <= 64 << 10 else {
            throw FieldError(path: key, problem: .value(expected: "at most 64 KiB"))
        }
        return values
    }

    private static func email(_ json: JSONObject) throws(FieldError) -> String? {
        guard let text = try json.optionalString("email") else { return nil }
        guard EmailAddress.accepts(text) else {
            throw FieldError(path: "email", problem: .value(expected: EmailAddress.expectation))
        }
        return text
    }

    private static func line(_ json: JSONObject, _ key: String, most: Int) throws(FieldError) -> String? {
        guard let text = try json.optionalString(key) else { return nil }
        let isLine = !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard (1...most).contains(text.utf8.count), isLine else {
            throw FieldError(
                path: key, problem: .value(expected: "one line of 1 to \(most) bytes without control characters"))
        }
        return text
    }

    private static func text(_ json: JSONObject, _ key: String, _ grammar: Grammar) throws(FieldError) -> String? {
        guard let text = try json.optionalString(key) else { return nil }
        guard grammar.accepts(text) else {
            throw FieldError(path: key, problem: .value(expected: grammar.expectation))
        }
        return text
    }

    private static func labels(_ json: JSONObject, _ path: String) throws(FieldError) -> [String: String] {
        guard let object = try json.optionalObject("labels") else { return [:] }
        guard object.count <= 64 else { throw FieldError(path: path, problem: .tooMany(limit: 64)) }
        var labels: [String: String] = [:]
        for member in object.members {
            let place = "\(path).\(member.key.prefix(64))"
            guard let value = member.value.asString else {
                throw FieldError(path: place, problem: .type(expected: "a string"))
            }
            guard Grammar.labelKey.accepts(member.key), Grammar.labelValue.accepts(value) else {
                throw FieldError(path: place, problem: .value(expected: "a label"))
            }
            labels[member.key] = value
        }
        return labels
    }

    private static func part(
        _ json: JSONObject, _ key: String, _ keys: Set<String>
    ) throws(FieldError) -> JSONObject {
        let part = try json.optionalObject(key) ?? [:]
        do throws(FieldError) { try part.allowOnly(keys) } catch { throw error.under(key) }
        return part
    }

    private static func nested<Value>(
        _ key: String, _ body: () throws(FieldError) -> Value
    ) throws(FieldError) -> Value {
        do throws(FieldError) { return try body() } catch { throw error.under(key) }
    }

    private static func word<Word: RawRepresentable & CaseIterable>(
        _ json: JSONObject, _ key: String
    ) throws(FieldError) -> Word? where Word.RawValue == String {
        guard let text = try json.optionalString(key) else { return nil }
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw FieldError(path: key, problem: .value(expected: "one of \(known)"))
        }
        return word
    }
}
