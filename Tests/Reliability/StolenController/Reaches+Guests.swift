import WireProtocol

/// The operations of guests, sites and charts.
extension Reaches {
    private static func guest(_ more: JSONObject, _ vmid: Int64 = 900) -> Attempt {
        var arguments: JSONObject = ["vmid": .integer(vmid)]
        for member in more.members { arguments[member.key] = member.value }
        return Attempt("proxmox/ct/\(vmid)", arguments)
    }

    private static func creation(_ more: JSONObject) -> Attempt {
        var arguments: JSONObject = [
            "hostname": "stolen", "template": "local:vztmpl/debian-12-standard_12.0_amd64.tar.zst",
            "rootfs": ["storage": "labzfs", "size_gib": 1],
        ]
        for member in more.members { arguments[member.key] = member.value }
        return guest(arguments)
    }

    /// Container 700 is privileged, 701 sees a folder of the node, 702 has a line of the kernel's own words,
    /// and 704 had one when its snapshot was taken.
    private static let reaching: [Int64] = [700, 701, 702]

    static let guests: [String: Reach] = [
        "proxmox.container.create": .tried(
            [
                ["unprivileged": false], ["mounts": [["storage": "/etc", "size_gib": 1, "path": "/x"]]],
                ["mounts": [["storage": "local", "size_gib": 1, "path": "/x,mp=/y"]]],
                ["rootfs": ["storage": "/", "size_gib": 1]], ["template": "local:vztmpl/../../../etc/shadow"],
                ["template": "/etc/shadow"], ["features": ["mount": "ext4"]], ["features": ["mknod": true]],
                ["hookscript": "local:snippets/x"], ["ssh_keys": ["/root/.ssh/id_ed25519"]], ["lxc": ["a": "b"]],
                ["networks": [["bridge": "vmbr0,hwaddr=x"]]],
            ].map(creation)),
        "proxmox.container.clone": .tried(
            reaching.map { guest(["source": .integer($0), "hostname": "stolen"]) } + [
                guest(["source": 700, "hostname": "stolen", "storage": "/etc"]),
                guest(["source": 704, "snapshot": "then", "hostname": "stolen"]),
            ]),
        "proxmox.container.restore": .tried(
            ["/etc/shadow", "local:backup/../../etc/shadow", "local:backup/vzdump-lxc-1/../../x"].map {
                guest(["backup": .string($0)])
            }),
        "proxmox.container.push": .tried(
            reaching.map { guest(["path": "/etc/cron.d/x", "size_bytes": 0], $0) }
                + [
                    guest(["path": "/../etc/x", "size_bytes": 0], 700),
                    guest(["path": "/a", "size_bytes": 0, "mode": "u+s"], 700),
                ]
        ),
        "proxmox.container.pull": .tried(
            reaching.map { guest(["path": "/host/secret"], $0) } + [guest(["path": "/../etc/shadow"], 700)]),
        "proxmox.container.set": .tried(
            [
                ["mounts": [["storage": "/etc", "size_gib": 1, "path": "/x"]]], ["unprivileged": false],
                ["features": ["mount": "nfs"]], ["remove": ["unprivileged"]], ["lxc": ["a": "b"]],
            ].map { guest($0, 703) }),
        "proxmox.container.resize": .tried([guest(["disk": "mp0,mp=/etc", "size_gib": 2], 703)]),
        "proxmox.container.backup": .tried(
            ["/etc", "../x"].map { guest(["storage": .string($0)], 703) } + [
                guest(["storage": "local", "dumpdir": "/"], 703)
            ]),
        "proxmox.backup.destroy": .tried(
            ["/etc/shadow", "local:backup/../../etc/shadow"].map { guest(["backup": .string($0)], 703) }),
        "proxmox.recipe.run": .tried(recipes("vmid", 703, "proxmox/ct/703")),
        "proxmox.recipe.look": .tried(recipes("vmid", 703, "proxmox/ct/703")), "proxmox.recipe.list": .looks,
        "proxmox.container.exec": .byName, "proxmox.backup.list": .looks, "proxmox.container.list": .looks,
        "proxmox.container.inspect": .looks, "proxmox.storage.list": .looks, "proxmox.template.list": .looks,
        "proxmox.container.destroy": .ownThings, "proxmox.container.template": .ownThings,
        "proxmox.container.start": .ownThings, "proxmox.container.stop": .ownThings,
        "proxmox.container.shutdown": .ownThings, "proxmox.container.restart": .ownThings,
        "proxmox.container.mark": .byName, "proxmox.container.unlock": .ownThings,
        "proxmox.container.migrate": .ownThings,
        "proxmox.snapshot.list": .looks, "proxmox.snapshot.ensure": .ownThings,
        "proxmox.snapshot.destroy": .ownThings, "proxmox.snapshot.rollback": .ownThings,
        "proxmox.cluster.status": .looks, "proxmox.node.status": .looks, "proxmox.ha.status": .looks,
        "proxmox.ha.add": .ownThings, "proxmox.ha.remove": .ownThings, "proxmox.ha.rule.list": .looks,
        "proxmox.ha.rule.ensure": .ownThings, "proxmox.ha.rule.destroy": .ownThings,

        "cloudpanel.template.add": .byName, "cloudpanel.dump.write": .byName,
        "cloudpanel.user.add": .tried(
            ["admin", "site-manager"].map { role in
                Attempt(
                    "cloudpanel/user/stolen",
                    [
                        "user": "stolen", "email": "a@example.org", "first_name": "A", "last_name": "B",
                        "role": .string(role),
                    ], secrets: ["password": "Aa1!bcdefgh"])
            }),
        "cloudpanel.user.password": .tried([
            Attempt("cloudpanel/user/boss", ["user": "boss"], secrets: ["password": "Aa1!bcdefgh"])
        ]),
        "cloudpanel.site.add": .tried(
            [["user": "root"], ["user": "clp"], ["domain": "../../etc"], ["user": "-o0"]].map { (wrong: JSONObject) in
                var arguments: JSONObject = ["domain": "a.example.org", "user": "s1", "type": "static"]
                for member in wrong.members { arguments[member.key] = member.value }
                return Attempt("cloudpanel/site/\(arguments["domain"]?.asString ?? "")", arguments)
            }),
        "cloudpanel.site.permissions": .tried(
            [["path": "/../../../etc"], ["files": "4777"], ["directories": "u+s"]].map { (wrong: JSONObject) in
                var arguments: JSONObject = ["domain": "a.example.org"]
                for member in wrong.members { arguments[member.key] = member.value }
                return Attempt("cloudpanel/site/a.example.org", arguments)
            }),
        "cloudpanel.dump.read": .tried(
            ["../secret.sql", "/etc/shadow", "link.sql", ".sql"].map {
                Attempt("cloudpanel/dump/\($0)", ["dump": .string($0)])
            }),
        "cloudpanel.dump.delete": .tried(
            ["../secret.sql", "/etc/shadow"].map { Attempt("cloudpanel/dump/\($0)", ["dump": .string($0)]) }),
        "cloudpanel.database.export": .tried(
            ["../secret.sql", "/etc/cron.d/x.sql"].map {
                Attempt("cloudpanel/database/d", ["database": "d", "dump": .string($0)])
            }),
        "cloudpanel.database.import": .tried(
            ["../secret.sql", "/etc/shadow"].map {
                Attempt("cloudpanel/database/d", ["database": "d", "dump": .string($0)])
            }),
        "cloudpanel.certificate.install": .tried([
            Attempt(
                "cloudpanel/site/a.example.org", ["domain": "a.example.org", "certificate": "/etc/shadow"],
                secrets: ["private_key": "/etc/shadow"])
        ]),
        "cloudpanel.certificate.order": .ownThings, "cloudpanel.certificate.show": .looks,
        "cloudpanel.site.list": .looks, "cloudpanel.site.show": .looks, "cloudpanel.site.delete": .ownThings,
        "cloudpanel.site.mark": .ownThings, "cloudpanel.site.suspend": .ownThings, "cloudpanel.site.resume": .ownThings,
        "cloudpanel.site.unmark": .ownThings, "cloudpanel.site.aliases": .ownThings,
        "cloudpanel.site.restart": .ownThings, "cloudpanel.site.password": .ownThings,
        "cloudpanel.site.backup": .ownThings, "cloudpanel.site.restore": .ownThings,
        "cloudpanel.backup.list": .looks, "cloudpanel.backup.delete": .ownThings,
        "cloudpanel.dump.list": .looks,
        "cloudpanel.database.list": .looks, "cloudpanel.database.add": .ownThings,
        "cloudpanel.database.delete": .ownThings, "cloudpanel.user.list": .looks, "cloudpanel.user.delete": .ownThings,
        "cloudpanel.template.list": .looks, "cloudpanel.template.show": .looks,
        "cloudpanel.template.delete": .ownThings,

        "helm.release.install": charts, "helm.release.upgrade": charts,
        "helm.release.rollback": .nothing("it takes a release back to a revision that it had"),
        "helm.release.list": .looks, "helm.release.status": .looks, "helm.release.history": .looks,
        "helm.release.ready": .looks, "helm.release.events": .looks, "helm.release.logs": .looks,
        "helm.release.heal": .ownThings, "helm.release.uninstall": .ownThings,
        "helm.namespace.inspect": .looks, "helm.namespace.ensure": .ownThings, "helm.namespace.remove": .ownThings,
        "helm.secret.ensure": .ownThings,
    ]

