import WireProtocol
import YAML

/// The manifests that `helm template` prints: documents between lines that begin with `---`, as Helm and the cluster part them,
/// whatever YAML would make of such a line.
struct RenderedChart: Sendable {
    /// The objects, those of lists one by one.
    let objects: [JSONObject]
    private static let documentLimit = 2000
    private static let objectLimit = 5000

    struct Unreadable: Error {
        let problem: String
    }

    init(_ bytes: [UInt8]) throws(Unreadable) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Unreadable(problem: "it is not UTF-8") }
        var objects: [JSONObject] = []
        for (number, document) in try Self.documents(text).enumerated() {
            guard let value = try Self.read(document, number + 1) else { continue }
            objects += try Self.flattened(value, depth: 0)
            guard objects.count <= Self.objectLimit else { throw Unreadable(problem: "it has too many objects") }
        }
        self.objects = objects
    }

    private static func documents(_ text: String) throws(Unreadable) -> [String] {
        var documents: [[Substring]] = [[]]
        // By the byte: to Swift CR and LF are one character.
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Substring.init)
        {
            guard line.hasPrefix("---") else {
                documents[documents.count - 1].append(line)
                continue
            }
            let rest = line.drop { $0 == "-" }.drop { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\r\n" }
            // The cluster passes over what stands behind it, Helm does not.
            guard rest.isEmpty || rest.hasPrefix("#") else {
                throw Unreadable(problem: "it has a line that can be read in two ways: \(line.prefix(60))")
            }
            documents.append([])
            guard documents.count <= documentLimit else { throw Unreadable(problem: "it has too many manifests") }
        }
        return documents.map { $0.joined(separator: "\n") }
    }

    /// Nil for a document of nothing but comments.
    private static func read(_ document: String, _ number: Int) throws(Unreadable) -> JSONObject? {
        let value: JSONValue
        do { value = try YAMLReader.read(document, as: .goYAML) } catch {
            // What the line says may be a secret.
            throw Unreadable(problem: "its manifest \(number) cannot be read, in line \(error.line)")
        }
        switch value {
        case .null: return nil
        case .object(let object): return object.isEmpty ? nil : object
        default: throw Unreadable(problem: "its manifest \(number) is no object")
        }
    }

    /// The members of a list, which may leave out what the list's own kind says of them.
    private static func flattened(_ object: JSONObject, depth: Int) throws(Unreadable) -> [JSONObject] {
        guard let kind = object["kind"]?.asString, kind.hasSuffix("List"), let items = object["items"] else {
            return [object]
        }
        guard depth < 8, let items = items == .null ? [] : items.asArray else {
            throw Unreadable(problem: "it has a list of another form")
        }
        var objects: [JSONObject] = []
        for item in items {
            guard var inner = item.asObject else { throw Unreadable(problem: "it has a list of what is no object") }
            if inner["kind"] == nil { inner["kind"] = .string(String(kind.dropLast("List".count))) }
            if inner["apiVersion"] == nil { inner["apiVersion"] = object["apiVersion"] }
            objects += try flattened(inner, depth: depth + 1)
        }
        return objects
    }
}
