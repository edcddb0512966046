import CLinux
import Glibc

/// What every daemon needs of its machine.
package enum MachineRemarks {
    /// A build knows that no clock can be right that stands before it: 2026-01-01, in seconds.
    private static let earliest: Int = 1_767_225_600
    private static let filesNeeded: UInt64 = 1000

    /// Whether the clock can be trusted: certificates, usage windows and metrics rest on it.
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - isSynchronised: what the kernel says of it; nil where it says nothing.
    package static func clock(now: Int = time(nil), isSynchronised: Bool? = kernelClock()) -> Remark {
        guard now >= earliest else {
            return .wrong(
                "clock", "it says \(now) seconds since 1970, which is in the past",
                advice: "set the clock, and install chrony or systemd-timesyncd")
        }
        switch isSynchronised {
        case true: return .good("clock", "kept by a time service")
        case false:
            return .note(
                "clock", "the kernel does not know it as kept by a time service",
                advice: "install chrony or systemd-timesyncd, or see that the host of this machine has it")
        default: return .note("clock", "the kernel does not tell whether a time service keeps it")
        }
    }

    package static func kernelClock() -> Bool? {
        switch linux_clock_is_synchronised() {
        case 1: true
        case 0: false
        default: nil
        }
    }

    /// Whether the file system of a folder has room.
    /// - Parameter needed: bytes that the daemon may come to need there.
    package static func room(in folder: String, needed: UInt64) -> Remark {
        var system = linux_filesystem()
        let code = linux_filesystem_of(folder, &system)
        guard code == 0 else {
            return .wrong(
                "disk", "the file system of \(folder) cannot be asked: \(String(cString: strerror(code)))",
                advice: "see whether it is mounted and answers")
        }
        let available = geteuid() == 0 ? system.free_bytes : system.available_bytes
        let room = "\(available >> 20) MiB free below \(folder), \(needed >> 20) MiB may be needed"
        guard available >= needed else { return .wrong("disk", room, advice: "make room, or put the folder elsewhere") }
        // File systems without a fixed number of files say zero of zero.
        guard system.files == 0 || system.free_files >= filesNeeded else {
            return .wrong(
                "disk", "only \(system.free_files) more files can be made below \(folder)",
                advice: "remove files that nobody needs")
        }
        return .good("disk", room)
    }

    /// Whether the folder of the daemon's state is there and its own.
    package static func folder(_ path: String, make advice: String) -> Remark {
        do throws(FileError) { try FileMode.requirePrivate(path) } catch {
            return .wrong("data", error.description, advice: error.isMissing ? advice : "chown and chmod it as said")
        }
        guard let holder = DataDirectory.holder(of: path) else { return .good("data", "\(path) is private") }
        return .good("data", "\(path) is private; process \(holder) is running on it")
    }
}
