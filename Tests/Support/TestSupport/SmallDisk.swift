import Glibc

/// A real file system of little room in the place of a folder, seen only by what is started behind `launcher`. It goes with
/// the last reference, or when the test process ends.
package final class SmallDisk: Sendable {
    /// First words of a command line that sees the disk. Give absolute paths behind it.
    package let launcher: [String]
    private let folder: String
    private let bytes: Int
    private let keeper: Int32
    private let input: Int32

    /// What the folder holds already is on the disk as well.
    /// - Parameter folder: an absolute path; it must be there.
    package init(at folder: String, bytes: Int) async throws {
        (self.folder, self.bytes) = (folder, bytes)
        (keeper, input) = try BackgroundProgram.guardian(
            Self.script, [folder, "\(bytes)"], launcher: ["/usr/bin/unshare", "--mount", "--propagation", "private"])
        launcher = ["/usr/bin/nsenter", "--target", "\(keeper)", "--mount", "--"]
        let mark = path("ready")
        guard await eventually({ access(mark, F_OK) == 0 }) else { throw SetupFailure("no small disk at \(folder)") }
        unlink(mark)
    }

    deinit {
        close(input)
        waitpid(keeper, nil, 0)
    }

    /// A file of the disk as this process reaches it.
    package func path(_ name: String) -> String { "/proc/\(keeper)/root\(folder)/\(name)" }

    /// Takes all the room there is.
    package func fill() throws {
        let file = open(path("filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SetupFailure("cannot fill \(folder)") }
        defer { close(file) }
        lseek(file, 0, Int32(SEEK_END))
        // Whatever goes wrong, another disk must not be filled.
        var left = bytes
        for size in [64 << 10, 4096, 512, 1] {
            let piece = [UInt8](repeating: 0x66, count: size)
            while left > 0, case let count = write(file, piece, size), count > 0 { left -= count }
        }
        guard errno == ENOSPC else {
            throw SetupFailure("\(folder) does not fill: \(String(cString: strerror(errno)))")
        }
    }

    /// Shortens what fills the disk.
    package func makeRoom(_ bytes: Int) {
        var status = stat()
        if stat(path("filler"), &status) == 0 { truncate(path("filler"), status.st_size - bytes) }
    }

    /// Gives all the room back.
    package func free() { unlink(path("filler")) }

    private static let script = """
        set -e
        mkdir "$1.before"
        cp -a "$1/." "$1.before"
        mount -t tmpfs -o size=$2,mode=0700 small "$1"
        cp -a "$1.before/." "$1"
        touch "$1/ready"
        cat <&3 >/dev/null
        umount --lazy "$1"
        """
}
