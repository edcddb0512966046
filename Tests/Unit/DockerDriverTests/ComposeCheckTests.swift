import DockerDriver
import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol
import YAML

/// What is refused before anything starts, and how files are fitted to the node.
@Suite struct ComposeCheckTests {
    static let risky = [
        "privileged: true", "privileged: \"true\"", "pid: host", "ipc: host", "network_mode: host",
        "network_mode: container:other", "cap_add: [SYS_ADMIN]", "devices: [/dev/sda]",
        "security_opt: [apparmor:unconfined]",
        "userns_mode: host", "cgroup_parent: /", "volumes: [\"/:/host\"]", "volumes: [\"/etc:/x\"]",
        "volumes: [\"/var/run/docker.sock:/s\"]", "volumes: [{type: bind, source: /root, target: /x}]",
        "build: .", "env_file: /etc/shadow", "env_file: [\"../x\"]", "extends: {file: /etc/x, service: a}",
        "volumes_from: [other]", "labels: [innkeeper.service=svc_1]", "labels: {com.docker.compose.project: other}",
        "use_api_socket: true", "provider: {type: x}", "gpus: all", "sysctls: [net.x=1]", "runtime: evil",
        "deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}", "unheard_of: 1",
        "volumes: [\"/home:/x\"]", "volumes: [\"/srv:/x:ro\"]", "volumes: [\"/opt/app:/x\"]",
        "volumes: [{type: bind, source: [/], target: /x}]", "volumes: [{source: {a: b}, target: /x}]",
        "volumes: [\"./a:/a\", \"./a/b:/b\"]", "annotations: {run.oci.keep_original_groups: \"1\"}",
        "logging: {driver: fluentd, options: {fluentd-address: \"unix:///var/run/docker.sock\"}}",
    ]

    @Test(arguments: risky)
    func `a file that reaches for the node is refused`(line: String) async throws {
        let bench = try await ComposeBench()
        let plain = "services:\n  web:\n    image: \(Workbench.image)\n    \(line)\n"
        let error = await bench.failure("risky", plain)
        #expect(error?.code == .permissionDenied, "\(String(describing: error))")
        #expect(bench.file("risky") == nil)
    }

    @Test(arguments: [
        "volumes: {x: {external: true}}", "volumes: {x: {name: other_data}}", "secrets: {x: {file: /etc/shadow}}",
        "configs: {x: {file: /etc/shadow}}", "volumes: {x: {driver_opts: {type: none, o: bind, device: /etc}}}",
        "volumes: {x: {driver: rexray}}", "volumes: {x: {driver_opts: {type: none, o: bind, device: /home}}}",
        "volumes: {x: {driver_opts: {type: tmpfs, o: bind, device: /home}}}",
        "volumes: {x: {driver_opts: {type: tmpfs, o: \"size=1m,bind\", device: tmpfs}}}",
        "volumes: {x: {driver_opts: {type: nfs, o: \"addr=192.0.2.1\", device: \":/\"}}}",
        "volumes: {x: {driver_opts: {type: ext4, device: /dev/sda1}}}",
        "volumes: {x: {labels: {innkeeper.service: svc_1}}}", "networks: {x: {driver: macvlan}}",
        "networks: {x: {external: true, name: host}}", "networks: {host: {external: true}}",
        "networks: {x: {driver_opts: {com.docker.network.bridge.name: vmbr0}}}",
    ])
    func `what stands beside the services is checked too`(line: String) async throws {
        let bench = try await ComposeBench()
        let error = await bench.failure("risky", ComposeBench.sleeper() + line + "\n")
        #expect(error?.code == .permissionDenied, "\(String(describing: error))")
    }

