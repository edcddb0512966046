import DriverKit
import Model
import WireProtocol

/// What the driver's actions take.
extension ProxmoxDriver {
    static let arguments: [String: [Argument]] = [
        "container.list": [],
        "container.inspect": [.vmid],
        "container.create": [
            .vmid, .text("template", Pattern.template, "what it is made of"),
            .record("rootfs", [.storage, .gib], "its root"), .mounts,
            .list("ssh_keys", of: .text(Pattern.publicKey.form), 0...64, "public keys of its root").optional, .owner,
            .flag("start", "start it, too"),
            .flag("unprivileged", "its root is nobody on the node").or(true),
        ] + GuestSettings.arguments(.text("hostname", .nodeName, "its name")),
        "container.set": [
            .vmid, .mounts,
            .list("remove", of: .text(Pattern.removable.form), 0...64, "settings, disks and networks that go").optional,
            .list("revert", of: .text(Pattern.settingKey.form), 0...64, "keys whose waiting change is given up")
                .optional,
            .choice(
                "apply", ["now", "at_restart"],
                "whether what a running container does not take may wait for its next start"
            ).or("now"),
        ] + GuestSettings.arguments(.hostname),
        "container.resize": [
            .vmid, .text("disk", Pattern.disk, "which disk"),
            .integer("size_mib", 1...(1 << 37), "the whole size; disks only grow"),
        ],
        "container.start": [.vmid],
        "container.stop": [.vmid, .flag("overrule_shutdown", "do not wait for a shutdown that is under way")],
        "container.shutdown": [.vmid] + power,
        "container.restart": [.vmid] + power,
        "container.destroy": [.vmid, .flag("force", "also when it runs"), .owner],
        "container.clone": [
            .vmid, .integer("source", Argument.vmids, "the container that is copied"),
            .flag("full", "a copy of its own, not one that hangs on its source").or(true), .storage.optional,
            .text("snapshot", Pattern.snapshot, "copy this state of the source").optional, .owner,
        ] + GuestSettings.arguments(.text("hostname", .nodeName, "its name")),
        "container.template": [.vmid],
        "container.exec": [
            .vmid, .list("command", of: .text(.any), 1...4096, "the program and its words"),
            .flag("stdin", "the program reads the input of the command"),
            .flag("tty", "a terminal, which pct exec does not make: refused"), .screen("rows"), .screen("columns"),
            .text("user", "root; any other is refused").optional,
        ],
        "container.push": [
            .vmid, .text("path", Pattern.innerPath, "where in the container"),
            .integer("size_bytes", 0...PushRequest.limit, "how much comes; without it, to the end of the input")
                .optional,
            .text("sha256", Pattern.checksum, "of the content, which is checked").optional,
            .text("mode", Pattern.mode, "its permissions").optional,
            .integer("user", 0...65_535, "number of its owner").optional,
            .integer("group", 0...65_535, "number of its group").optional,
        ],
        "container.pull": [
            .vmid, .text("path", Pattern.innerPath, "where in the container"),
            .integer("max_bytes", 0...(1 << 40), "a longer file is refused").or(.integer(1 << 30)),
        ],
        "container.migrate": [
            .vmid, .text("target", Pattern.node, "the node it goes to"),
            .flag("restart", "stop and start it on the way, where it runs").or(true), .storage.optional,
            .integer("timeout_s", 1...3600, "how long it may take to end").or(180),
        ],
        "container.mark": [.vmid, .markOfAdoption],
        "container.unlock": [.vmid],
        "container.backup": [
            .vmid, .storage, .choice("mode", ["snapshot", "suspend", "stop"], "how it is held still").or("snapshot"),
            .choice("compress", ["0", "gzip", "lzo", "zstd"], "how it is packed").or("zstd"),
            .integer("lock_wait_min", 0...600, "minutes to wait for another backup of the node").or(30),
            .integer("keep_last", 1...1000, "older ones than these go").optional,
            .integer("limit_kib_s", 1...(1 << 30), "KiB a second at most").optional,
            .flag("protected", "it cannot be removed by itself"),
        ],
        "container.restore": [
            .vmid, .backup, .owner, .flag("replace", "the container that is there gives way"),
            .flag("start", "start it, too"), .storage.optional, .flag("unique", "with new network addresses"),
            .text("made_of", .identifier, "the service whose container the backup must be of").optional,
        ],
        "backup.list": [.storage, .vmid.optional],
        "backup.destroy": [.vmid, .backup],
        "snapshot.list": [.vmid],
        "snapshot.ensure": [.vmid, .snapshot],
        "snapshot.rollback": [.vmid, .snapshot, .flag("start", "start it afterwards")],
        "snapshot.destroy": [.vmid, .snapshot],
        "storage.list": [],
        "template.list": [.storage],
        "node.status": [],
        "cluster.status": [],
        "ha.status": [],
        "ha.add": [
            .vmid,
            .choice("state", ["started", "stopped", "disabled", "ignored"], "as it is now without it").optional,
            .integer("max_restart", 0...100, "tries to start it on one node").optional,
            .integer("max_relocate", 0...100, "tries on another node").optional, .nodes,
            .flag("strict", "it runs on these nodes only"),
        ],
        "ha.remove": [.vmid],
        "ha.rule.list": [],
        "ha.rule.ensure": [
            .rule, .choice("kind", ["nodes", "together", "apart"], "what the rule is about"),
            .list("containers", of: .integer(Argument.vmids), 1...256, "whom it is about"), .nodes,
            .flag("strict", "they run on these nodes only"),
        ],
        "ha.rule.destroy": [.rule],
    ]

