import Glibc
import TestSupport

extension ScratchFolder {
    /// A file in it with that text; what reads it fails where it could not be written.
    func file(_ name: String, _ text: String) -> String { (try? write(Array(text.utf8), to: name)) ?? file(name) }
}

func text(of path: String) -> String {
    guard let stream = fopen(path, "r") else { return "" }
    defer { fclose(stream) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, stream)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}
