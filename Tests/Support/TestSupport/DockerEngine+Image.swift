import Glibc

/// A tar file, written member by member (ustar).
package struct TarFile {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func folder(_ path: String) { header(path + "/", mode: 0o755, kind: "5") }

    package mutating func link(_ path: String, to target: String) {
        header(path, mode: 0o777, kind: "2", target: target)
    }

    package mutating func file(_ path: String, _ content: [UInt8], mode: Int = 0o644) {
        header(path, mode: mode, kind: "0", size: content.count)
        bytes += content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    package mutating func end() { bytes += [UInt8](repeating: 0, count: 1024) }

    private mutating func header(_ path: String, mode: Int, kind: String, size: Int = 0, target: String = "") {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        put(path, at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(0, 11), at: 136)
        put("        ", at: 148)
        put(kind, at: 156)
        put(target, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6), at: 148)
        block[154] = 0
        bytes += block
    }
}

extension TarFile {
    /// The smallest root file system with a shell: a static busybox and links to it.
    package static func busybox() throws -> TarFile {
        guard let stream = fopen("/bin/busybox", "r") else {
            throw SetupFailure("/bin/busybox is missing (apt-get install busybox-static)")
        }
        defer { fclose(stream) }
        var program: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&piece, 1, piece.count, stream), count > 0 { program += piece.prefix(count) }
        var tar = TarFile()
        for folder in ["bin", "data", "dev", "etc", "proc", "sys", "tmp"] { tar.folder(folder) }
        tar.file("bin/busybox", program, mode: 0o755)
        for applet in [
            "sh", "sleep", "cat", "echo", "true", "false", "yes", "ps", "kill", "ls", "dd", "head", "id", "env",
        ] {
            tar.link("bin/\(applet)", to: "busybox")
        }
        tar.file("etc/passwd", Array("root:x:0:0:root:/:/bin/sh\nguest:x:1000:1000:guest:/:/bin/sh\n".utf8))
        tar.end()
        return tar
    }
}
