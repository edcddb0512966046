import DriverKit
import Model
import WireProtocol

/// What the driver's actions take.
extension SwagDriver {
    static let arguments: [String: [Argument]] = [
        "installation.inspect": [],
        "config.list": [.flag("samples", "with SWAG's own samples")],
        "config.read": [.text("file", .proxyFile(samples: true), "which file")],
        "config.check": [],
        "config.generate": ProxySpec.arguments,
        "config.ensure": ProxySpec.arguments + [
            .flag("any_upstream", "also one that is no container of a network that SWAG shares")
        ],
        "config.write": [
            .text("file", .proxyFile(samples: false), "which file"), .text("content", "code of nginx"),
            .flag("overwrite", "a file of that name goes"),
        ],
        "config.remove": [
            .configuration, .service, .flag("unmanaged", "also a file that bears no mark"),
        ],
        "config.mark": [.configuration, .markOfAdoption],
        "config.reload": [],
    ]
}

extension Argument {
    static let configuration = text("name", .configurationName, "the first part of the file's name")
    static let service = text("service", .identifier, "whose it is; another's is left alone").optional
}

extension TextForm {
    static let configurationName = TextForm("\(Grammar.containerName.expectation); no dots, at most 100 characters") {
        Grammar.containerName.accepts($0) && !$0.contains(".") && $0.utf8.count <= 100
    }
    static let hostName = TextForm("a whole name such as shop.example.org, without wildcards") {
        ProxySpec.isHostName($0.lowercased())
    }
    static let upstream = TextForm("the name of a container or an address beyond this machine", ProxySpec.isUpstream)

    static func proxyFile(samples: Bool) -> TextForm {
        TextForm("a name that ends in .subdomain.conf or .subfolder.conf") { text in
            ProxyFile(text).map { samples || $0.isActive } ?? false
        }
    }
}

extension ProxySpec {
    static let arguments: [Argument] = [
        .configuration, .service,
        .list("server_names", of: .text(.hostName), 1...50, "under which names"),
        .text("upstream", .upstream, "where requests go"), .integer("port", 1...65535, "its port"),
        .choice("protocol", ["http", "https"], "how it is spoken to").or("http"),
        .integer("body_limit_bytes", 0...1 << 50, "of a request; 0 is no limit").or(0),
        .choice("access", ["basic", "authelia", "authentik", "ldap", "tinyauth"], "who may; public without it")
            .optional,
        .flag("streaming", "answers are sent on as they come"),
        .text("sample", .containerName, "SWAG's own sample of this app is used").optional,
    ]
}
