import Glibc
import Testing

/// The kept inputs of every target, each of which once showed something: the quick half of `make fuzz`.
@Suite struct `Every property holds for the kept inputs` {
    @Test(arguments: FuzzTarget.all.map(\.name))
    func `of the target`(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let inputs = Corpus.inputs(of: name)
        #expect(!inputs.isEmpty)
        for input in inputs {
            do { try input.bytes.withUnsafeBytes { try target.check($0) } } catch {
                Issue.record("\(name)/\(input.name): \(error)")
            }
        }
    }

    @Test func `and every folder of inputs belongs to a target`() {
        #expect(Corpus.names(in: Corpus.folder) == FuzzTarget.all.map(\.name).sorted())
    }

    @Test func `and a property that does not hold is noticed`() throws {
        let wrong = FuzzTarget("wrong") { input in try require(input.isEmpty, "there is a byte") }
        try [].withUnsafeBytes { try wrong.check($0) }
        #expect(throws: Violation.self) { try [1].withUnsafeBytes { try wrong.check($0) } }
    }
}

private enum Corpus {
    static let folder = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/corpus"

    static func inputs(of target: String) -> [(name: String, bytes: [UInt8])] {
        names(in: "\(folder)/\(target)").map { ($0, bytes(of: "\(folder)/\(target)/\($0)")) }
    }

    static func names(in folder: String) -> [String] {
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

    private static func bytes(of path: String) -> [UInt8] {
        guard let file = fopen(path, "rb") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }
}
