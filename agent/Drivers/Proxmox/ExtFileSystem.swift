import Glibc

/// The size that an ext4 file system has, as it says at its beginning.
enum ExtFileSystem {
    /// What may be left over at the end of a volume that is too little for a group of blocks.
    static let slack: Int64 = 16 << 20
    /// Bytes into the volume, and how many of them are read.
    private static let (start, length) = (1024, 1024)

    /// Nil for what is no such file system, or no volume that can be read.
    static func bytes(at path: String) -> Int64? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var block = [UInt8](repeating: 0, count: length)
        let count = block.withUnsafeMutableBytes { pread(file, $0.baseAddress!, $0.count, off_t(start)) }
        return count == length ? bytes(superblock: block) : nil
    }

    static func bytes(superblock block: [UInt8]) -> Int64? {
        func number(at place: Int, _ count: Int) -> UInt64 {
            block[place..<place + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard block.count == length, number(at: 56, 2) == 0xEF53, case let scale = number(at: 24, 4), scale <= 6 else {
            return nil
        }
        // Only with a feature of its own has it more than 2^32 blocks; the place holds something else otherwise.
        let isWide = number(at: 96, 4) & 0x80 != 0
        let blocks = number(at: 4, 4) | (isWide ? number(at: 336, 4) << 32 : 0)
        let (bytes, overflows) = blocks.multipliedReportingOverflow(by: 1024 << scale)
        return overflows ? nil : Int64(exactly: bytes)
    }
}

extension NodeFiles {
    /// A mounted image is read through its loop device: the file may be behind what the kernel has changed.
    func fileSystemBytes(at path: String) -> Int64? {
        let loops = (FileText.names(in: "\(root)/sys/block") ?? []).filter { $0.hasPrefix("loop") }
        let device = loops.first { FileText.read("\(root)/sys/block/\($0)/loop/backing_file") == path + "\n" }
        return ExtFileSystem.bytes(at: root + (device.map { "/dev/\($0)" } ?? path))
    }

    /// True also where the node does not tell which network interfaces it has.
    func hasInterface(_ name: String) -> Bool {
        FileText.names(in: "\(root)/sys/class/net").map { $0.contains(name) } ?? true
    }
}
