package import DriverKit
import Model
import Synchronization
import WireProtocol

/// Creations that were given up before the engine answered. An engine that hangs may carry them out later; the containers
/// bear the command's id as a label, and one that nobody has taken over by then is removed.
final class AbandonedCreations: Sendable {
    private static let limit = 1024
    private let state = Mutex(State())

    private struct State {
        /// Ids of commands, the oldest first.
        var commands: [String] = []
        /// Names that a command works on, and names whose container is being removed: never both.
        var working: [String: Int] = [:]
        var removing: Set<String> = []
        var emit: (@Sendable (DriverEvent) -> Void)?
    }

    var isEmpty: Bool { state.withLock { $0.commands.isEmpty } }

    func add(_ commands: [String]) {
        state.withLock { state in
            state.commands = (state.commands.filter { !commands.contains($0) } + commands).suffix(Self.limit)
        }
    }

    func contains(_ command: String?) -> Bool {
        guard let command else { return false }
        return state.withLock { $0.commands.contains(command) }
    }

    /// Whether nobody has ever wanted the container that is there, so that it will be removed.
    func isLate(_ entry: ContainerEntry) -> Bool {
        entry.state == "created"
            && state.withLock { state in
                state.working[entry.name] == nil && entry.command.map(state.commands.contains) ?? false
            }
    }

    /// The container of that command belongs to somebody again.
    func forget(_ command: String?) {
        state.withLock { $0.commands.removeAll { $0 == command } }
    }

    /// A command is about to work on a name: false while a container of that name is being removed.
    func begin(_ name: String) -> Bool {
        state.withLock { state in
            guard !state.removing.contains(name) else { return false }
            state.working[name, default: 0] += 1
            return true
        }
    }

    func end(_ name: String) {
        state.withLock { $0.working[name] = $0.working[name].flatMap { $0 > 1 ? $0 - 1 : nil } }
    }

    /// Whether this very container may be removed now. Who is told so calls `removed` afterwards.
    func claim(_ entry: ContainerEntry) -> Bool {
        state.withLock { state in
            guard let command = entry.command, state.commands.contains(command), state.working[entry.name] == nil
            else { return false }
            return state.removing.insert(entry.name).inserted
        }
    }

    func removed(_ entry: ContainerEntry, _ isGone: Bool) {
        let emit = state.withLock { state in
            state.removing.remove(entry.name)
            if isGone { state.commands.removeAll { $0 == entry.command } }
            return state.emit
        }
        guard isGone else { return }
        emit?(
            DriverEvent(
                time: .now(), resource: "docker/\(entry.name)", kind: "container.late_removed",
                data: [
                    "id": .string(entry.id), "command": .string(entry.command ?? ""),
                    "service": .string(entry.labels[ContainerState.ownerLabel] ?? ""),
                ]))
    }

    /// Where removals are told.
    func report(to emit: @escaping @Sendable (DriverEvent) -> Void) { state.withLock { $0.emit = emit } }
}

extension DockerDriver {
    /// Commands of earlier lives: what became of their creations nobody knows.
    package func recover(_ abandoned: [AbandonedCommand]) async {
        creations.add(abandoned.filter { $0.action == "container.ensure" }.map(\.id))
    }

    /// Removes what the engine has made for commands that were given up; an engine that does not answer is looked at again
    /// when it does.
    func removeLate() async {
        guard !creations.isEmpty,
            let entries = try? await engine.containers(all: true, label: ContainerState.commandLabel)
        else { return }
        for entry in entries { await removeLate(entry) }
    }

    /// Only one that was never started: without force the engine itself refuses to remove one that runs by now.
    private func removeLate(_ entry: ContainerEntry) async {
        guard entry.state == "created", creations.claim(entry) else { return }
        var isGone = true
        do {
            _ = try await engine.call("DELETE", "/containers/\(entry.id)", query: [("v", "1")], timeout: .seconds(60))
        } catch { isGone = error.isMissing }
        creations.removed(entry, isGone)
    }
}
