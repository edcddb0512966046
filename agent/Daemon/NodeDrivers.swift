import AgentCore
import CloudPanelDriver
import DockerDriver
import DriverKit
import HelmDriver
import HostDriver
import LibvirtDriver
import ProxmoxDriver
import SwagDriver
import Synchronization
import ZFSDriver

/// The drivers of this build, found by looking at the machine.
enum NodeDrivers {
    static let names = [
        HostDriver.name, DockerDriver.name, SwagDriver.name, ProxmoxDriver.name, ZFSDriver.name,
        CloudPanelDriver.name, HelmDriver.name, LibvirtDriver.name,
    ]

    /// Those that the machine has now.
    static func detect(_ sources: [DriverSource]) async -> [any Driver] {
        var found: [any Driver] = []
        for source in sources {
            if let driver = await source.find(found) { found.append(driver) }
        }
        return found
    }

    /// How those that the configuration wants are looked for, in an order in which each finds what it builds on.
    /// - Parameter data: the agent's data folder.
    static func sources(_ configuration: AgentConfiguration, data: String) -> [DriverSource] {
        let root = configuration.hostRoot
        let leavesGuests = configuration.wants(ProxmoxDriver.name) && ProxmoxDriver.isInstalled(root: root)
        let (closed, pools) = (configuration.closed([data]), PoolsOfNode())
        let docker: @Sendable () async -> DockerDriver? = { await configuration.docker(closed, pools) }
        let finds: [(String, DriverSource.Find)] = [
            (HostDriver.name, { _ in HostDriver(root: root, counting: leavesGuests ? [.docker] : [.docker, .lxc]) }),
            (
                DockerDriver.name,
                { others in
                    guard let driver = await docker() else { return nil }
                    leave(.docker, others)
                    return driver
                }
            ),
            (SwagDriver.name, { others in await swag(configuration, others, docker) }),
            (ProxmoxDriver.name, { others in await proxmox(configuration, others) }),
            (
                ZFSDriver.name,
                { _ in
                    pools.take(
                        await ZFSDriver.detect(
                            mountRoots: configuration.zfsMountRoots, closed: closed, claims: pools.claims))
                }
            ),
            (
                CloudPanelDriver.name,
                { _ in
                    await CloudPanelDriver.detect(
                        root: configuration.cloudPanelRoot,
                        allowsAdministrators: configuration.allowsPanelAdministrators)
                }
            ),
            (HelmDriver.name, { _ in await HelmDriver.detect(configuration.helmTools) }),
            (
                LibvirtDriver.name,
                { _ in await LibvirtDriver.detect(LibvirtTools.installed(root: configuration.libvirtRoot)) }
            ),
        ]
        return finds.filter { configuration.wants($0.0) }.map { name, find in
            // SWAG is a container: what is to be seen of it is its engine.
            let sign = DriverSign.of(name == SwagDriver.name ? DockerDriver.name : name, configuration)
            return DriverSource(name, sign: { sign.isThere }, find: find)
        }
    }

    private static func swag(
        _ configuration: AgentConfiguration, _ others: [any Driver], _ engine: () async -> DockerDriver?
    ) async -> (any Driver)? {
        var docker = others.compactMap { $0 as? DockerDriver }.first
        if docker == nil { docker = await engine() }
        return await SwagDriver.detect(docker: docker, container: configuration.swagContainer)
    }

    /// What two drivers count would be seen, and stored, twice: these containers are another driver's from now on.
    private static func leave(_ containers: HostDriver.Containers, _ others: [any Driver]) {
        for case let host as HostDriver in others { host.leave(containers) }
    }

    private static func proxmox(_ configuration: AgentConfiguration, _ others: [any Driver]) async -> (any Driver)? {
        let driver = await ProxmoxDriver.detect(
            root: configuration.hostRoot, allowsPrivileged: configuration.allowsPrivilegedGuests,
            recipes: configuration.recipes)
        guard let driver else { return nil }
        leave(.lxc, others)
        return driver
    }
}

/// The node's ZFS once there is one, which may be after its engine: whose a dataset is decides what a container may mount.
private final class PoolsOfNode: Sendable {
    /// Of both, so that neither mounts where the other could be led.
    let claims = MountClaims()
    private let driver = Mutex<ZFSDriver?>(nil)

    func take(_ found: ZFSDriver?) -> ZFSDriver? {
        if let found { driver.withLock { $0 = found } }
        return found
    }

    func owner(of dataset: String) async throws(DriverError) -> String? {
        guard let zfs = driver.withLock({ $0 }) else { return nil }
        return try await zfs.owner(of: dataset)
    }

    /// - Parameter isAwaited: whether there may be a driver later.
    func reaches(_ dataset: String, isAwaited: Bool) async throws(DriverError) -> Bool {
        guard let zfs = driver.withLock({ $0 }) else { return isAwaited }
        return try await zfs.reaches(dataset)
    }
}

extension AgentConfiguration {
    fileprivate func wants(_ name: String) -> Bool { drivers?.contains(name) ?? true }

    fileprivate func docker(_ closed: ClosedPlaces, _ pools: PoolsOfNode) async -> DockerDriver? {
        var rights = rights
        rights.closed = closed
        let isAwaited = wants(ZFSDriver.name)
        rights.reaches = { (dataset) async throws(DriverError) in
            try await pools.reaches(dataset, isAwaited: isAwaited)
        }
        rights.owner = { (dataset) async throws(DriverError) in try await pools.owner(of: dataset) }
        return await DockerDriver.detect(
            socket: dockerSocket ?? DockerDriver.defaultSocket, rights: rights, compose: compose, recipes: recipes,
            claims: pools.claims)
    }

    /// The tools of a Kubernetes host as far as the machine has them.
    fileprivate var helmTools: HelmTools? {
        HelmTools.installed(
            root: helmRoot, kubeconfig: kubeconfig, context: kubeContext, home: helmHome, chartSources: helmCharts,
            allows: helmAllows)
    }
}
