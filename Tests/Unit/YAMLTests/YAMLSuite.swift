import Glibc
import WireProtocol

@testable import YAML

/// Documents with what they mean, from a folder of folders.
struct YAMLSuite {
    struct Result: CustomStringConvertible {
        var right: [String] = []
        var refused: [String] = []
        /// What the suite calls an error, and every reader of compose files takes.
        var lenient: [String] = []
        var misread: [String] = []

        var description: String {
            """
            \(right.count) right, \(refused.count) refused, \(lenient.count) taken leniently, \(misread.count) misread
            refused: \(refused.joined(separator: "\n  "))
            leniently: \(lenient)
            misread: \(misread)
            """
        }
    }

    private struct Case {
        let name: String
        let text: String
        /// Nil where the text is no YAML, or none with a value of JSON.
        let value: JSONValue?
        let isError: Bool
    }

    private var cases: [Case] = []
    var texts: [String] { cases.map(\.text) }

    init(_ folder: String) throws {
        for name in Self.names(in: folder) {
            for place in ["\(folder)/\(name)"] + Self.names(in: "\(folder)/\(name)").map({ "\(folder)/\(name)/\($0)" })
            {
                guard let text = Self.text("\(place)/in.yaml") else { continue }
                let value = Self.text("\(place)/in.json").flatMap {
                    $0.isEmpty ? .null : try? JSONParser.parse($0, limits: .local)
                }
                cases.append(
                    Case(
                        name: String(place.dropFirst(folder.utf8.count + 1)), text: text, value: value,
                        isError: Self.text("\(place)/error") != nil))
            }
        }
    }

    /// A text that is refused in the suite and here is right, too.
    func result(as schema: YAMLSchema) -> Result {
        var result = Result()
        for one in cases {
            do {
                let value = try YAMLReader.read(one.text, as: schema)
                if value == one.value {
                    result.right.append(one.name)
                } else if one.isError {
                    result.lenient.append(one.name)
                } else {
                    result.misread.append(one.name)
                }
            } catch {
                if one.isError { result.right.append(one.name) } else { result.refused.append("\(one.name) \(error)") }
            }
        }
        return result
    }

    private static func names(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
