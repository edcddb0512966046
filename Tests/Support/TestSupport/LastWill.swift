import Glibc

/// Kills what this process has named, once this process has ended: a test run that crashes leaves no daemon behind.
package final class LastWill: Sendable {
    private let input: Int32
    private static let will = Result { try LastWill() }

    /// Adds a process that this one has started. One that has ended by then is left alone, as is another with its number.
    package static func includes(_ pid: Int32) throws {
        let line = Array("\(pid)\n".utf8)
        guard write(try will.get().input, line, line.count) == line.count else {
            throw SetupFailure("the guardian of the test's processes is gone")
        }
    }

    private init() throws {
        (_, input) = try BackgroundProgram.guardian(Self.script, [])
    }

    /// Field 22 of `stat` is the time of the start, which tells a process from a later one with its number.
    private static let script = #"""
        birth() {
            local stat
            read -r stat 2>/dev/null <"/proc/$1/stat" || return
            set -- ${stat##*) }
            echo "${20}"
        }
        declare -A born
        while read -r pid; do born[$pid]=$(birth "$pid"); done <&3
        for pid in "${!born[@]}"; do
            [ -n "${born[$pid]}" ] && [ "$(birth "$pid")" = "${born[$pid]}" ] && kill -KILL "$pid"
        done
        """#
}
