package import DriverKit
import Glibc
import Model
import Synchronization
import WireProtocol

/// Releases of charts in the node's Kubernetes cluster, through `helm` (3 and 4) and `kubectl`.
///
/// Values reach Helm by its standard input; what it says is judged by what the history of the release says afterwards. A
/// call changes the release of its own resource (`helm/<namespace>/<release>`) only.
package final class HelmDriver: Driver {
    package static let name = "helm"

    package let version: String
    package let concurrency = 4
    package let tools: HelmTools
    /// Helm 4 calls some options by other names.
    let dialect: HelmDialect
    let observed = Mutex(HelmObservation())
    let orphaned = OrphanedReleases()
    /// Between two looks at what is not ready yet.
    let pause: Duration
    /// How long a release may be pending without a Helm on this node before it counts as given up.
    static let pendingPatience = Duration.seconds(900)

    package init(tools: HelmTools, version: String, pause: Duration = .seconds(3)) {
        self.tools = tools
        self.version = version
        self.pause = pause
        dialect = HelmDialect(version: version) ?? .three
    }

    /// The driver, where the node has both tools and Helm is of a version whose ways are known.
    package static func detect(_ tools: HelmTools? = .installed()) async -> HelmDriver? {
        guard let tools,
            let output = try? await tools.look(
                .helm, ["version", "--template", "{{.Version}}"], within: .seconds(10))
        else { return nil }
        let version = String(decoding: output, as: UTF8.self).trimmed(of: " \n")
        guard HelmDialect(version: version) != nil else { return nil }
        return HelmDriver(tools: tools, version: version.hasPrefix("v") ? String(version.dropFirst()) : version)
    }

    package func absence() async -> String? {
        [tools.helm, tools.kubectl].compactMap(\.first).first { access($0, X_OK) != 0 }.map { "\($0) is gone" }
    }

    package func recover(_ abandoned: [AbandonedCommand]) async {
        for command in abandoned where action(command.action)?.kind == .mutate { orphaned.add(command.resource) }
    }

    package var actions: [ActionSpec] { Self.table.map { $0.spec.named(by: Self.forms) } }

    package func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        let secrets = SecretWords(call.secrets)
        do {
            return try await Self.table.perform(call, on: self, context)
        } catch { throw secrets.hidden(in: error) }
    }

    /// What a call works on, by what its arguments say.
    private static let forms: [String: String] = [
        "release": "helm/{namespace}/{release}", "namespace": "helm/{namespace}", "secret": "helm/{namespace}",
    ]

    private static let table = rows.taking(arguments, secrets: secrets, marked: ["release"])

    private static let rows: [Action<HelmDriver>] = [
        Action(ActionSpec("release.list", .observe, summary: "lists releases, all or of one namespace")) {
            driver, call, _ throws(DriverError) in try await driver.listReleases(call)
        },
        Action(ActionSpec("release.status", .observe, summary: "tells a release's revision, state and hooks")) {
            driver, call, _ throws(DriverError) in try await driver.tellStatus(call)
        },
        Action(ActionSpec("release.history", .observe, summary: "lists the revisions of a release")) {
            driver, call, _ throws(DriverError) in try await driver.tellHistory(call)
        },
        Action(
            ActionSpec(
                "release.ready", .observe, defaultDeadline: .seconds(1200),
                summary: "tells whether pods, jobs and ingresses of a release are ready, or waits for it", lasting: true
            )
        ) { driver, call, context throws(DriverError) in try await driver.tellReadiness(call, context) },
        Action(ActionSpec("release.events", .observe, summary: "lists what the cluster says about a release")) {
            driver, call, _ throws(DriverError) in try await driver.listEvents(call)
        },
        Action(
            ActionSpec(
                "release.logs", .observe, defaultDeadline: .seconds(300), summary: "sends the logs of a release's pods",
                givesBytes: true)
        ) { driver, call, context throws(DriverError) in try await driver.sendLogs(call, context) },
        Action(
            ActionSpec(
                "release.install", .mutate, defaultDeadline: .seconds(2700),
                summary: "makes a release be there as asked")
        ) { driver, call, context throws(DriverError) in try await driver.install(call, context) },
        Action(
            ActionSpec(
                "release.upgrade", .mutate, defaultDeadline: .seconds(2700),
                summary: "gives a release another chart or other values")
        ) { driver, call, context throws(DriverError) in try await driver.upgrade(call, context) },
        Action(
            ActionSpec(
                "release.rollback", .mutate, defaultDeadline: .seconds(2700),
                summary: "takes a release back to an earlier revision")
        ) { driver, call, context throws(DriverError) in try await driver.rollBack(call, context) },
        Action(
            ActionSpec(
                "release.uninstall", .mutate, defaultDeadline: .seconds(1800), summary: "removes a release")
        ) { driver, call, context throws(DriverError) in try await driver.uninstall(call, context) },
        Action(
            ActionSpec(
                "release.heal", .mutate, defaultDeadline: .seconds(1800),
                summary: "frees a release that a dead Helm has left pending")
        ) { driver, call, context throws(DriverError) in try await driver.heal(call, context) },
        Action(ActionSpec("namespace.inspect", .observe, summary: "tells whose a namespace is and what is left in it"))
        { driver, call, _ throws(DriverError) in try await driver.tellNamespace(call) },
        Action(ActionSpec("namespace.ensure", .mutate, summary: "makes a namespace that is one service's own")) {
            driver, call, context throws(DriverError) in try await driver.ensureNamespace(call, context)
        },
        Action(
            ActionSpec(
                "namespace.remove", .mutate, defaultDeadline: .seconds(900),
                summary: "removes a service's namespace with all that is in it")
        ) { driver, call, context throws(DriverError) in try await driver.removeNamespace(call, context) },
        Action(ActionSpec("secret.ensure", .mutate, summary: "makes a secret of random words once")) {
            driver, call, context throws(DriverError) in try await driver.ensureSecret(call, context)
        },
    ]
}

/// How a major version of Helm wants to be spoken to.
enum HelmDialect: Sendable {
    case three, four

    /// Nil for a version that nobody has looked at.
    init?(version: String) {
        let number = version.drop { $0 == "v" }.prefix { $0 != "." }
        switch number {
        case "3": self = .three
        case "4": self = .four
        default: return nil
        }
    }

    var atomic: String { self == .three ? "--atomic" : "--rollback-on-failure" }
}