    private static let power: [Argument] = [
        .integer("timeout_s", 1...3600, "how long it may take to end").or(60),
        .flag("force", "stop it when it does not end").or(true),
    ]
}

extension Argument {
    static let vmids: ClosedRange<Int64> = 100...999_999_999

    static let vmid = integer("vmid", vmids, "which container")
    static let storage = text("storage", Pattern.storage, "which storage")
    static let gib = integer("size_gib", 1...131_072, "its size")
    static let hostname = text("hostname", .nodeName, "its name").optional
    static let snapshot = text("snapshot", Pattern.snapshot, "which snapshot")
    static let backup = text("backup", Pattern.backup, "which backup")
    static let rule = text("rule", Pattern.rule, "which rule")
    static let owner = text("owner", .identifier, "the service it is for; another's is left alone").optional
    static let mounts = Argument(
        "mounts",
        .list(
            .record([.storage, .gib, .text("path", Pattern.mountPoint, "where the container sees it")]), 0...32),
        "further disks"
    ).optional
    static let nodes = Argument(
        "nodes",
        .list(
            .record([
                .text("node", Pattern.node, "its name"),
                .integer("priority", 0...1000, "the higher, the sooner").optional,
            ]), 1...64),
        "where it may run"
    ).optional

    static func text(_ name: String, _ pattern: Pattern, _ help: String) -> Argument {
        Argument(name, .text(pattern.form), help)
    }

    static func screen(_ name: String) -> Argument {
        integer(name, 0...10_000, "of a terminal, which pct exec does not make").optional
    }
}

extension Pattern {
    var form: TextForm { TextForm(expectation, accepts) }
}

extension GuestSettings {
    /// What a new container and a changed one have in common.
    static func arguments(_ hostname: Argument) -> [Argument] {
        [
            hostname, .integer("memory_mib", 16...(1 << 24), "memory").optional,
            .integer("swap_mib", 0...(1 << 24), "swap").optional,
            .integer("cores", 1...8192, "processors that it sees").optional,
            .integer("cpu_units", 1...10_000, "its weight among the others").optional,
            Argument("cpu_limit", .number(0...8192), "processors that it may use; 0 lifts the limit").optional,
            .integer("boot_order", 0...10_000, "its place when the node starts").optional,
            Argument("on_boot", .bool, "whether it starts with the node").optional,
            Argument("protection", .bool, "whether it cannot be removed").optional,
            .list("tags", of: .text(Pattern.tag.form), 0...64, "its tags, all of them").optional,
            .list("nameservers", of: .text(Pattern.address.form), 0...64, "its resolvers, all of them").optional,
            .text("search_domain", .nodeName, "where short names are looked up").optional,
            .record(
                "features",
                ["nesting", "keyctl", "fuse"].map { Argument($0, .bool, "whether it may use \($0)").optional },
                "what its kernel lets it do"
            ).optional,
            .list("networks", of: .record(NetworkSpec.arguments), 0...10, "its interfaces; the first is net0").optional,
        ]
    }
}

extension NetworkSpec {
    static let arguments: [Argument] = [
        .text("name", Pattern.interface, "inside; eth and its place without it").optional,
        .text("bridge", Pattern.bridge, "of the node"), .text("ip", Pattern.network4, "its address").optional,
        .text("gateway", Pattern.address4, "the way out").optional,
        .text("ip6", Pattern.network6, "its IPv6 address").optional,
        .text("gateway6", Pattern.address6, "the way out of IPv6").optional,
        .text("mac", Pattern.mac, "kept, or chosen by the node, without it").optional,
        Argument("firewall", .bool, "whether the node's firewall looks at it").optional,
        .integer("vlan", 1...4094, "its VLAN").optional,
        .integer("rate_mbyte_s", 1...100_000, "megabytes a second at most").optional,
        .integer("mtu", 64...65_535, "bytes of a frame").optional,
    ]
}