    /// A chart runs what it likes, with the node's own folders in it.
    private static let charts = Reach.tried(
        [
            ["chart": "oci://registry.example.net/evil"], ["chart": "evil", "repo": "https://charts.example.net"],
            ["chart": "NODE/kubernetes/charts/store-1.0.0"], ["chart": "/tmp/evil"],
        ].map(release)
            + wishes.map { release(["chart": "NODE/kubernetes/charts/store-1.1.0", "values": .object($0)]) })

    private static func release(_ more: JSONObject) -> Attempt {
        var arguments: JSONObject = ["namespace": "shop", "release": "shop"]
        for member in more.members { arguments[member.key] = member.value }
        return Attempt("helm/shop/shop", arguments)
    }

    /// A chart that the owner allows takes these values; what it makes of them has the node.
    private static let wishes: [JSONObject] = [
        ["pod": ["hostNetwork": true]], ["pod": ["hostPID": true]], ["pod": ["hostIPC": "yes"]],
        ["pod": ["volumes": [["name": "root", "hostPath": ["path": "/"]]]]],
        ["pod": ["volumes": [["name": "x", "flexVolume": ["driver": "a/b"]]]]],
        ["pod": ["volumes": [["name": "x", "nfs": ["server": "192.0.2.1", "path": "/"]]]]],
        ["pod": ["serviceAccountName": "operator"]], ["pod": ["runtimeClassName": "host"]],
        ["pod": ["initContainers": [["name": "i", "image": "i", "securityContext": ["privileged": true]]]]],
        ["pod": ["securityContext": ["sysctls": [["name": "kernel.core_pattern", "value": "|/x"]]]]],
        ["container": ["securityContext": ["privileged": true]]],
        ["container": ["securityContext": ["capabilities": ["add": ["SYS_ADMIN"]]]]],
        ["container": ["securityContext": ["procMount": "Unmasked"]]],
        ["container": ["ports": [["containerPort": 80, "hostPort": 80]]]],
        ["container": ["livenessProbe": ["httpGet": ["host": "127.0.0.1", "port": 10250]]]],
        ["annotations": ["nginx.ingress.kubernetes.io/server-snippet": "x"]],
        ["host": "{{ lookup \"v1\" \"Secret\" \"kube-system\" \"x\" }}"],
        ["extra": [["kind": "ClusterRoleBinding", "metadata": ["name": "x"]]]],
        ["extra": [["kind": "MutatingWebhookConfiguration", "metadata": ["name": "x"]]]],
        ["extra": [["kind": "PersistentVolume", "spec": ["hostPath": ["path": "/etc"]]]]],
        ["extra": [["kind": "PersistentVolumeClaim", "spec": ["volumeName": "pv"]]]],
        ["extra": [["kind": "ConfigMap", "apiVersion": "v1", "metadata": ["name": "x", "namespace": "kube-system"]]]],
        ["extra": [["kind": "Secret", "type": "kubernetes.io/service-account-token"]]],
        ["extra": [["kind": "Role", "rules": [["resources": ["pods"], "verbs": ["create"]]]]]],
        ["extra": [["kind": "RoleBinding", "roleRef": ["kind": "ClusterRole", "name": "cluster-admin"]]]],
        ["extra": [["kind": "Service", "apiVersion": "v1", "spec": ["externalIPs": ["192.0.2.1"]]]]],
        ["extra": [["kind": "List", "items": [["kind": "Pod", "spec": ["hostPID": true, "containers": []]]]]]],
        ["extra": [["kind": "PodList", "items": [["spec": ["hostPID": true, "containers": []]]]]]],
        ["extra": [["kind": "HelmChart", "apiVersion": "helm.cattle.io/v1", "metadata": ["name": "x"]]]],
    ]
}
