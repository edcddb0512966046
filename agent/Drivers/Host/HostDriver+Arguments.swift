import DriverKit
import WireProtocol

/// What the driver's actions take.
extension HostDriver {
    static let arguments: [String: [Argument]] = [
        "system.info": [], "filesystem.list": [], "container.list": [], "drive.list": [],
        "drive.statistics": [.drive],
        "drive.health": [
            .drive, .text("member", .member, "the one behind it to ask").optional,
            .flag("wake", "also those that sleep"),
            Argument("attributes", .bool, "with all figures; true for one drive, else false, without it").optional,
        ],
        "port.list": [
            .integer("port", 1...65535, "this one only").optional,
            .choice("transport", ["tcp", "udp"], "of this kind only").optional,
        ],
        "update.list": [], "reboot.status": [], "version.list": [],
        "journal.query": LogQuery.arguments + [
            .flag("kernel", "what the kernel said; excludes unit"),
            .integer("boot", -1000...0, "of which run of the machine, 0 is this one").optional,
        ],
        "log.query": [.choice("file", logFiles, "which file below /var/log").or("syslog")] + LogQuery.arguments,
    ]
}

extension Argument {
    static let drive = text("drive", .drive, "this one only").optional
}

extension TextForm {
    static let drive = TextForm("the name of a drive: sda", Drive.isName)
    static let member = TextForm("a drive's place behind a RAID controller: megaraid,4", RaidController.isMember)
    static let unit = TextForm("the name of a unit") { text in
        (1...256).contains(text.utf8.count) && text.utf8.first != 0x2D
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || ":-_.\\@/".utf8.contains(byte)
            }
    }
}

extension LogQuery {
    static let arguments: [Argument] = [
        .integer("since", times, "milliseconds since 1970").optional,
        .integer("until", times, "milliseconds since 1970; excludes follow").optional,
        .integer("tail", 0...100_000, "how many at most; 100 without since, else all").optional,
        .text("unit", .unit, "of this one only").optional,
        .choice("priority", Priority.words, "this grave or graver").optional,
        .flag("follow", "go on telling until the command is cancelled"),
    ]
}
