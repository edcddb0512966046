import DriverKit
import Model
import WireProtocol

/// What the driver's actions take.
extension DockerDriver {
    static let arguments: [String: [Argument]] = [
        "container.ensure": ContainerSpec.arguments,
        "container.start": [.container] + own,
        "container.stop": [.container, .grace] + own,
        "container.restart": [.container, .grace] + own,
        "container.remove": [.container, .flag("force", "also when it runs")] + own,
        "container.update": [.container] + ContainerLimits.arguments + own,
        "container.inspect": [.container],
        "container.list": [
            .flag("all", "with those that do not run").or(true), .flag("managed", "only those of services"),
        ],
        "container.logs": [.container] + LogQuery.arguments,
        "container.stats": [
            .container, .flag("follow", "a line of figures each time, until the command is cancelled"),
            .integer("interval_ms", 100...60_000, "between two looks, by which the processor is reckoned").optional,
        ],
        "container.exec": [.container] + ExecutionRequest.arguments,
        "container.prune": prune, "image.prune": prune, "network.prune": prune, "volume.prune": prune,
        "image.import": [
            .image, .text("path", .absolutePath, "the file on the node"),
            .flag("replace", "an image of that name goes"),
        ],
        "image.pull": [.image, .flag("always", "ask the registry also where the image is there")],
        "image.list": [],
        "image.remove": [.image, .flag("force", "also where a stopped container has it")],
        "network.list": [], "network.inspect": [.network],
        "network.ensure": [
            .network, .service,
            .text("subnet", .subnet, "its range; the engine chooses without it").optional,
            .text("gateway", .address, "its gateway").optional, .flag("internal", "no way out of it"),
        ],
        "network.remove": [.network, .foreign],
        "network.connect": [
            .text("network", .containerName, "which network"), .container,
            .list("aliases", of: .text(TextForm(.containerName)), 0...64, "further names of it there").optional,
        ],
        "network.disconnect": [
            .text("network", .containerName, "which network"), .container,
            .flag("force", "also when it does not answer"),
        ],
        "volume.list": [], "volume.inspect": [.volume], "volume.ensure": [.volume, .service],
        "volume.remove": [.volume, .foreign],
        "event.list": [
            .list("types", of: .choice(kinds), 0...16, "of what; all without it").optional,
            .since, .until, .follow,
        ],
        "compose.validate": ComposeSpec.arguments,
        "compose.scan": [.text("project", .project, "leave this one out").optional],
        "compose.transform": ComposeSpec.arguments,
        "compose.deploy": ComposeSpec.arguments + [
            .flag("pull", "fetch the images").or(true), .flag("up", "start the containers").or(true),
            .flag("remove_orphans", "containers that the file does not have any more go").or(true),
            .flag("rollback", "go back to the old file when they do not come up").or(true),
            .flag("ignore_conflicts", "also where somebody has a name or a port of it"),
            .integer("wait_s", 0...3600, "how long they may take to come up").or(120),
            .text("registry", "whom the login is for; Docker's own without it").optional,
        ],
        "compose.down": [
            .project, .flag("volumes", "its volumes go, too"), .flag("remove_files", "its folder goes, too"), .grace,
        ],
        "compose.list": [], "compose.ps": [.project],
        "compose.logs": [.project, .text("service", "of this one only").optional] + LogQuery.arguments,
    ]

    static let secrets: [String: [Argument]] = [
        "container.ensure": [.variables], "container.exec": [.variables], "image.pull": login,
        "compose.validate": [.variables], "compose.transform": [.variables], "compose.deploy": [.variables] + login,
    ]

    /// Whose the thing must be.
    private static let own: [Argument] = [.service, .foreign]
    private static let prune: [Argument] = [
        .integer("older_than_s", 0...315_360_000, "seconds since it was made").or(0),
        .flag("all", "what bears a name, too"), .flag("dry_run", "tell, and remove nothing"),
    ]
    private static let login: [Argument] = [
        .text("registry_username", "the registry's user").optional,
        .text("registry_password", "the registry's password").optional,
    ]
}

extension Argument {
    static let container = text("name", .containerName, "which container")
    static let network = text("name", .containerName, "which network")
    static let volume = text("name", .containerName, "which volume")
    static let image = text("reference", .imageReference, "which image")
    static let service = text("service", "whose it is; another's is left alone").optional
    static let foreign = flag("unmanaged", "also what bears no mark of a service")
    static let project = text("project", .project, "which project")
    static let grace = integer("grace_s", 0...3600, "how long it may take to end before it is killed").or(10)
    static let follow = flag("follow", "go on telling until the command is cancelled")
    static let since = integer("since", 0...253_402_300_799_999, "milliseconds since 1970").optional
    static let until = integer("until", 0...253_402_300_799_999, "milliseconds since 1970").optional
    /// They may stand among the arguments and, those that nobody may see, among the secrets.
    static let variables = map("env", .environmentName, of: .text(.withoutNUL), "variables of its environment").optional
}

