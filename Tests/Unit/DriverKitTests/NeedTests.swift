import DriverKit
import Glibc
import TestSupport
import Testing

@Suite struct `What a driver needs` {
    @Test func `a program is there by its path or by its name, or is named with its package`() throws {
        let folder = try ScratchFolder("need")
        let path = folder.file("tool")
        let missing = Need.program(path, for: "work", package: "tools")
        #expect(missing.problem == "there is no \(path)")
        #expect(missing.advice == "apt install tools" && !missing.isVital)
        try folder.write([], to: "tool")
        #expect(Need.program(path, for: "work").problem != nil, "it is not executable")
        chmod(path, 0o755)
        #expect(Need.program(path, for: "work").problem == nil)
        #expect(Need.program("sh", for: "work").problem == nil)
        #expect(Need.program("no-such-program", for: "work", vital: true).isVital)
    }

    @Test func `a folder may be missing where it can be made, and nothing is made`() throws {
        let folder = try ScratchFolder("need")
        #expect(Need.folder(folder.path, for: "files").problem == nil)
        #expect(Need.folder(folder.file("a/b/c"), for: "files").problem == nil)
        #expect(access(folder.file("a"), F_OK) != 0)
        try folder.write([], to: "file")
        #expect(Need.folder(folder.file("file"), for: "files").problem == "\(folder.path)/file is no folder")
        let below = try #require(Need.folder(folder.file("file/a"), for: "files").problem)
        #expect(below.hasPrefix("\(folder.path)/file/a cannot be looked at"), "\(below)")
    }

    @Test func `a file that cannot be read is told with the reason`() throws {
        let folder = try ScratchFolder("need")
        let need = Need.readable(folder.file("none"), for: "everything", vital: true, advice: "make it")
        #expect(need.problem == "\(folder.path)/none cannot be read: No such file or directory")
        #expect(need.advice == "make it" && need.isVital)
        #expect(Need.readable(folder.path, for: "everything", advice: "").problem == nil)
    }
}
