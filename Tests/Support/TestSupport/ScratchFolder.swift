import Glibc

/// A folder of its own under the system's temporary one; removed with the last reference.
package final class ScratchFolder: Sendable {
    package let path: String

    package init(_ purpose: String = "test") throws {
        var template = Array("/tmp/innkeeper-\(purpose)-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw SetupFailure("no temporary folder: \(String(cString: strerror(errno)))")
        }
        path = String(cString: made)
    }

    deinit { Self.remove(path) }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Self.write(bytes, at: file(name))
        return file(name)
    }

    static func write(_ bytes: [UInt8], at path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SetupFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + offset, bytes.count - offset)
            }
            guard count > 0 else { throw SetupFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
            offset += count
        }
    }

    package func read(_ name: String) throws -> [UInt8] {
        guard let stream = fopen(file(name), "r") else { throw SetupFailure("cannot read \(file(name))") }
        defer { fclose(stream) }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&piece, 1, piece.count, stream), count > 0 { content += piece.prefix(count) }
        return content
    }

    /// Removes a tree without following links or leaving its file system.
    private static func remove(_ path: String, on device: dev_t? = nil) {
        var status = stat()
        guard lstat(path, &status) == 0, device.map({ $0 == status.st_dev }) ?? true else { return }
        guard status.st_mode & S_IFMT == S_IFDIR, let folder = opendir(path) else {
            unlink(path)
            return
        }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { remove("\(path)/\(name)", on: status.st_dev) }
        }
        closedir(folder)
        rmdir(path)
    }
}

/// Waits until something has become true; false when it has not within a generous limit.
package func eventually(
    within limit: Duration = .seconds(30), _ condition: @Sendable () async throws -> Bool
) async rethrows -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return try await condition()
}
