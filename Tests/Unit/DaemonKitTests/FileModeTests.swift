import Glibc
import TestSupport
import Testing

@testable import DaemonKit

@Suite struct FileModeTests {
    @Test(arguments: [0o644, 0o640, 0o606, 0o620, 0o677] as [mode_t])
    func `an open file is closed to others, and only that`(mode: mode_t) throws {
        let folder = try ScratchFolder("mode")
        let path = try folder.write([1], to: "file")
        #expect(try !FileMode.tighten(path))
        chmod(path, mode)
        #expect(try FileMode.tighten(path))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(try !FileMode.tighten(path))
    }

    @Test func `a missing file is none to close; a link, a folder and a pipe are refused`() throws {
        let folder = try ScratchFolder("mode")
        #expect(try !FileMode.tighten(folder.file("missing")))
        let target = try folder.write([1], to: "target")
        chmod(target, 0o644)
        symlink(target, folder.file("link"))
        mkdir(folder.file("folder"), 0o755)
        mkfifo(folder.file("pipe"), 0o644)
        for name in ["link", "folder", "pipe"] {
            #expect(throws: FileError.self) { try FileMode.tighten(folder.file(name)) }
        }
        var status = stat()
        #expect(stat(target, &status) == 0 && status.st_mode & 0o777 == 0o644)
    }

    @Test(.enabled(if: geteuid() == 0)) func `a file of somebody else is refused`() throws {
        let folder = try ScratchFolder("mode")
        let path = try folder.write([1], to: "file")
        chown(path, 12_345, 12_345)
        let error = #expect(throws: FileError.self) { try FileMode.tighten(path) }
        #expect(error?.description.contains("belongs to user 12345") == true)
        #expect(throws: FileError.self) { try FileMode.requirePrivate(path) }
    }
}
