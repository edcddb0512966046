import Glibc

/// A folder of one test's own under the system's temporary folder, removed with the test.
final class TemporaryFolder: Sendable {
    let root: String

    init() {
        var template = Array("/tmp/innkeeper-sqlite-XXXXXX".utf8CString)
        root = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    func write(_ bytes: [UInt8], to name: String) {
        let file = fopen(path(name), "w")!
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    func read(_ name: String) -> [UInt8] {
        guard let file = fopen(path(name), "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }

    deinit {
        if let listing = opendir(root) {
            while let entry = readdir(listing) {
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 256) { _ = unlink(path(String(cString: $0))) }
                }
            }
            closedir(listing)
        }
        rmdir(root)
    }
}
