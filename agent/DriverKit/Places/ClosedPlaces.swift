import Glibc

/// What no container, dataset or image of the node gets to see, whatever its owner allows: whoever reads it is the node's
/// master, or somebody else's.
///
/// That is what agent and controller keep, with all keys that they hold; the engines' own folders and sockets; and what
/// lets everything else be read. A folder above one of these is closed as well, and so is a second mount of it.
package struct ClosedPlaces: Sendable, Hashable {
    /// Closed on every node.
    static let usual = [
        "/etc/innkeeper", "/var/lib/innkeeper", "/var/cache/innkeeper-agent", "/etc/shadow", "/etc/gshadow", "/etc/ssh",
        "/root/.ssh", "/root/.kube", "/root/.docker", "/root/.config", "/proc", "/dev", "/var/run/docker.sock",
        "/run/docker.sock", "/run/docker", "/run/containerd",
        "/run/podman", "/run/libvirt", "/run/pve", "/var/lib/docker", "/var/lib/containerd", "/var/lib/containers",
        "/etc/pve", "/var/lib/pve-cluster", "/etc/kubernetes", "/etc/rancher", "/var/lib/rancher", "/var/lib/kubelet",
        "/home/clp",
    ]
    /// Closed unless the owner of the node says a word of his own for it: whoever writes there owns the node.
    private static let system = [
        "/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/run", "/sbin", "/sys", "/usr", "/var/cache",
        "/var/lib/dpkg", "/var/lib/systemd", "/var/log", "/var/run", "/var/spool",
    ]
    private static let daemons: Set<String> = ["innkeeper-agent", "innkeeper-controller"]
    /// A folder with all of one of these is a daemon's data folder, also while no daemon runs on it.
    private static let signs = [["controller.sqlite", "ca.pem"], ["identity.json", "journal.sqlite", "spool.sqlite"]]

    /// Further ones of this node, by its configuration: data folders, keys, sockets.
    package let own: [String]

    package init(own: [String] = []) { self.own = own }

    /// The same with more of the node's own.
    package func adding(_ paths: [String]) -> ClosedPlaces { ClosedPlaces(own: own + paths) }

    /// What stands in the way of showing a path; nil when nothing does.
    /// - Parameter path: a real path, without links.
    package func trespass(of path: String, _ table: MountTable = .now()) -> String? {
        // What is mounted below a folder is seen through it.
        let spots = [table.spot(of: path)].compactMap(\.self) + table.mounts(below: path).map { ($0.device, $0.origin) }
        for place in Self.usual + own + Self.runningDaemons() {
            for closed in Set([place, NodePath.real(place) ?? place]) {
                if path.lies(in: closed) || closed.lies(in: path) { return place }
                guard let other = table.spot(of: closed) else { continue }
                let isSeen = spots.contains { device, inner in
                    device == other.device && (inner.lies(in: other.path) || other.path.lies(in: inner))
                }
                if isSeen { return place }
            }
        }
        return Self.dataFolder(around: path)
    }

    /// Whether a path is the system's: only a word of the node's owner opens it, never a root that lies above it.
    package static func isSystem(_ path: String) -> Bool {
        path == "/" || system.contains { path.lies(in: $0) || $0.lies(in: path) }
    }

    /// Folders and files that the daemons of this machine were started with, wherever they lie.
    private static func runningDaemons() -> [String] {
        (NodeFolder.names(in: "/proc", atMost: 100_000) ?? []).filter { $0.allSatisfy(\.isNumber) }.flatMap {
            pid -> [String] in
            guard let line = SmallFile.bytes("/proc/\(pid)/cmdline", atMost: 16 << 10) else { return [] }
            let words = line.split(separator: 0, omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
            guard let name = words.first?.split(separator: "/").last, daemons.contains(String(name)) else { return [] }
            return values(words.dropFirst()).compactMap { value in
                value.hasPrefix("/") ? value : NodePath.real("/proc/\(pid)/cwd").map { "\($0)/\(value)" }
            }
        }
    }

    /// Of `--data DIR`, `--config=FILE` and the like.
    private static func values(_ words: ArraySlice<String>) -> [String] {
        let options = ["--data", "--config", "--key-file"]
        return zip(words, words.dropFirst() + [""]).flatMap { word, next -> [String] in
            if options.contains(word) { return next.isEmpty ? [] : [next] }
            return options.filter { word.hasPrefix("\($0)=") }.map { String(word.dropFirst($0.count + 1)) }
        }
    }

    /// The data folder of a daemon that the path is, lies in, or has just below it.
    private static func dataFolder(around path: String) -> String? {
        func isOne(_ folder: String) -> Bool {
            signs.contains { $0.allSatisfy { access("\(folder)/\($0)", F_OK) == 0 } }
        }
        var above = path
        while above.utf8.count > 1 {
            if isOne(above) { return above }
            above = String(above[..<(above.lastIndex(of: "/") ?? above.startIndex)])
        }
        return NodeFolder.names(in: path, atMost: 4096)?.map { "\(path)/\($0)" }.first(where: isOne)
    }
}
