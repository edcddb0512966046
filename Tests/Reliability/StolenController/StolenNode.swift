import AgentCore
import CloudPanelDriver
import DockerDriver
import DriverKit
import Glibc
import HelmDriver
import HostDriver
import LibvirtDriver
import Logging
import Processes
import ProxmoxDriver
import Recipes
import SwagDriver
import Synchronization
import TestSupport
import WireProtocol
import ZFSDriver

/// A node with everything on it, configured as the package configures it, and somebody else's secrets in many places.
final class StolenNode: Sendable {
    static let secret = "the secret of this node"
    let folder: ScratchFolder
    let drivers: [any Driver]
    let engine: ScriptedServer

    init() async throws {
        let folder = try ScratchFolder("stolen")
        self.folder = folder
        try Self.lay(folder)
        for (emulator, place) in [("proxmox", "pve"), ("cloudpanel", "panel"), ("kubernetes", "kubernetes")] {
            let made = try await Child.run(
                ProcessRequest(
                    Checkout.emulator("\(emulator)/node"), [folder.file(place)], deadline: .seconds(60)))
            guard made.succeeded else { throw SetupFailure("no emulated \(emulator): \(made.errorText)") }
        }
        try Self.fill(folder)
        let boss = try await Child.run(
            ProcessRequest(
                folder.file("panel/usr/bin/clpctl"),
                [
                    "user:add", "--userName=boss", "--email=boss@example.org", "--firstName=Ann", "--lastName=Boss",
                    "--password=Aa1!bcdefgh", "--role=admin", "--timezone=UTC", "--status=1",
                ], deadline: .seconds(60)))
        guard boss.succeeded else { throw SetupFailure("the panel takes no administrator: \(boss.outputText)") }
        engine = try ScriptedServer(unixSocket: folder.file("engine/docker.sock")) { Self.engine($0.line) }
        let closed = ClosedPlaces(own: [folder.file("data"), folder.file("engine/docker.sock")])
        let zfs = ZFSDriver(
            tools: ZFSTools(zfs: Self.pool(folder, "zfs"), zpool: Self.pool(folder, "zpool")), version: "script",
            closed: closed)
        var rights = NodeRights(closed: closed) { dataset async throws(DriverError) in
            try await zfs.owner(of: dataset)
        }
        let own = "1 0 0:0 / \(folder.file("tank/own")) rw - zfs tank/own rw\n"
        rights.mounts = { MountTable(MountTable.text() + own) }
        let recipes = RecipeShelf(folders: [folder.file("recipes")])
        let docker = DockerDriver(
            socket: folder.file("engine/docker.sock"), rights: rights,
            compose: ComposeSettings(root: folder.file("compose"), tool: ["/bin/false"]), recipes: recipes)
        guard let proxmox = await ProxmoxDriver.detect(root: folder.file("pve"), recipes: recipes),
            let panel = await CloudPanelDriver.detect(root: folder.file("panel")),
            let tools = HelmTools.installed(
                root: folder.file("kubernetes"), home: folder.file("helm"),
                chartSources: [folder.file("kubernetes/charts/store-1.1.0")])
        else { throw SetupFailure("an emulated node is not found") }
        drivers = [
            HostDriver(root: folder.file("host")), docker,
            SwagDriver(.command(["/bin/true"], folder: folder.file("swag"))), proxmox, zfs, panel,
            HelmDriver(tools: tools, version: "3.21.4"),
            LibvirtDriver(
                tools: LibvirtTools(virsh: ["/bin/true"], journalctl: ["/bin/true"], logs: folder.file("libvirt")),
                version: "9.0.0"),
        ]
    }

