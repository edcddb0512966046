import DaemonKit
import Glibc
import TestSupport
import Testing

@Suite struct `Files of a daemon` {
    let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        stat(path, &status)
        return status.st_mode & 0o777
    }

    @Test func `a write replaces the whole file, privately, and leaves nothing beside it`() throws {
        let path = scratch.file("identity")
        try AtomicFile.write(Array("a long first content".utf8), to: path)
        try AtomicFile.write(Array("second".utf8), to: path)
        #expect(try AtomicFile.read(path) == Array("second".utf8))
        #expect(mode(path) == 0o600)
        #expect(access(path + AtomicFile.draftSuffix, F_OK) != 0)
    }

    @Test func `a write that fails keeps the old content`() throws {
        let path = scratch.file("folder")
        mkdir(path, 0o700)
        try AtomicFile.write(Array("inside".utf8), to: "\(path)/kept")
        #expect(throws: FileError.self) { try AtomicFile.write([1], to: path) }
        #expect(try AtomicFile.read("\(path)/kept") == Array("inside".utf8))
    }

    @Test func `reading names the file and stops at the limit`() throws {
        let path = scratch.file("large")
        try AtomicFile.write([UInt8](repeating: 1, count: 100), to: path)
        let tooLong = #expect(throws: FileError.self) { try AtomicFile.read(path, limit: 99) }
        #expect(tooLong?.description == "cannot read \(path): longer than 99 bytes")
        let missing = #expect(throws: FileError.self) { try AtomicFile.read(scratch.file("none")) }
        #expect(missing?.isMissing == true)
    }

    @Test func `removing what is not there is fine`() throws {
        try AtomicFile.remove(scratch.file("none"))
    }

    @Test func `a file that others may read is not private`() throws {
        let path = scratch.file("key")
        try AtomicFile.write([1], to: path, mode: 0o640)
        #expect(throws: FileError.self) { try FileMode.requirePrivate(path) }
        try FileMode.requireUnwritableByOthers(path)
        chmod(path, 0o662)
        #expect(throws: FileError.self) { try FileMode.requireUnwritableByOthers(path) }
    }

    @Test func `a data folder is rid of what a dead process was writing, and of nothing else`() throws {
        let path = scratch.file("used")
        mkdir(path, 0o700)
        try AtomicFile.write([1], to: "\(path)/identity.json.new")
        try AtomicFile.write([1], to: "\(path)/identity.json")
        let directory = try DataDirectory(path)
        #expect(access("\(path)/identity.json.new", F_OK) != 0 && access("\(path)/identity.json", F_OK) == 0)
        withExtendedLifetime(directory) {}
    }

    @Test func `a data folder is made private and held by one at a time`() throws {
        let path = scratch.file("data")
        var first: DataDirectory? = try DataDirectory(path)
        #expect(mode(path) == 0o700)
        let error = #expect(throws: FileError.self) { try DataDirectory(path) }
        #expect(error?.description == "cannot use \(path): process \(getpid()) is running on it")
        withExtendedLifetime(first) {}
        first = nil
        _ = try DataDirectory(path)
    }

    @Test func `a data folder open to others is refused`() throws {
        let path = scratch.file("data")
        mkdir(path, 0o755)
        chmod(path, 0o755)
        #expect(throws: FileError.self) { try DataDirectory(path) }
    }

    @Test func `an append-only file starts anew beside the old one at its limit`() throws {
        let log = AppendOnlyFile(path: scratch.file("audit"), limit: 20)
        try log.append("the first record")
        try log.append("the second record")
        try log.append("the third")
        #expect(try AtomicFile.read(log.path + ".1") == Array("the first record\nthe second record\n".utf8))
        #expect(try AtomicFile.read(log.path) == Array("the third\n".utf8))
    }
}
