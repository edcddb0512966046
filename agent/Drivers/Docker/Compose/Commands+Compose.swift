import DriverKit
import Model
import WireProtocol

extension DockerDriver {
    static let composeActions: [Action<DockerDriver>] = [
        Action(
            ActionSpec(
                "compose.validate", .observe, defaultDeadline: .seconds(120),
                summary: "checks a compose file against the tool, the node's rules and what is in use")
        ) { (driver, call, _) throws(DriverError) in try await driver.validateCompose(call) },
        Action(ActionSpec("compose.scan", .observe, summary: "lists ports and networks in use")) {
            (driver, call, _) throws(DriverError) in
            var reader = ArgumentReader(call.arguments)
            let project = try reader.optionalString("project")
            try reader.finish()
            let scan = try await driver.scan(nil, project: project)
            return ActionOutcome(
                changed: false,
                observed: [
                    "ports": scan.takenObserved, "networks": .array(scan.networks.map { .object($0.observed) }),
                ])
        },
        Action(ActionSpec("compose.transform", .observe, summary: "fits a compose file to this node")) {
            (driver, call, _) throws(DriverError) in
            var reader = ArgumentReader(call.arguments)
            let order = try ComposeSpec(&reader, call)
            try reader.finish()
            let fitted = try await driver.fitted(order)
            return ActionOutcome(changed: false, observed: fitted.observed(withContent: true))
        },
        Action(
            ActionSpec(
                "compose.deploy", .mutate, defaultDeadline: .seconds(1800),
                summary: "puts a compose file in its place, fetches its images and brings it up")
        ) { (driver, call, context) throws(DriverError) in try await driver.deployCompose(call, context) },
        Action(
            ActionSpec(
                "compose.down", .mutate, defaultDeadline: .seconds(600), summary: "stops and removes a project")
        ) { (driver, call, context) throws(DriverError) in try await driver.takeDown(call, context) },
        Action(ActionSpec("compose.list", .observe, summary: "lists compose projects")) {
            (driver, call, _) throws(DriverError) in try await driver.listProjects(call)
        },
        Action(ActionSpec("compose.ps", .observe, summary: "shows a project's containers")) {
            (driver, call, _) throws(DriverError) in
            var reader = ArgumentReader(call.arguments)
            let project = try reader.string("project")
            try reader.finish()
            let members = try await driver.members(of: project)
            return ActionOutcome(
                changed: false, observed: ["project": .string(project), "services": .array(members.map(\.observed))])
        },
        Action(
            ActionSpec(
                "compose.logs", .observe, defaultDeadline: .seconds(3600),
                summary: "sends what a project's containers have written, each line with its container", lasting: true,
                givesBytes: true)
        ) { (driver, call, context) throws(DriverError) in try await driver.sendProjectLogs(call, context) },
    ]

    /// What stands in the way of a deployment, all of it at once.
    private func validateCompose(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let order = try ComposeSpec(&reader, call)
        try reader.finish()
        let fitted = try await fitted(order)
        try await check(fitted.file, order.project, isFilledIn: false)
        let place = ComposeFolder(root: compose.settings.root, project: ".check-\(Identifier.make("c"))")
        try place.prepare()
        defer { place.removeFiles() }
        try place.write(candidate: fitted.file.text)
        let run = try await run(order.project, file: place.candidate, order.variables, scratch: place)
        let (effective, warnings) = try await effective(run)
        try await check(effective, order.project, isFilledIn: true)
        var observed = try await scan(effective, project: order.project).observed
        observed["services"] = .array(effective.services.map { .string($0.name) })
        observed["warnings"] = .array(warnings.map { .string($0) })
        for member in fitted.observed(withContent: false).members { observed[member.key] = member.value }
        return ActionOutcome(changed: false, observed: observed)
    }

    // MARK: projects

    /// One container of a project.
    struct ProjectMember: Sendable, Hashable {
        let service: String
        let state: ContainerState
        let ports: [PublishedPort]

        var observed: JSONValue {
            var object = state.observed
            object["service_name"] = .string(service)
            object["ports"] = .array(ports.map { .object($0.observed) })
            return .object(object)
        }

        /// Runs and is healthy, or has done what it had to.
        var isSettled: Bool {
            if state.status == "exited" {
                return state.exitCode == 0 && ["no", "on-failure"].contains(state.restartKind)
            }
            return state.status == "running" && state.health.map { $0 == "healthy" || $0 == "none" } ?? true
        }

        /// Will not get better by waiting.
        var hasFailed: Bool {
            switch state.status {
            case "exited", "dead": !isSettled && !["always", "unless-stopped"].contains(state.restartKind)
            case "running": state.health == "unhealthy"
            default: false
            }
        }
    }

    /// In the order of services and numbers, without those of `run`.
    func members(of project: String) async throws(DriverError) -> [ProjectMember] {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true, label: "\(ComposeLabel.project)=\(project)")
        }
        var members: [ProjectMember] = []
        for entry in entries where entry.labels[ComposeLabel.oneOff]?.lowercased() != "true" {
            guard let state = try await look(entry.id) else { continue }
            members.append(
                ProjectMember(service: entry.labels[ComposeLabel.service] ?? "", state: state, ports: entry.ports))
        }
        return members.sorted { ($0.service, $0.state.name) < ($1.service, $1.state.name) }
    }

    private func listProjects(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true, label: ComposeLabel.project)
        }
        var projects: [String: [ContainerEntry]] = [:]
        for name in ComposeFolder.names(in: compose.settings.root) where ComposeFile.isProject(name) {
            projects[name] = []
        }
        for entry in entries { projects[entry.project ?? "", default: []].append(entry) }
        let list = projects.sorted { $0.key < $1.key }.map { name, entries -> JSONValue in
            [
                "project": .string(name), "containers": .integer(Int64(entries.count)),
                "running": .integer(Int64(entries.filter { $0.state == "running" }.count)),
                "managed": .bool(((try? folder(name).content()) ?? nil) != nil),
            ]
        }
        return ActionOutcome(changed: false, observed: ["projects": .array(list)])
    }
}

extension TransformedFile {
    func observed(withContent: Bool) -> JSONObject {
        var object: JSONObject = [
            "changes": .array(changes.map { .string($0) }), "not_done": .array(notDone.map { .string($0) }),
        ]
        object["proxy"] = proxy.map { .object($0) }
        if withContent { object["content"] = .string(file.text) }
        return object
    }
}

extension ContainerState {
    /// Without the count behind `on-failure`.
    var restartKind: String { String(restartPolicy.prefix { $0 != ":" }) }
}
