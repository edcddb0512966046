import DaemonKit
import Glibc
import TestSupport
import Testing

@Suite struct `What a doctor finds` {
    @Test func `one remark a line, advice below it, and a sum at the end`() {
        var diagnosis = Diagnosis()
        diagnosis.add(.good("clock", "kept"))
        diagnosis.add(.note("driver zfs", "not used", advice: "nothing"))
        #expect(diagnosis.isWell)
        diagnosis.add(.wrong("a subject of many words", "broken", advice: "mend it"))
        #expect(!diagnosis.isWell)
        #expect(
            diagnosis.description == """
                ok    clock               kept
                note  driver zfs          not used
                                          do: nothing
                wrong a subject of many words broken
                                          do: mend it
                one thing is wrong
                """)
    }

    @Test func `a clock of the past is wrong, one that nobody keeps is worth a note`() {
        #expect(MachineRemarks.clock(now: 0, isSynchronised: true).verdict == .wrong)
        let now = 1_800_000_000
        #expect(MachineRemarks.clock(now: now, isSynchronised: true).verdict == .good)
        #expect(MachineRemarks.clock(now: now, isSynchronised: false).verdict == .note)
        #expect(MachineRemarks.clock(now: now, isSynchronised: nil).verdict == .note)
    }

    @Test func `room is counted, and a folder that is not there cannot be asked`() throws {
        let folder = try ScratchFolder("room")
        #expect(MachineRemarks.room(in: folder.path, needed: 1).verdict == .good)
        let full = MachineRemarks.room(in: folder.path, needed: .max)
        #expect(full.verdict == .wrong && full.advice?.contains("make room") == true)
        #expect(MachineRemarks.room(in: folder.file("absent"), needed: 1).verdict == .wrong)
    }

    @Test func `a data folder is missing, private, or held by a process`() throws {
        let folder = try ScratchFolder("folder")
        let missing = MachineRemarks.folder(folder.file("none"), make: "make it so")
        #expect(missing.verdict == .wrong && missing.advice == "make it so")
        #expect(MachineRemarks.folder(folder.path, make: "").text == "\(folder.path) is private")
        let held = try DataDirectory(folder.path)
        #expect(MachineRemarks.folder(folder.path, make: "").text.contains("is running on it"))
        withExtendedLifetime(held) {}
    }

    @Test func `a process that has ended runs on no folder, whoever has its number now`() throws {
        let folder = try ScratchFolder("folder")
        // A pid that is alive, in a lock that nobody holds.
        try folder.write(Array("\(getpid())\n".utf8), to: "lock")
        #expect(DataDirectory.holder(of: folder.path) == nil)
        let held = try DataDirectory(folder.path)
        #expect(DataDirectory.holder(of: folder.path) == getpid())
        withExtendedLifetime(held) {}
        #expect(DataDirectory.holder(of: folder.file("none")) == nil)
    }
}
