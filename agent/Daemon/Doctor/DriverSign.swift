import DockerDriver
import Glibc

/// By what a driver's technology is recognised on a machine, to say why a driver was not found.
enum DriverSign: Sendable {
    /// A file of this path.
    case file(String)
    /// A program of this name in one of the usual folders, below a root that is empty on a node.
    case program(String, root: String = "")
    /// A container of the Docker engine.
    case container(String)
    case unknown

    private static let folders = [
        "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin", "/snap/bin",
    ]

    /// What to do where the sign is there and the driver is not.
    static let remedies = [
        "docker":
            "systemctl status docker: the socket must be one that the engine listens on; Podman's is not supported",
        "proxmox": "systemctl status pve-cluster: /etc/pve must be mounted; pct and pvesm must be in /usr/sbin",
        "zfs": "zpool list, as root, says what is wrong",
        "cloudpanel": "see whether the panel works: its database /home/clp/htdocs/app/data/db.sq3 is missing",
        "helm": "helm version: it must be 3 or 4, with kubectl beside it in /usr/local/bin, /usr/bin or /snap/bin",
        "libvirt": "virsh --version says what is wrong",
    ]

    static func of(_ driver: String, _ configuration: AgentConfiguration) -> DriverSign {
        switch driver {
        case DockerDriver.name: .file(configuration.dockerSocket ?? DockerDriver.defaultSocket)
        case "swag": .container(configuration.swagContainer ?? "of SWAG")
        case "proxmox": .program("pct", root: configuration.hostRoot)
        case "zfs": .program("zpool")
        case "cloudpanel": .file("\(configuration.cloudPanelRoot)/usr/bin/clpctl")
        case "helm": .program("helm", root: configuration.helmRoot)
        case "libvirt": .program("virsh", root: configuration.libvirtRoot)
        default: .unknown
        }
    }

    /// The path of what is there of it.
    private var place: String? {
        switch self {
        case .file(let path): access(path, F_OK) == 0 ? path : nil
        case .program(let name, let root):
            Self.folders.map { "\(root)\($0)/\(name)" }.first { access($0, X_OK) == 0 }
        case .container, .unknown: nil
        }
    }

    var isThere: Bool { place != nil }

    /// Why the driver was not found, as a clause.
    var reason: String {
        if let place { return "\(place) is there, but what it belongs to is incomplete or does not answer" }
        return switch self {
        case .file(let path): "there is no \(path)"
        case .container(let name): "Docker has no container \(name)"
        case .program(let name, _): "there is no \(name)"
        case .unknown: "nothing on this machine asks for it"
        }
    }
}
