import AgentCore
import DaemonKit
import DockerDriver
import DriverKit
import HelmDriver
import Logging
import Model
import Recipes
import WireProtocol

/// What the configuration file says; every key may be absent.
struct AgentConfiguration {
    var settings = AgentSettings()
    var logLevel = Logger.Level.info
    /// Names of the drivers to look for; nil looks for all.
    var drivers: Set<String>?
    var dockerSocket: String?
    /// What of the node containers may have.
    var rights = NodeRights()
    /// Folders below which datasets may be seen; nil for the mount points of their pools.
    var zfsMountRoots: [String]?
    /// Where compose projects live, and what their files may ask for.
    var compose = ComposeSettings()
    /// Where recipes lie; the first folder that has one decides.
    var recipes = RecipeShelf()
    /// Name of the SWAG container; nil finds it by its image.
    var swagContainer: String?
    /// What stands in front of every path of the host and Proxmox drivers: files of the system, and Proxmox's tools.
    var hostRoot = ""
    /// What stands in front of every path of the panel and of the programs beside it.
    var cloudPanelRoot = ""
    /// What stands in front of the folders in which `helm`, `kubectl` and the usual kubeconfig are looked for.
    var helmRoot = ""
    /// The cluster's file, and one of the contexts in it; nil takes the usual file and its current context.
    var kubeconfig: String?
    var kubeContext: String?
    /// Folder of Helm's own files.
    var helmHome: String?
    /// Charts may only begin with one of these: a chart can ask for the whole node.
    var helmCharts: [String] = []
    var helmAllows: Set<ChartRisk> = []
    /// Whether Proxmox containers may have something of the node.
    var allowsPrivilegedGuests = false
    /// Whether users may be made who have the whole panel.
    var allowsPanelAdministrators = false
    /// What stands in front of the places of `virsh`, `journalctl` and libvirt's logs.
    var libvirtRoot = ""
    /// The configuration's own files.
    var files: [String] = []

    static let keys: Set<String> = [
        "drivers", "docker_socket", "docker_allow", "docker_mount_roots", "docker_image_roots", "zfs_mount_roots",
        "compose_root", "compose_allow", "swag_container",
        "host_root", "helm_root", "kubeconfig", "kube_context", "helm_home", "helm_charts", "helm_allow",
        "libvirt_root", "recipe_folders",
        "cloudpanel_root", "proxmox_allow", "cloudpanel_allow", "policy", "spool_bytes", "stop_grace_s",
        "receipts_kept", "receipt_days", "log_level",
    ]

    init() {}

    init(file: String) throws(ConfigurationError) {
        var policyFile: String?
        self = try ConfigurationFile.read(file, keys: Self.keys) { (fields) throws(FieldError) in
            policyFile = try fields.optionalString("policy")
            return try AgentConfiguration(reading: fields)
        }
        files = [file] + [policyFile].compactMap(\.self)
        if let policyFile {
            settings.policy = try ConfigurationFile.read(policyFile, keys: Policy.keys, Policy.init(reading:))
        }
    }

    init(reading fields: JSONObject) throws(FieldError) {
        dockerSocket = try fields.optionalString("docker_socket")
        rights.mountRoots = try Self.folders(fields, "docker_mount_roots") ?? []
        rights.imageRoots = try Self.folders(fields, "docker_image_roots") ?? rights.imageRoots
        rights.allows = try Self.risks(fields, "docker_allow")
        zfsMountRoots = try Self.folders(fields, "zfs_mount_roots")
        hostRoot = try fields.optionalString("host_root") ?? ""
        cloudPanelRoot = try fields.optionalString("cloudpanel_root") ?? ""
        helmRoot = try fields.optionalString("helm_root") ?? ""
        kubeconfig = try fields.optionalString("kubeconfig")
        kubeContext = try fields.optionalString("kube_context")
        helmHome = try fields.optionalString("helm_home")
        helmCharts = try fields.optionalStrings("helm_charts") ?? []
        helmAllows = try Self.risks(fields, "helm_allow")
        allowsPrivilegedGuests = try Self.word(fields, "proxmox_allow", "privileged")
        allowsPanelAdministrators = try Self.word(fields, "cloudpanel_allow", "administrators")
        libvirtRoot = try fields.optionalString("libvirt_root") ?? ""
        swagContainer = try fields.optionalString("swag_container")
        if let root = try fields.optionalString("compose_root") { compose.root = root }
        compose.allows = try Self.risks(fields, "compose_allow")
        if let folders = try Self.folders(fields, "recipe_folders") { recipes = RecipeShelf(folders: folders) }
        if let names = try fields.optionalStrings("drivers") {
            drivers = Set(names)
            for name in names where !NodeDrivers.names.contains(name) {
                throw FieldError(
                    path: "drivers", problem: .value(expected: "some of \(NodeDrivers.names.joined(separator: ", "))"))
            }
        }
        if let bytes = try fields.optionalInteger("spool_bytes", in: 1 << 20...1 << 40) {
            settings.spoolBytes = Int(bytes)
        }
        if let grace = try fields.optionalInteger("stop_grace_s", in: 0...3600) { settings.stopGrace = .seconds(grace) }
        if let kept = try fields.optionalInteger("receipts_kept", in: 0...10_000_000) {
            settings.receiptsKept = Int(kept)
        }
        if let days = try fields.optionalInteger("receipt_days", in: 1...3650) { settings.receiptDays = Int(days) }
        if let level = try fields.optionalString("log_level") {
            guard let known = Logger.Level(rawValue: level) else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw FieldError(path: "log_level", problem: .value(expected: "one of \(levels)"))
            }
            logLevel = known
        }
    }
}

extension AgentConfiguration {
    private static func risks<Risk: RawRepresentable<String> & CaseIterable & Hashable>(
        _ fields: JSONObject, _ key: String
    ) throws(FieldError) -> Set<Risk> {
        var found: Set<Risk> = []
        for name in try fields.optionalStrings(key) ?? [] {
            guard let risk = Risk(rawValue: name) else {
                let risks = Risk.allCases.map(\.rawValue).joined(separator: ", ")
                throw FieldError(path: key, problem: .value(expected: "some of \(risks)"))
            }
            found.insert(risk)
        }
        return found
    }

    /// Whether a list holds the one word that it may hold.
    private static func word(_ fields: JSONObject, _ key: String, _ word: String) throws(FieldError) -> Bool {
        let words = try fields.optionalStrings(key) ?? []
        guard words.allSatisfy({ $0 == word }) else {
            throw FieldError(path: key, problem: .value(expected: "a list with \(word), or an empty one"))
        }
        return !words.isEmpty
    }

    private static func folders(_ fields: JSONObject, _ key: String) throws(FieldError) -> [String]? {
        let paths = try fields.optionalStrings(key)
        for path in paths ?? [] where !Grammar.absolutePath.accepts(path) || path == "/" {
            throw FieldError(path: key, problem: .value(expected: "absolute paths of folders, and not / itself"))
        }
        return paths
    }

    /// What no container and no dataset of this node gets to see beside what is closed everywhere.
    /// - Parameter ours: data folder and configuration of this agent.
    func closed(_ ours: [String]) -> ClosedPlaces {
        let named = [dockerSocket, compose.root, kubeconfig, helmHome].compactMap(\.self)
        return ClosedPlaces(own: ours + files + named)
    }
}
