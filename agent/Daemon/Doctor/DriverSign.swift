import DockerDriver
import Glibc

/// By what a driver's technology is recognised on a machine, to say why a driver was not found.
enum DriverSign {
    /// Any one of these files.
    case files([String])
    /// A program of one of these names in one of the usual folders, below a root that is empty on a node.
    case programs([String], root: String = "")
    /// A container of the Docker engine.
    case container(String)
    case unknown

    private static let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"]

    static func of(_ driver: String, _ configuration: AgentConfiguration) -> DriverSign {
        switch driver {
        case DockerDriver.name: .files([configuration.dockerSocket ?? DockerDriver.defaultSocket])
        case "swag": .container(configuration.swagContainer ?? "of SWAG")
        case "proxmox": .programs(["pct"], root: configuration.hostRoot)
        case "zfs": .programs(["zpool"])
        case "cloudpanel": .files(["\(configuration.cloudPanelRoot)/usr/bin/clpctl"])
        case "helm": .programs(["helm"], root: configuration.helmRoot)
        case "libvirt": .programs(["virsh"], root: configuration.libvirtRoot)
        default: .unknown
        }
    }

    /// Why the driver was not found, as a clause.
    var reason: String {
        switch self {
        case .files(let paths):
            if let path = paths.first(where: { access($0, F_OK) == 0 }) {
                "\(path) is there, but what it belongs to is incomplete or does not answer"
            } else {
                "there is no \(paths.joined(separator: " or "))"
            }
        case .container(let name): "Docker has no container \(name)"
        case .programs(let names, let root):
            if let path = Self.installed(names, below: root) {
                "\(path) is there, but what it belongs to is incomplete or does not answer"
            } else {
                "there is no \(names.joined(separator: " or ")) in \(Self.folders.joined(separator: ", "))"
            }
        case .unknown: "nothing on this machine asks for it"
        }
    }

    private static func installed(_ names: [String], below root: String) -> String? {
        names.lazy.flatMap { name in folders.map { "\(root)\($0)/\(name)" } }.first { access($0, X_OK) == 0 }
    }
}
