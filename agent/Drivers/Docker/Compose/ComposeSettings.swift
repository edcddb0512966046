/// What this node says of compose projects. The node's owner sets it; nobody else can.
package struct ComposeSettings: Sendable {
    /// Below it each project has its folder: the file, its backups, its variables, and `data` for relative paths.
    package var root: String
    /// What files may ask for although it can make them masters of the node.
    package var allows: Set<ComposeRisk>
    /// First words of the command line; looked for when nil.
    package var tool: [String]?
    /// In front of `/proc/net`.
    package var hostRoot: String

    package init(
        root: String = "/var/lib/innkeeper/compose", allows: Set<ComposeRisk> = [], tool: [String]? = nil,
        hostRoot: String = ""
    ) {
        self.root = root
        self.allows = allows
        self.tool = tool
        self.hostRoot = hostRoot
    }
}

/// Wishes of a compose file that reach beyond its containers.
package enum ComposeRisk: String, Sendable, Hashable, CaseIterable {
    case privileged
    /// The node's own network.
    case hostNetwork = "host_network"
    /// Other namespaces of the node or of other containers.
    case namespaces
    case capabilities
    case devices
    /// Folders of the node outside the project's own and the allowed roots.
    case binds
    /// Images built on the node.
    case build
    /// Files of the node that the tool itself reads or runs.
    case files
    /// Volumes of other projects.
    case volumes
    /// Keys that this driver does not know.
    case other
}
