import WireProtocol

/// The operations of Docker, and of what lives in its containers.
extension Reaches {
    private static let places = [
        "/", "/etc", "/etc/cron.d", "/root", "/root/.ssh", "/home", "/opt", "/srv", "/var/spool/cron", "/proc", "/dev",
        "/sys",
        "/run", "/var/run/docker.sock", "/var/lib/docker", "/var/lib/innkeeper", "/var/lib/innkeeper/agent",
        "/var/lib/innkeeper/controller", "/etc/innkeeper", "NODE", "NODE/data", "NODE/link", "NODE/engine",
        "NODE/others",
    ]

    private static func ensure(_ more: JSONObject) -> Attempt {
        var arguments: JSONObject = ["name": "stolen", "image": "a:1"]
        for member in more.members { arguments[member.key] = member.value }
        return Attempt("docker/stolen", arguments)
    }

    private static func file(_ body: String, of project: String = "stolen") -> Attempt {
        Attempt("docker/compose/\(project)", ["project": .string(project), "content": .string(body)])
    }

    private static func service(_ line: String) -> Attempt {
        file("services:\n  web:\n    image: a:1\n    \(line)\n")
    }

    private static let files: [Attempt] =
        [
            file(
                "services: {web: {image: \"a:1\", volumes: [\"NODE/tank/own/sub:/x\"]}}\n", of: "svc_own")
        ]
        + places.flatMap { place in
            [
                service("volumes: [\"\(place):/x\"]"), service("volumes: [\"\(place):/x:ro\"]"),
                service("volumes: [{type: bind, source: \"\(place)\", target: /x}]"),
                file(
                    "services: {web: {image: \"a:1\"}}\nvolumes: {v: {driver_opts: {type: none, o: bind, device: \"\(place)\"}}}\n"
                ),
                file(
                    "services: {web: {image: \"a:1\"}}\nvolumes: {v: {driver_opts: {type: tmpfs, o: bind, device: \"\(place)\"}}}\n"
                ),
            ]
        }
        + [
            "privileged: true", "network_mode: host", "pid: host", "ipc: host", "userns_mode: host", "cgroup: host",
            "cap_add: [SYS_ADMIN]", "devices: [/dev/sda]", "security_opt: [seccomp:unconfined]", "build: /",
            "env_file: /etc/shadow", "volumes_from: [\"container:other\"]", "use_api_socket: true",
            "device_cgroup_rules: [\"b *:* rwm\"]", "runtime: other", "labels: {innkeeper.service: svc_other}",
            "extends: {file: /etc/passwd, service: x}", "post_start: [{command: id, privileged: true}]",
        ].map(service) + [
            file("services: {web: {image: \"a:1\", networks: [h]}}\nnetworks: {h: {external: true, name: host}}\n"),
            file("services: {web: {image: \"a:1\", networks: [h]}}\nnetworks: {h: {driver: macvlan}}\n"),
            file("services: {web: {image: \"a:1\"}}\nsecrets: {s: {file: /etc/shadow}}\n"),
            file("services: {web: {image: \"a:1\"}}\nvolumes: {v: {external: true, name: svc_other}}\n"),
            file("services: {web: {image: \"a:1\"}}\ninclude: [/etc/passwd]\n"),
        ]

