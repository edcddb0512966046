import DriverKit
import Glibc

/// Reads the small files of `/proc` and `/sys` into one buffer that is used again and again.
///
/// Not for two threads at once; who holds it guards it.
final class SystemFiles {
    /// What all paths start with: empty on a real machine, a directory of samples in tests.
    let root: String
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)
    /// No file of these is honestly longer.
    private static let limit = 4 << 20

    init(root: String = "") { self.root = root }

    deinit { buffer.deallocate() }

    /// The bytes of a file below the root, valid during `body`; `nil` when it cannot be read.
    func read<Result>(_ path: String, _ body: (inout ByteScanner) -> Result?) -> Result? {
        readWhole(root.isEmpty ? path : root + path, body)
    }

    private func readWhole<Result>(_ path: String, _ body: (inout ByteScanner) -> Result?) -> Result? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var count = 0
        while true {
            if count == buffer.count { grow() }
            let got = Glibc.read(file, buffer.baseAddress! + count, buffer.count - count)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0, count + got <= Self.limit else { return nil }
            if got == 0 { break }
            count += got
        }
        var scanner = ByteScanner(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return body(&scanner)
    }

    /// The whole file as text, less white space at its end.
    func text(_ path: String) -> String? {
        read(path) { scanner in
            var text = scanner.rest
            while text.last?.isWhitespace == true { text.removeLast() }
            return text
        }
    }

    /// Calls `body` with the name of each directory in a directory.
    func directories(in path: String, _ body: (String) -> Void) {
        guard let directory = opendir(root + path) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            guard entry.pointee.d_type == DT_DIR || entry.pointee.d_type == DT_UNKNOWN else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { body(name) }
        }
    }

    /// Calls `body` with the name of whatever is in a directory; not at all for one that cannot be read.
    func names(in path: String, _ body: (String) -> Void) { NodeFolder.names(in: root + path)?.forEach(body) }

    func exists(_ path: String) -> Bool { access(root + path, F_OK) == 0 }

    /// Number of the file or directory within its file system; a container that starts again gets another.
    func identity(_ path: String) -> UInt64? {
        var status = stat()
        return stat(root + path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// What a symbolic link says.
    func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { target in
            let count = readlink(root + path, target.baseAddress!, 255)
            guard count > 0 else { return nil }
            target[count] = 0
            return String(cString: target.baseAddress!)
        }
    }

    private func grow() {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 4, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
        buffer.deallocate()
        buffer = larger
    }
}
