import Glibc
package import TestSupport

/// Stops the agent's work on an engine at a chosen moment: just before the engine gets an order, or just after it has done
/// it and before the agent hears of it. What passes looks at files, so that a shell script can stand at the gate as well.
package struct Gate: Sendable {
    package enum Engine: String, Sendable { case zfs, docker }
    package enum Moment: String, Sendable, CaseIterable { case before, after }

    /// `zfs destroy`, before it begins.
    package struct Point: Sendable, CustomStringConvertible {
        package var engine: Engine
        package var action: String
        package var moment: Moment

        package init(engine: Engine, action: String, moment: Moment) {
            (self.engine, self.action, self.moment) = (engine, action, moment)
        }

        package var description: String { "\(moment) \(engine) \(action)" }
        fileprivate var file: String { "\(engine).\(action).\(moment)" }
    }

    package let folder: ScratchFolder

    package init(folder: ScratchFolder) throws {
        self.folder = folder
        try folder.write([], to: "effects")
    }

    package func close(_ point: Point) throws {
        unlink(folder.file("\(point.file).reached"))
        try folder.write([], to: point.file)
    }

    package func open(_ point: Point) { unlink(folder.file(point.file)) }

    /// Waits until somebody stands there.
    package func reached(_ point: Point) async throws {
        guard await eventually(within: .seconds(60), { access(folder.file("\(point.file).reached"), F_OK) == 0 }) else {
            throw SetupFailure("nobody came to the gate \(point)")
        }
    }

    /// Waits there while the point is closed.
    package func pass(_ point: Point) throws {
        guard access(folder.file(point.file), F_OK) == 0 else { return }
        try folder.write([], to: "\(point.file).reached")
        while access(folder.file(point.file), F_OK) == 0 { usleep(5000) }
    }

    /// What engines have been made to change, one line each in the order in which they had done it: `docker create 201`,
    /// `zfs destroy 0`, with the status or the exit code.
    package var effects: [String] {
        get throws {
            String(decoding: try folder.read("effects"), as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    /// Writes down what an engine has answered.
    func note(_ engine: Engine, _ action: String, _ code: String) {
        let line = Array("\(engine) \(action) \(code)\n".utf8)
        let file = Glibc.open(folder.file("effects"), O_WRONLY | O_APPEND | O_CLOEXEC)
        _ = Glibc.write(file, line, line.count)
        Glibc.close(file)
    }

    /// A `zfs` that passes the gate on its way to and from the real one.
    package func script(real: String) -> String {
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
        case $1 in list|get) ;; *) echo "zfs $1 $code" >>"\(folder.path)/effects" ;; esac
        pass "\(folder.path)/zfs.$1.after"
        exit $code
        """
    }
}