    @Test func `what a variable hides is seen once it is filled in`() async throws {
        let bench = try await ComposeBench()
        let content = ComposeBench.sleeper("volumes: [\"${PLACE}:/x\"]")
        let error = await bench.failure("hidden", content, ["env": ["PLACE": "/etc"]])
        #expect(error?.code == .permissionDenied)
        #expect(bench.file("hidden") == nil)
        for place in ["/home", "/srv", "/var/lib/innkeeper/agent"] {
            #expect(
                await bench.failure("hidden", content, ["env": ["PLACE": .string(place)]])?.code == .permissionDenied)
            let volume =
                ComposeBench.sleeper()
                + "volumes: {v: {driver_opts: {type: none, o: bind, device: \"${PLACE}\"}}}\n"
            #expect(
                await bench.failure("hidden", volume, ["env": ["PLACE": .string(place)]])?.code == .permissionDenied)
        }
        let mode = ComposeBench.sleeper().replacing("network_mode: none", "network_mode: ${MODE}")
        #expect(await bench.failure("hidden", mode, ["env": ["MODE": "host"]])?.code == .permissionDenied)
    }

    @Test func `nothing allows what the agent keeps, nor what leads to it`() async throws {
        let bench = try await ComposeBench(allows: Set(ComposeRisk.allCases))
        let project = Workbench.name("never")
        for place in ["/", "/proc", "/var/lib/innkeeper", bench.bench.engine.socket, "\(bench.root)/other/data"] {
            let error = await bench.failure(project, ComposeBench.sleeper("volumes: [\"\(place):/x\"]"))
            #expect(error?.code == .permissionDenied, "\(place): \(String(describing: error))")
            let volume =
                ComposeBench.sleeper() + "volumes: {v: {driver_opts: {type: none, o: bind, device: \"\(place)\"}}}\n"
            #expect(await bench.failure(project, volume)?.code == .permissionDenied)
        }
        // A link that its own containers have made.
        _ = try await bench.deploy(project, ComposeBench.sleeper("volumes: [\"./a:/a\"]"))
        #expect(symlink("/etc", bench.folder.file("compose/\(project)/data/link")) == 0)
        let error = await bench.failure(project, ComposeBench.sleeper("volumes: [\"./link:/a\"]"))
        #expect(error?.code == .permissionDenied && error?.cause?.contains("leads elsewhere") == true)
        try await bench.down(project)
    }

    @Test func `the owner of the node can allow it`() async throws {
        let bench = try await ComposeBench(allows: [.hostNetwork])
        let project = Workbench.name("host")
        _ = try await bench.deploy(
            project, ComposeBench.sleeper().replacing("network_mode: none", "network_mode: host"))
        try await bench.down(project)
    }

    @Test(arguments: [
        "", "a", "services: 1", "services: {}", "services: {a: 1}", "services:\n  a:\n   image: x\n  b: [",
        "include: [x]\nservices: {a: {image: x}}",
        "services: {a: {image: x, volumes: [\"../../etc:/x\"]}}", "services: {a: {image: x, volumes: [\"~/.ssh:/x\"]}}",
        "services: {\"a b\": {image: x}}", "services: {a: {image: !reset x}}",
    ])
    func `what is no compose file is refused with its line`(content: String) async throws {
        let bench = try await ComposeBench()
        #expect(await bench.failure("wrong", content)?.code == .invalidArgument)
        #expect(await bench.failure("wrong", content, operation: "validate")?.code == .invalidArgument)
    }

    @Test(arguments: ["", "-p", "A", "../x", "a/b", "a b", "_x", String(repeating: "a", count: 64)])
    func `names that are no projects are refused`(project: String) async throws {
        let bench = try await ComposeBench()
        #expect(await bench.failure(project, ComposeBench.sleeper())?.code == .invalidArgument)
    }

    @Test(arguments: ["PATH", "LD_PRELOAD", "DOCKER_HOST", "COMPOSE_FILE", "a b", "1X", "HTTPS_PROXY", "PYTHONPATH"])
    func `variables of the tool itself are not set`(name: String) async throws {
        let bench = try await ComposeBench()
        let error = await bench.failure("vars", ComposeBench.sleeper(), ["env": [name: "x"]])
        #expect(error?.code == .invalidArgument)
    }

    @Test func `the tool's own refusal is an invalid argument and changes nothing`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("refused")
        _ = try await bench.deploy(project, ComposeBench.sleeper())
        let before = bench.file(project)
        let error = await bench.failure(project, ComposeBench.sleeper("mem_limit: lots"))
        #expect(error != nil && error?.changed == false)
        #expect(await bench.failure(project, ComposeBench.sleeper("depends_on: [nobody]"))?.code == .invalidArgument)
        #expect(bench.file(project) == before)
        try await bench.down(project)
    }

    @Test func `a port that somebody has is a conflict, and another is proposed`() async throws {
        let bench = try await ComposeBench()
        let taken = try TakenPort()
        let content = "services: {web: {image: \"\(Workbench.image)\", ports: [\"127.0.0.1:\(taken.port):80\"]}}"
        let error = await bench.failure("ports", content)
        #expect(error?.code == .conflict)
        #expect(error?.cause?.contains("\(taken.port)/tcp") == true)
        let checked = try await bench.perform("validate", ["project": "ports", "content": .string(content)])
        let conflict = checked.observed["conflicts"]?.asArray?.first
        #expect(conflict?["kind"] == "port")
        #expect((conflict?["suggestion"]?.asInteger ?? 0) > taken.port)
        let scanned = try await bench.perform("scan", [:]).observed["ports"]?.asArray ?? []
        #expect(scanned.contains { $0["host"] == .integer(taken.port) && $0["host_ip"] == "127.0.0.1" })
        let moved = try await bench.perform(
            "transform",
            ["project": "ports", "content": .string(content), "transform": ["free_ports": [20000, 60000]]])
        #expect(moved.observed["content"]?.asString?.contains(":\(taken.port):") == false)
        taken.free()
    }

    @Test func `networks that are missing or overlap are told before the deployment`() async throws {
        let bench = try await ComposeBench()
        let name = Workbench.name("range")
        let range = NetworkTests.range()
        try await bench.bench.perform("network.ensure", ["name": .string(name), "subnet": .string(range)])
        let content = """
            services: {web: {image: "\(Workbench.image)", networks: [inner, outer]}}
            networks: {inner: {ipam: {config: [{subnet: "\(range)"}]}}, outer: {external: true, name: nowhere-at-all}}

            """
        let kinds = try await bench.perform("validate", ["project": "nets", "content": .string(content)])
            .observed["conflicts"]?.asArray?.compactMap { $0["kind"]?.asString }
        #expect(Set(kinds ?? []) == ["network", "subnet"])
        try await bench.bench.perform("network.remove", ["name": .string(name)])
    }

    @Test func `a file is fitted to the node as asked`() async throws {
        let bench = try await ComposeBench()
        let content = """
            version: "3.8"
            services:
              app:
                image: \(Workbench.image)
                ports: ["8080:80", "9000:9000/udp"]
                volumes: [./conf:/conf, /mnt/user/appdata/app:/data, named:/n]
                networks: [old]
            networks: {old: {}}
            volumes: {named: {}}

            """
        let outcome = try await bench.perform(
            "transform",
            [
                "project": "fit", "content": .string(content),
                "transform": [
                    "paths": ["/mnt/user/appdata": "/srv/appdata"], "appdata": "/srv/apps", "ports": ["9000": 19000],
                    "networks": ["old": "lan"],
                    "proxy": ["service": "app", "network": "proxy", "domain": "app.example.org"],
                ],
            ])
        let tree = try YAMLReader.read(try #require(outcome.observed["content"]?.asString))
        let app = tree["services"]?["app"]
        #expect(app?["ports"] == ["19000:9000/udp"])
        #expect(app?["volumes"] == ["/srv/apps/fit/conf:/conf", "/srv/appdata/app:/data", "named:/n"])
        #expect(app?["networks"] == ["lan": nil, "proxy": ["aliases": ["fit-app"]]])
        #expect(tree["networks"]?["lan"] == ["external": true, "name": "lan"])
        #expect(tree["networks"]?["old"] == nil)
        #expect(outcome.observed["proxy"]?["upstream"] == "fit-app")
        #expect(outcome.observed["proxy"]?["port"] == 80)
        #expect(outcome.observed["changes"]?.asArray?.count == 6)
        #expect(outcome.observed["not_done"] == [])
    }
}
