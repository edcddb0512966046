import DriverKit
import Model
import WireProtocol

/// What the driver's actions take.
extension HelmDriver {
    static let arguments: [String: [Argument]] = [
        "release.list": [.text("namespace", .namespaceName, "of this one only").optional],
        "release.status": release,
        "release.history": release,
        "release.ready": release + [
            .integer("timeout_s", 0...7200, "how long to wait; 0 looks once").or(0), .ingressAddress,
        ],
        "release.events": release + [.integer("limit", 1...1000, "how many at most").or(200)],
        "release.logs": release + LogRequest.arguments,
        "release.install": release + ReleaseSpec.arguments + owned,
        "release.upgrade": release + ReleaseSpec.arguments + owned,
        "release.rollback": release + [
            .integer("revision", 1...Int64(Int32.max), "to which; the last good one before without it").optional
        ] + ReleaseSpec.Patience.arguments + owned,
        "release.uninstall": release + [
            .flag("wait", "until nothing of it is left").or(true),
            .integer("timeout_s", 1...7200, "how long it may take").or(300),
        ] + owned,
        "release.heal": release + [
            .integer("min_age_s", 0...86_400, "how long it is left to whoever may work on it").optional
        ] + owned,
        "namespace.inspect": namespace,
        "namespace.ensure": namespace + [.markOfAdoption],
        "namespace.remove": namespace + [
            .markOfAdoption, .integer("timeout_s", 1...7200, "how long it may take").or(120),
        ],
        "secret.ensure": namespace + [
            .markOfAdoption, .text("secret", .kubernetesName, "its name"),
            .map(
                "keys", TextForm(.kubernetesName), of: .integer(16...128),
                "names of its words, and how long each is"),
        ],
    ]

    static let secrets: [String: [Argument]] = [
        "release.install": secretValues, "release.upgrade": secretValues, "release.rollback": secretValues,
    ]

    private static let secretValues = [Argument("values", .map(.any, .any), "values that nobody may see").optional]

    private static let owned: [Argument] = [
        .mark, .flag("own_namespace", "whether its namespace must bear the mark, too").or(false),
    ]

    private static let namespace: [Argument] = [.text("namespace", .namespaceName, "its name")]

    private static let release: [Argument] = [
        .text("namespace", .namespaceName, "its namespace"), .text("release", .releaseName, "its name"),
    ]
}

extension Argument {
    static let ingressAddress = flag("ingress_address", "an ingress without an address is not ready").or(true)
}

extension LogRequest {
    static let arguments: [Argument] = [
        .text("pod", .kubernetesName, "of this one only").optional,
        .flag("follow", "go on telling until the command is cancelled; needs pod"),
        .text("container", .kubernetesName, "of this one only").optional,
        .integer("tail", 0...100_000, "how many lines of each at most").or(200),
        .integer("since_s", 1...31_536_000, "not older than so many seconds").optional,
        .flag("previous", "of the run before"),
    ]
}

extension ReleaseSpec {
    static let arguments: [Argument] =
        [
            .text("chart", .chart, "a folder or file of the node, one of a registry, or a name in repo"),
            .text("version", .chartVersion, "which version").optional,
            .text("repo", .chartRepository, "where a bare name is looked up").optional,
            Argument("values", .map(.any, .any), "all values but those of the chart itself").optional,
            .flag("keep_values", "the values that the release has stay below these"),
            .flag("create_namespace", "make the namespace where it is not there").or(true),
            .flag("always", "a new revision although nothing is different"),
            .flag("atomic", "Helm itself waits, and takes everything back when it fails"),
        ] + Patience.arguments
}

extension ReleaseSpec.Patience {
    static let arguments: [Argument] = [
        .flag("wait", "until pods, jobs and ingresses are ready").or(true), .ingressAddress,
        .integer("timeout_s", 1...7200, "how long each phase may take").or(600),
    ]
}

extension TextForm {
    static let chart = TextForm("a path, an oci:// reference, or the name of a chart") { text in
        let grammar: Grammar =
            text.hasPrefix("/") ? .absolutePath : text.hasPrefix("oci://") ? .ociChart : .chartName
        return grammar.accepts(text)
    }
}
