import WireProtocol

/// Every operation of every driver, and what somebody who has the controller would do with it. `NODE` is the emulated node's
/// folder: in it `data` is its agent's, `link` leads there, `engine` is the folder of the engine's socket, and `others` holds
/// somebody else's data.
enum Reaches {
    static let all = docker.merging(storage) { first, _ in first }.merging(guests) { first, _ in first }
        .merging(machine) { first, _ in first }

    /// Datasets that are the system's: mounted, of an old system, above one, and of a pool as a whole.
    private static let systems = ["tank/ROOT/now", "tank/ROOT/old", "tank/keys", "tank"]

    private static func dataset(_ more: JSONObject = [:], also: [Attempt] = []) -> Reach {
        .tried(
            systems.map { name in
                var arguments: JSONObject = ["dataset": .string(name)]
                for member in more.members { arguments[member.key] = member.value }
                return Attempt("zfs/\(arguments["target"]?.asString ?? name)", arguments)
            } + also)
    }

    private static func seen(at places: [String]) -> [Attempt] {
        places.map { Attempt("zfs/tank/new", ["dataset": "tank/new", "mountpoint": .string($0)]) }
    }

    static let storage: [String: Reach] = [
        "zfs.dataset.ensure": dataset(
            also: seen(at: [
                "/", "/etc", "/etc/cron.d", "/usr/local/bin", "/root/.ssh", "/home", "/var/lib/innkeeper/agent",
                "NODE/data",
                "NODE/tank/own/inner", "NODE/tank/link",
            ]) + [
                Attempt("zfs/tank/own/inner", ["dataset": "tank/own/inner"]),
                Attempt("zfs/tank/own", ["dataset": "tank/own", "owner": "svc_other"]),
                Attempt("zfs/tank/plain", ["dataset": "tank/plain", "owner": "svc_other"]),
            ]
                + ["setuid", "devices", "sharenfs", "sharesmb", "canmount", "mountpoint", "overlay", "keylocation"].map
            {
                Attempt("zfs/tank/new", ["dataset": "tank/new", "properties": [$0: "on"]])
            }),
        "zfs.dataset.clone": dataset(["snapshot": "s", "target": "tank/stolen"]),
        "zfs.dataset.copy": dataset(["snapshot": "s", "target": "tank/stolen"]),
        "zfs.dataset.send": dataset(["snapshot": "s"]), "zfs.dataset.receive": dataset(["overwrite": true]),
        "zfs.dataset.diff": dataset(["snapshot": "s"]), "zfs.dataset.rollback": dataset(["snapshot": "s"]),
        "zfs.dataset.destroy": dataset(["recursive": true]), "zfs.dataset.snapshot": dataset(["snapshot": "t"]),
        "zfs.dataset.mark": .byName,
        "zfs.dataset.quota": dataset(["quota_bytes": 1]), "zfs.snapshot.destroy": dataset(["snapshot": "s"]),
        "zfs.snapshot.hold": dataset(["snapshot": "s", "tag": "t"]),
        "zfs.snapshot.release": dataset(["snapshot": "s", "tag": "t"]),
        "zfs.bookmark.ensure": dataset(["snapshot": "s", "bookmark": "b"]),
        "zfs.bookmark.destroy": dataset(["bookmark": "b"]), "zfs.receive.abort": dataset(),
        "zfs.pool.list": .looks, "zfs.pool.status": .looks, "zfs.pool.health": .looks, "zfs.pool.events": .looks,
        "zfs.pool.scrub": .nothing("it reads a pool and repairs it"), "zfs.dataset.list": .looks,
        "zfs.dataset.usage": .looks, "zfs.dataset.properties": .looks, "zfs.send.estimate": .looks,
        "zfs.receive.state": .looks, "zfs.snapshot.list": .looks, "zfs.snapshot.usage": .looks,
        "zfs.snapshot.holds": .looks, "zfs.bookmark.list": .looks, "zfs.arc.statistics": .looks,
        "zfs.report.full": .looks, "zfs.report.suggestions": .looks,
    ]

    static let machine: [String: Reach] = [
        "host.log.query": .tried(
            ["../../etc/shadow", "/etc/shadow", "../secret", "secret"].map { Attempt("host", ["file": .string($0)]) }),
        "host.journal.query": .tried(
            ["--file=/etc/shadow", "-D/etc", "a b"].map { Attempt("host", ["unit": .string($0)]) }),
        "host.system.info": .looks, "host.filesystem.list": .looks, "host.container.list": .looks,
        "host.drive.list": .looks, "host.drive.statistics": .looks, "host.drive.health": .looks,
        "host.port.list": .looks, "host.update.list": .looks, "host.reboot.status": .looks, "host.version.list": .looks,
        "libvirt.vm.list": .looks, "libvirt.daemon.logs": .looks,
        "libvirt.vm.state": .tried(
            ["../../secret", "/etc/shadow", "--all"].map { Attempt("libvirt/x", ["vm": .string($0)]) }),
        "libvirt.vm.logs": .tried(
            ["../../secret", "/etc/shadow", "link"].map { Attempt("libvirt/x", ["vm": .string($0)]) }),
    ]
}
