package import DriverKit
import Glibc
import HTTPFetch
package import Recipes
import WireProtocol

/// Docker, through the Engine API on the engine's socket.
package struct DockerDriver: Driver {
    package static let name = "docker"
    package static let defaultSocket = "/var/run/docker.sock"

    package let concurrency = 8
    package var actions: [ActionSpec] { Self.table.map { $0.spec.named(by: Self.forms) } }
    package var version: String { engine.version }

    let engine: Engine
    let roster: ContainerRoster
    let creations = AbandonedCreations()
    let gate = NameGate()
    let claims: MountClaims
    let rights: NodeRights
    let compose: ComposeOffice
    package let recipes: RecipeShelf

    /// - Parameters:
    ///   - rights: what of the node containers may have; as it comes, nothing but their own data.
    ///   - claims: what is being mounted on the node, by whichever driver.
    package init(
        socket: String = Self.defaultSocket, rights: NodeRights = NodeRights(),
        compose: ComposeSettings = ComposeSettings(), recipes: RecipeShelf = RecipeShelf(),
        claims: MountClaims = MountClaims()
    ) {
        self.claims = claims
        self.recipes = recipes
        self.compose = ComposeOffice(compose)
        engine = Engine(socket: socket)
        roster = ContainerRoster(engine)
        self.rights = rights.closing([socket, compose.root])
        // Who lets containers have anything of the node has taken care of it himself.
        guard !rights.allows.contains(.binds) else { return }
        let driver = self
        claims.listen(to: Self.name) { () async throws(DriverError) in try await driver.boundPlaces() }
    }

    /// The driver when there is a socket, also while no engine answers behind it: one that is still starting answers later.
    /// Nil for Podman's.
    package static func detect(
        socket: String = Self.defaultSocket, rights: NodeRights = NodeRights(),
        compose: ComposeSettings = ComposeSettings(), recipes: RecipeShelf = RecipeShelf(),
        claims: MountClaims = MountClaims()
    ) async -> DockerDriver? {
        var status = stat()
        guard stat(socket, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        let driver = DockerDriver(
            socket: socket, rights: rights, compose: compose, recipes: recipes, claims: claims)
        do throws(EngineError) { try await driver.engine.negotiate() } catch {
            if error == Engine.isPodman { return nil }
        }
        return driver
    }

    package func absence() async -> String? {
        do throws(EngineError) {
            try await engine.negotiate()
            return nil
        } catch { return "the engine does not answer: \(error)" }
    }

    package func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        try await Self.table.perform(call, on: self, context)
    }

    /// What a call works on, by what its arguments say.
    private static let forms: [String: String] = [
        "container": "docker/{name}",
        "recipe": "docker/{name}",
        "image": "docker/image/{reference}",
        "volume": "docker/volume/{name}",
        "network": "docker/network/{name}",
        "network.connect": "docker/network/{network}",
        "network.disconnect": "docker/network/{network}",
        "compose": "docker/compose/{project}",
    ]

    private static let table: [Action<DockerDriver>] =
        (imageActions + containerActions + networkActions + volumeActions + pruneActions
        + composeActions + [execAction, eventAction] + recipeActions).taking(
            arguments.merging(recipeArguments(.container)) { $1 }, secrets: secrets.merging(recipeSecrets) { $1 },
            marked: ["container", "network", "volume", "recipe"])
}
