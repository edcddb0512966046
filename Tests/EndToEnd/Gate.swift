import Glibc
import TestSupport

/// Stops the agent's work on an engine at a chosen moment: just before the engine gets an order, or just after it has done
/// it and before the agent hears of it. What passes looks at files, so that a shell script can stand at the gate as well.
struct Gate: Sendable {
    enum Engine: String, Sendable { case zfs, docker }
    enum Moment: String, Sendable, CaseIterable { case before, after }

    /// `zfs destroy`, before it begins.
    struct Point: Sendable, CustomStringConvertible {
        var engine: Engine
        var action: String
        var moment: Moment
        var description: String { "\(moment) \(engine) \(action)" }
        fileprivate var file: String { "\(engine).\(action).\(moment)" }
    }

    let folder: ScratchFolder

    func close(_ point: Point) throws {
        unlink(folder.file("\(point.file).reached"))
        try folder.write([], to: point.file)
    }

    func open(_ point: Point) { unlink(folder.file(point.file)) }

    /// Waits until somebody stands there.
    func reached(_ point: Point) async throws {
        guard await eventually(within: .seconds(60), { access(folder.file("\(point.file).reached"), F_OK) == 0 }) else {
            throw SetupFailure("nobody came to the gate \(point)")
        }
    }

    /// Waits there while the point is closed.
    func pass(_ point: Point) throws {
        guard access(folder.file(point.file), F_OK) == 0 else { return }
        try folder.write([], to: "\(point.file).reached")
        while access(folder.file(point.file), F_OK) == 0 { usleep(5000) }
    }

    /// A `zfs` that passes the gate on its way to and from the real one.
    func script(real: String) -> String {
        """
        #!/bin/sh
        pass() {
            [ -e "$1" ] || return 0
            : >"$1.reached"
            while [ -e "$1" ]; do sleep 0.02; done
        }
        pass "\(folder.path)/zfs.$1.before"
        "\(real)" "$@"
        code=$?
        pass "\(folder.path)/zfs.$1.after"
        exit $code
        """
    }
}