    static let docker: [String: Reach] = [
        "docker.container.ensure": .tried(
            places.map { ensure(["mounts": [["source": .string($0), "target": "/x"]]]) } + [
                // A folder now, and a link once a snapshot is gone back to.
                ensure([
                    "mark": ["service": "svc_own"], "mounts": [["source": "NODE/tank/own/sub", "target": "/x"]],
                ]),
                ensure([
                    "mark": ["service": "svc_own"],
                    "mounts": [["source": "NODE/tank/own/sub", "target": "/x", "read_only": true]],
                ]),
                ensure(["network": "host"]), ensure(["network": "0123456789ab"]),
                ensure(["network": "container:other"]), ensure(["privileged": true]), ensure(["devices": ["/dev/sda"]]),
                ensure(["labels": ["innkeeper.command": "cmd_other"]]),
                ensure(["labels": ["com.docker.compose.project": "other"]]),
            ]),
        "docker.image.import": .tried(
            [
                "/etc/shadow", "/var/lib/innkeeper/agent/identity.json", "NODE/data/identity.json",
                "NODE/link/identity.json",
            ].map {
                Attempt("docker/image", ["reference": "stolen:1", "path": .string($0)])
            }),
        "docker.compose.deploy": .tried(files), "docker.compose.validate": .tried(files),
        "docker.network.connect": .tried(
            ["host", "0123456789ab"].map { Attempt("docker/network", ["network": .string($0), "name": "stolen"]) }),
        "docker.network.ensure": .tried(
            [["name": "n", "driver": "macvlan"], ["name": "n", "options": ["parent": "eth0"]], ["name": "../x"]].map {
                Attempt("docker/network", $0)
            }),
        "docker.volume.ensure": .tried(
            [
                ["name": "v", "driver_opts": ["type": "none", "o": "bind", "device": "/"]],
                ["name": "v", "driver": "other"], ["name": "../../etc"],
            ].map { Attempt("docker/volume", $0) }),
        "docker.recipe.run": .tried(recipes("name", "stolen", "docker/stolen")),
        "docker.recipe.look": .tried(recipes("name", "stolen", "docker/stolen")), "docker.recipe.list": .looks,
        "docker.container.exec": .byName,
        "docker.compose.transform": .nothing("it gives a text back, and deploy checks every text anew"),
        "docker.compose.down": .ownThings, "docker.compose.scan": .looks, "docker.compose.list": .looks,
        "docker.compose.ps": .looks, "docker.compose.logs": .looks, "docker.event.list": .looks,
        "docker.image.pull": .nothing("images come from registries, and what is in one stays in its container"),
        "docker.image.list": .looks, "docker.image.remove": .ownThings, "docker.container.start": .ownThings,
        "docker.container.stop": .ownThings, "docker.container.restart": .ownThings,
        "docker.container.remove": .ownThings, "docker.container.update": .nothing("it takes amounts"),
        "docker.container.inspect": .looks, "docker.container.list": .looks, "docker.container.logs": .looks,
        "docker.container.stats": .looks, "docker.network.list": .looks, "docker.network.inspect": .looks,
        "docker.network.remove": .ownThings, "docker.network.disconnect": .ownThings, "docker.volume.list": .looks,
        "docker.volume.inspect": .looks, "docker.volume.remove": .ownThings,
        "docker.container.prune": .ownThings, "docker.network.prune": .ownThings, "docker.volume.prune": .ownThings,
        "docker.image.prune": .ownThings,
        "swag.installation.inspect": .looks, "swag.config.list": .looks, "swag.config.check": .looks,
        "swag.config.reload": .looks, "swag.config.write": .byName,
        "swag.config.read": .tried(
            ["../../secret.subdomain.conf", "/etc/shadow", "link.subdomain.conf"].map {
                Attempt("swag/x", ["file": .string($0)])
            }),
        "swag.config.generate": .tried(proxies), "swag.config.ensure": .tried(proxies),
        "swag.config.mark": .tried(
            ["../x", "a/b", "/etc/x"].map {
                Attempt("swag/x", ["name": .string($0), "mark": ["service": "svc_other"]])
            }),
        "swag.config.remove": .tried(["../x", "a/b", "/etc/x"].map { Attempt("swag/x", ["name": .string($0)]) }),
    ]

    /// Code of nginx in the place of names, and upstreams that lead back into the node.
    private static let proxies: [Attempt] = [
        ["upstream": "127.0.0.1"], ["upstream": "localhost"], ["upstream": "169.254.169.254"],
        ["upstream": "0x7f000001"],
        ["upstream": "a; include /etc/shadow"], ["server_names": ["a.example.org; root /"]], ["name": "../../x"],
        ["access": "../../etc/shadow"], ["sample": "../../../etc/shadow"],
    ].map { (wrong: JSONObject) in
        var arguments: JSONObject = [
            "name": "stolen", "server_names": ["a.example.org"], "upstream": "web", "port": 80,
        ]
        for member in wrong.members { arguments[member.key] = member.value }
        return Attempt("swag/stolen", arguments)
    }
}
