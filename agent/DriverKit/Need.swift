import Glibc

/// Something that a driver needs on its node beside what it was found by, and whether it is there.
///
/// It is found by looking; nothing is made or changed.
package struct Need: Sendable, Hashable {
    /// As the driver's page names it: the path of a file or folder, the name of a program.
    package let what: String
    /// What is not done without it: `suspending a site`.
    package let purpose: String
    /// Whether the driver is of no use without it. Without another one, some actions are unavailable.
    package let isVital: Bool
    /// Why it cannot be used, as a clause; nil when it can.
    package let problem: String?
    /// What to do about that.
    package let advice: String

    package init(
        _ what: String, for purpose: String, vital: Bool = false, problem: String?, advice: String
    ) {
        (self.what, self.purpose, self.isVital) = (what, purpose, vital)
        (self.problem, self.advice) = (problem, advice)
    }

    /// The folders in which a child's program is looked for when it is called by its name.
    package static let programFolders = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
    ]

    /// A program, by its path or by its name.
    /// - Parameter package: the Debian package that has it, where it is not called as the program is.
    package static func program(
        _ program: String, for purpose: String, vital: Bool = false, package: String? = nil
    ) -> Need {
        let places = program.hasPrefix("/") ? [program] : programFolders.map { "\($0)/\(program)" }
        let isThere = places.contains { access($0, X_OK) == 0 }
        let name = program.split(separator: "/").last.map(String.init) ?? program
        return Need(
            program, for: purpose, vital: vital, problem: isThere ? nil : "there is no \(program)",
            advice: "apt install \(package ?? name)")
    }

    /// A file or folder to read.
    package static func readable(
        _ path: String, for purpose: String, vital: Bool = false, advice: String
    ) -> Need {
        let problem = access(path, R_OK) == 0 ? nil : "\(path) cannot be read: \(reason(errno))"
        return Need(path, for: purpose, vital: vital, problem: problem, advice: advice)
    }

    /// A folder to write to, which is made when it is needed first.
    package static func folder(_ path: String, for purpose: String, vital: Bool = true) -> Need {
        Need(
            path, for: purpose, vital: vital, problem: hindrance(path),
            advice: "see that it is a folder, that the agent may write to it and that its file system is writable")
    }

    private static func hindrance(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            // Nothing is there: what is above it must let it be made.
            guard code == ENOENT, let slash = path.lastIndex(of: "/"), path != "/" else {
                return "\(path) cannot be looked at: \(reason(code))"
            }
            return hindrance(slash == path.startIndex ? "/" : String(path[..<slash]))
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "\(path) is no folder" }
        return access(path, W_OK | X_OK) == 0 ? nil : "\(path) cannot be written to: \(reason(errno))"
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
