import DaemonKit
import Glibc
package import WireProtocol

/// What the agent says of the machine it runs on.
package struct Machine: Sendable, Hashable {
    package let hostname: String
    /// The kernel's boot id: another one means that the machine was restarted.
    package let boot: String
    package let system: OperatingSystem

    package init(hostname: String, boot: String, system: OperatingSystem) {
        self.hostname = hostname
        self.boot = boot
        self.system = system
    }

    /// - Parameter root: what stands in front of `/proc` and `/etc`; empty on a real machine.
    package static func current(root: String = "") -> Machine {
        var names = utsname()
        uname(&names)
        let release = osRelease("\(root)/etc/os-release")
        return Machine(
            hostname: printable(text(of: &names.nodename)) ?? "unknown",
            boot: line("\(root)/proc/sys/kernel/random/boot_id") ?? "unknown",
            system: OperatingSystem(
                name: release["ID"].flatMap(printable) ?? "linux", version: release["VERSION_ID"] ?? "",
                kernel: text(of: &names.release), arch: printable(text(of: &names.machine)) ?? "unknown"))
    }

    /// `KEY=value` lines, quotes taken off.
    static func osRelease(_ path: String) -> [String: String] {
        let text = (try? AtomicFile.read(path, limit: 64 << 10)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let value = line[line.index(after: equals)...].filter { $0 != "\"" && $0 != "'" }
            values[String(line[..<equals])] = String(value)
        }
        return values
    }

    private static func line(_ path: String) -> String? {
        (try? AtomicFile.read(path, limit: 4096)).flatMap {
            printable(String(String(decoding: $0, as: UTF8.self).prefix { $0 != "\n" }))
        }
    }

    private static func printable(_ text: String) -> String? {
        let kept = text.unicodeScalars.filter { $0.isASCII && $0.value > 0x20 && $0.value != 0x7F }
        return kept.isEmpty ? nil : String(String.UnicodeScalarView(kept))
    }

    private static func text<Field>(of field: inout Field) -> String {
        withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