    /// The words of an operation with this node's folder in the place of `NODE`.
    func here(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(text.replacing("NODE", with: folder.path))
        case .array(let items): .array(items.map(here))
        case .object(let object): .object(JSONObject(object.members.map { ($0.key, here($0.value)) }))
        default: value
        }
    }

    /// What has been done to pools so far, beside looking.
    var poolChanges: String { (try? folder.read("changes")).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    var engineChanges: [String] { engine.requests.map(\.line).filter { !$0.hasPrefix("GET ") } }

    // MARK: what is there

    private static func lay(_ folder: ScratchFolder) throws {
        let folders = [
            "data", "engine", "others", "compose", "helm", "host", "host/var", "host/var/log", "swag", "swag/nginx",
            "swag/nginx/proxy-confs", "swag/nginx/site-confs", "libvirt", "libvirt/qemu", "tank", "tank/own",
            "tank/own/sub",
        ]
        for name in folders { mkdir(folder.file(name), 0o700) }
        symlink(folder.file("data"), folder.file("link"))
        symlink("/etc", folder.file("tank/link"))
    }

    private static func fill(_ folder: ScratchFolder) throws {
        let secrets = [
            "data/identity.json", "others/data", "host/var/secret", "host/var/log/secret", "swag/secret.subdomain.conf",
            "secret.log", "libvirt/secret.log", "panel/var/lib/innkeeper/secret.sql",
        ]
        for name in ["recipes", "recipes/right", "recipes/open"] { mkdir(folder.file(name), 0o755) }
        for name in ["right", "open"] {
            let text = """
                {"version": "1", "summary": "x", "systems": ["debian-12"],
                 "parameters": {"word": {"form": "text", "help": "x"}}}
                """
            try folder.write(Array(text.utf8), to: "recipes/\(name)/recipe.json")
            for file in ["install.sh", "check.sh"] {
                try folder.write(Array("touch '\(folder.file("changes"))'\n".utf8), to: "recipes/\(name)/\(file)")
            }
        }
        chmod(folder.file("recipes/open/install.sh"), 0o666)
        symlink("right", folder.file("recipes/linked"))
        mkdir(folder.file("panel/var/lib/innkeeper"), 0o755)
        for path in ["cloudpanel", "cloudpanel/dumps"] { mkdir(folder.file("panel/var/lib/innkeeper/\(path)"), 0o700) }
        for name in secrets { try folder.write(Array(secret.utf8), to: name) }
        for link in [
            "swag/nginx/proxy-confs/link.subdomain.conf", "libvirt/qemu/link.log",
            "panel/var/lib/innkeeper/cloudpanel/dumps/link.sql",
        ] { symlink(folder.file("others/data"), folder.file(link)) }
        let base = "arch: amd64\nhostname: x\nmemory: 512\nrootfs: labzfs:subvol-700-disk-0,size=1G\n"
        for (vmid, more) in [
            (700, ""), (701, "unprivileged: 1\nmp0: /etc,mp=/host\n"),
            (702, "unprivileged: 1\nlxc.mount.entry: / host none rbind 0 0\n"), (703, "unprivileged: 1\n"),
            (704, "unprivileged: 1\n\n[then]\n\(base)unprivileged: 1\nlxc.mount.entry: / host none rbind 0 0\n"),
        ] { try folder.write(Array((base + more).utf8), to: "pve/etc/pve/nodes/\(node(folder))/lxc/\(vmid).conf") }
        let panel = folder.file("panel/home/clp/htdocs/app/data/db.sq3")
        guard access(panel, F_OK) == 0 else { throw SetupFailure("the panel has no database") }
    }

    /// The one node of the emulated cluster.
    private static func node(_ folder: ScratchFolder) -> String {
        var found = "pve"
        guard let open = opendir(folder.file("pve/etc/pve/nodes")) else { return found }
        defer { closedir(open) }
        while let entry = readdir(open) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { found = name }
        }
        return found
    }

    private static func engine(_ line: String) -> [ScriptedServer.Step] {
        if line.contains("/version") {
            return [.respond(200, #"{"Version":"28.2.2","ApiVersion":"1.47","MinAPIVersion":"1.24"}"#)]
        }
        if line.contains("/networks/host ") || line.contains("/networks/0123456789ab ") {
            return [.respond(200, #"{"Id":"0123456789abcdef","Name":"host","Driver":"host"}"#)]
        }
        if line.hasPrefix("GET"), line.contains("/containers/json") || line.hasSuffix("/networks HTTP/1.1") {
            return [.respond(200, "[]")]
        }
        if line.hasPrefix("GET"), line.contains("/volumes") { return [.respond(200, #"{"Volumes":[]}"#)] }
        return [.respond(404, #"{"message":"there is none"}"#)]
    }

    /// A pool whose datasets are the system's, somebody's, and those of services. What changes anything is written down.
    private static func pool(_ folder: ScratchFolder, _ tool: String) -> [String] {
        let tank = folder.file("tank")
        let script = """
            tell() { printf '%s\\ttype\\tfilesystem\\t-\\n%s\\tmountpoint\\t%s\\tlocal\\n%s\\tmounted\\t%s\\t-\\n' "$1" "$1" "$2" "$1" "$3"
                [ -z "$4" ] || printf '%s\\tinnkeeper:owner\\t%s\\tlocal\\n' "$1" "$4"; }
            one() { case "$1" in
                tank) tell tank \(tank) yes ;;
                tank/own) tell tank/own \(tank)/own yes svc_own ;;
                tank/plain) tell tank/plain \(tank)/plain yes ;;
                tank/keys) tell tank/keys \(folder.file("data")) yes ;;
                tank/ROOT) tell tank/ROOT \(tank)/ROOT yes ;;
                tank/ROOT/now) tell tank/ROOT/now / yes ;;
                tank/ROOT/old) tell tank/ROOT/old / no ;;
                *@s) tell "$1" - - ;;
                *) echo "cannot open '$1': dataset does not exist" >&2; false ;;
                esac; }
            case "$1" in
            get) shift; code=0; for word; do case "$word" in tank*) one "$word" || code=1 ;; esac; done; exit $code ;;
            list) printf 'tank\\ntank/own\\ntank/plain\\ntank/keys\\ntank/ROOT\\ntank/ROOT/now\\ntank/ROOT/old\\n' ;;
            *) echo "\(tool) $*" >>\(folder.file("changes")) ;;
            esac
            """
        return ["/bin/sh", "-c", script, tool]
    }
}

extension String {
    fileprivate func replacing(_ part: String, with other: String) -> String {
        var result = ""
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(part) {
                result += other
                rest = rest.dropFirst(part.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}
