package import DriverKit

/// What a tool does instead of answering, and what a driver calls that.
package struct HostileDeed: Sendable, CustomStringConvertible {
    /// The body of a shell script that stands for the tool.
    package let script: String
    package let code: DriverErrorCode
    /// Words of the error's message or cause.
    package let words: String

    package init(_ script: String, _ code: DriverErrorCode, _ words: String) {
        (self.script, self.code, self.words) = (script, code, words)
    }

    package var description: String { script }

    /// Whether the error is named for the deed.
    package func isNamed(by error: DriverError?) -> Bool {
        error?.code == code && "\(error?.message ?? "") \(error?.cause ?? "")".contains(words)
    }

    /// What every tool may do: hang, ignore TERM, stand still, leave a grandchild, print what is no text, close its output.
    package static let common = [
        HostileDeed("echo hm >&2; exec sleep 600", .timedOut, "hm"),
        HostileDeed("trap '' TERM; while :; do sleep 0.05; done", .timedOut, "did not answer in time"),
        HostileDeed("kill -STOP $$", .timedOut, "did not answer in time"),
        HostileDeed("setsid -f sleep 600; sleep 600", .timedOut, "did not answer in time"),
        HostileDeed(#"printf 'bad \377\376\n' >&2; exit 2"#, .failed, "bad \u{FFFD}\u{FFFD}"),
        HostileDeed("exec >&- 2>&-; sleep 0.2; exit 9", .failed, "code(9)"),
    ]
}
