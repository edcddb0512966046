import CloudPanelDriver
import DockerDriver
import DriverKit
import HelmDriver
import HostDriver
import LibvirtDriver
import ProxmoxDriver
import SwagDriver
import ZFSDriver

/// The drivers of this build, found by looking at the machine.
enum NodeDrivers {
    static let names = [
        HostDriver.name, DockerDriver.name, SwagDriver.name, ProxmoxDriver.name, ZFSDriver.name,
        CloudPanelDriver.name, HelmDriver.name, LibvirtDriver.name,
    ]

    /// - Parameter data: the agent's data folder.
    static func detect(_ configuration: AgentConfiguration, data: String) async -> [any Driver] {
        func wants(_ name: String) -> Bool { configuration.drivers?.contains(name) ?? true }
        var found: [any Driver] = []
        let proxmox =
            wants(ProxmoxDriver.name)
            ? await ProxmoxDriver.detect(
                root: configuration.hostRoot, allowsPrivileged: configuration.allowsPrivilegedGuests) : nil
        if wants(HostDriver.name) {
            // A container that two drivers count would be seen, and stored, twice.
            let counting: Set<HostDriver.Containers> = proxmox == nil ? [.docker, .lxc] : [.docker]
            found.append(HostDriver(root: configuration.hostRoot, counting: counting))
        }
        let closed = configuration.closed([data])
        let zfs =
            wants(ZFSDriver.name)
            ? await ZFSDriver.detect(mountRoots: configuration.zfsMountRoots, closed: closed) : nil
        var rights = configuration.rights
        rights.closed = closed
        if let zfs {
            rights.owner = { (dataset) async throws(DriverError) in try await zfs.owner(of: dataset) }
        }
        let docker =
            wants(DockerDriver.name) || wants(SwagDriver.name)
            ? await DockerDriver.detect(
                socket: configuration.dockerSocket ?? DockerDriver.defaultSocket,
                rights: rights, compose: configuration.compose) : nil
        if wants(DockerDriver.name), let docker { found.append(docker) }
        if wants(SwagDriver.name),
            let driver = await SwagDriver.detect(docker: docker, container: configuration.swagContainer)
        {
            found.append(driver)
        }
        if let proxmox { found.append(proxmox) }
        if let zfs { found.append(zfs) }
        if wants(CloudPanelDriver.name),
            let driver = await CloudPanelDriver.detect(
                root: configuration.cloudPanelRoot, allowsAdministrators: configuration.allowsPanelAdministrators)
        {
            found.append(driver)
        }
        if wants(HelmDriver.name), let driver = await HelmDriver.detect(configuration.helmTools) {
            found.append(driver)
        }
        if wants(LibvirtDriver.name),
            let driver = await LibvirtDriver.detect(LibvirtTools.installed(root: configuration.libvirtRoot))
        {
            found.append(driver)
        }
        return found
    }
}

extension AgentConfiguration {
    /// The tools of a Kubernetes host as far as the machine has them.
    fileprivate var helmTools: HelmTools? {
        HelmTools.installed(
            root: helmRoot, kubeconfig: kubeconfig, context: kubeContext, home: helmHome, chartSources: helmCharts)
    }
}