extension TextForm {
    static let environmentName = TextForm(Grammar.environmentName)
    static let withoutNUL = TextForm("a string without NUL") { !$0.utf8.contains(0) }
    static let project = TextForm(ComposeFile.project, ComposeFile.isProject)
    static let subnet = TextForm("an address range such as 10.1.2.0/24") { AddressRange($0) != nil }
    static let address = TextForm("an IP address") { AddressRange("\($0)/32") != nil }
    static let listener = TextForm("an IP address", ContainerSpec.isAddress)
    static let restart = TextForm("no, always, unless-stopped, on-failure or on-failure:N") { RestartPolicy($0) != nil }
    static let port = TextForm("a port number") { Int64($0).map { (1...65535).contains($0) } ?? false }
}

extension ContainerSpec {
    static let arguments: [Argument] =
        [
            .container, .text("image", .imageReference, "what it is made of"),
            .list("command", of: .text(.any), 0...4096, "in place of the image's own").optional, .variables,
        ] + ContainerLimits.arguments + [
            .text("restart", .restart, "when the engine starts it again").or("unless-stopped"),
            .list("mounts", of: .record(mount), 0...64, "folders of the node that it sees").optional,
            .text("network", .containerName, "the network it is in").or("none"),
            .list("ports", of: .record(port), 0...64, "ports of the node that lead to it").optional,
            .map("labels", TextForm(.labelKey), of: .text(.free(4096)), "further labels").optional,
            .flag("running", "whether it is to run").or(true),
            .flag("replace", "one of the name that is otherwise goes"),
        ]

    private static let mount: [Argument] = [
        .text("source", .absolutePath, "on the node"), .text("target", .absolutePath, "inside"),
        .flag("read_only", "it cannot write there"),
    ]
    private static let port: [Argument] = [
        // What the engine publishes passes the host's firewall: only on the loopback unless asked otherwise.
        .text("host_ip", .listener, "address of the node").or("127.0.0.1"),
        .integer("host", 0...65535, "port of the node; 0 lets the engine choose").or(0),
        .integer("container", 1...65535, "port inside"), .choice("protocol", ["tcp", "udp"], "how").or("tcp"),
    ]
}

extension ContainerLimits {
    static let arguments: [Argument] = [
        .integer("memory_bytes", (6 << 20)...(1 << 50), "memory, without swap").optional,
        .integer("cpu_millis", 10...1_000_000, "thousandths of a core").optional,
        .integer("pids", 1...4_194_304, "processes at most").optional,
    ]
}

extension ExecutionRequest {
    static let arguments: [Argument] = [
        .list("command", of: .text(.withoutNUL), 1...4096, "the program and its words"),
        .flag("stdin", "the program reads the input of the command"), .flag("tty", "with a terminal"),
        .integer("rows", 1...10_000, "of the terminal").optional,
        .integer("columns", 1...10_000, "of the terminal").optional,
        .text("directory", .absolutePath, "where it begins").optional, .text("user", "as whom it runs").optional,
        .variables,
    ]
}

extension LogQuery {
    static let arguments: [Argument] = [
        .integer("tail", 0...1_000_000, "how many lines at most").or(100), .follow,
        .flag("timestamps", "each line begins with its time"), .since, .until,
    ]
}

extension ComposeSpec {
    static let arguments: [Argument] = [
        .project, .text("content", "the compose file"), .variables,
        .record("transform", ComposeTransform.arguments, "what is changed in it for this node").optional,
    ]
}

extension ComposeTransform {
    static let arguments: [Argument] = [
        .map("paths", path, of: .text(path), "beginnings of mount sources, old to new").optional,
        .text("appdata", .absolutePath, "where relative paths go").optional,
        .map("networks", name, of: .text(name), "networks, old to the node's").optional,
        .map("ports", .port, of: .integer(1...65535), "ports, old to new").optional,
        .list("free_ports", of: .integer(1...65535), 2...2, "the range to take others' ports from").optional,
        .record(
            "proxy",
            [
                .text("service", "which service"),
                .integer("port", 1...65535, "its port inside; its own without it").optional,
                .text("network", .containerName, "the proxy's network"),
                .text("domain", .nodeName, "under which name").optional,
                .flag("keep_ports", "its published port stays"),
            ], "a service that goes behind the proxy"
        ).optional,
    ]
    private static let path = TextForm(.absolutePath)
    private static let name = TextForm(.containerName)
}
