import DriverKit
import Model
import WireProtocol

/// What the driver's actions take.
extension CloudPanelDriver {
    static let arguments: [String: [Argument]] = [
        "site.list": [], "site.show": [.domain],
        "site.add": SiteSpec.arguments,
        "site.delete": [.domain, .text("user", .siteUser, "deleted only when it is this one's").optional],
        "site.mark": [.domain, .markOfAdoption], "site.unmark": [.domain, .markOfAdoption],
        "site.suspend": [.domain], "site.resume": [.domain],
        "site.restart": [.domain], "site.password": [.domain],
        "site.aliases": [
            // Beside the site's own, as many as fit into one certificate.
            .domain,
            .list("names", of: .text(TextForm(.domainName)), 0...98, "all further names; none takes them away"),
        ],
        "site.backup": [.domain, .backup],
        "site.restore": [
            .domain, .backup,
            .list("databases", of: .text(.databasePair), 0...1000, "where dumps go, if not into those they are of")
                .optional,
        ],
        "backup.list": [], "backup.delete": [.backup],
        "site.permissions": [
            .domain, .text("directories", .fileMode, "modes of folders").or("770"),
            .text("files", .fileMode, "modes of files").or("660"),
            .text("path", .absolutePath, "below the site's folder").optional,
        ],
        "certificate.show": [.domain],
        "certificate.order": [
            // The authority's limit for one certificate is 99 names.
            .domain, .list("names", of: .text(TextForm(.domainName)), 0...98, "further names").optional,
            .integer("renew_within_days", 0...60, "one that ends sooner is ordered anew").or(30),
            .flag("force", "order in any case"),
        ],
        "certificate.install": [
            .domain, .text("certificate", .free(64 << 10), "as PEM"),
            .text("chain", .free(64 << 10), "the authority's own, as PEM").optional,
        ],
        "database.list": [.domain.optional],
        "database.add": [
            .domain, .database, .text("user", .databaseName, "who may read and write"),
            .flag("adopt", "one that the server has and the panel does not know is taken"),
        ],
        "database.delete": [.database, .text("domain", .domainName, "deleted only when it is this one's").optional],
        "database.export": [.database, .dump], "database.import": [.database, .dump],
        "dump.list": [], "dump.read": [.dump], "dump.write": [.dump], "dump.delete": [.dump],
        "user.list": [], "user.add": UserSpec.arguments, "user.delete": [.user], "user.password": [.user],
        "template.list": [], "template.show": [.template], "template.delete": [.template],
        "template.add": [
            .template, .text("text", .free(64 << 10), "configuration of nginx with the panel's placeholders"),
            .text("root_directory", .rootDirectory, "below the site's folder").optional,
        ],
    ]

    static let secrets: [String: [Argument]] = [
        "site.add": [.text("site_user_password", .password, "of the site's account, which is locked without").optional],
        "site.password": [.text("password", .password, "of the site's account")],
        "certificate.install": [.text("private_key", .free(32 << 10), "its key, as PEM")],
        "database.add": [.password], "user.add": [.password], "user.password": [.password],
    ]
}

extension Argument {
    static let domain = text("domain", .domainName, "which site")
    static let database = text("database", .databaseName, "which database")
    static let dump = text("dump", .dumpName, "which dump, a file in the folder of dumps")
    static let backup = text("backup", .fileName, "which backup, a folder in that of backups")
    static let user = text("user", .panelUserName, "which user of the panel")
    static let template = text("template", .templateName, "which template")
    /// The panel's tool takes it among its words, through a shell's quoting.
    static let password = text("password", .wordPassword, "the password")
}

extension TextForm {
    static let wordPassword = TextForm("8 to 128 letters and digits") { text in
        (8...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) }
    }
    static let password = TextForm("8 to 128 visible ASCII characters") { text in
        (8...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
    static let fileMode = TextForm("a mode such as 770, not writable for everybody") { text in
        text.utf8.count == 3 && text.utf8.first != 0x30 && UInt16(text, radix: 8).map { $0 & 0o002 == 0 } ?? false
    }
    static let databasePair = TextForm("the names of two databases with a colon between") { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        return parts.count == 2 && parts.allSatisfy(Grammar.databaseName.accepts)
    }
    static let dumpName = TextForm("a file's name that ends in .sql or .sql.gz") {
        Grammar.fileName.accepts($0) && Dump.isName($0)
    }
    /// `WordPress`, `Laravel 11`: the names that the panel's own templates have.
    static let templateName = TextForm("1 to 64 letters, digits, spaces, dots, dashes and underscores") { text in
        (1...64).contains(text.utf8.count) && text.trimmed == text && !text.hasPrefix("-") && !text.hasPrefix(".")
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || " ._-".utf8.contains($0)
            }
    }
    static let rootDirectory = TextForm("a path of plain names below the site's") { text in
        Grammar.absolutePath.accepts("/\(text)") && text.utf8.count <= 128
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || "._-/".utf8.contains($0)
            }
    }
    /// `22`, or `8.3` with two parts.
    static func version(_ parts: Int) -> TextForm {
        TextForm("a version such as \(parts == 1 ? "22" : "8.3")") { text in
            let pieces = text.split(separator: ".", omittingEmptySubsequences: false)
            return pieces.count == parts
                && pieces.allSatisfy {
                    (1...2).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
                }
        }
    }
    /// The address is pasted into nginx's configuration: a scheme, a host and a port, nothing else.
    static let proxyURL = TextForm("http:// or https://, a host, a colon and a port") { text in
        let scheme = ["http://", "https://"].first { text.hasPrefix($0) }
        return scheme.map { Grammar.hostPort.accepts(String(text.dropFirst($0.count))) } ?? false
    }
    /// In lower case, as the panel makes it.
    static let panelUserName = TextForm("2 to 64 of a-z, 0-9, \".\", _ and -, beginning with a letter") { text in
        (2...64).contains(text.utf8.count) && text.first?.isLetter == true
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "._-".utf8.contains($0)
            }
    }
    static let email = TextForm("an e-mail address in lower case") { text in
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && (1...64).contains(parts[0].utf8.count)
            && Grammar.domainName.accepts(String(parts[1])) && !text.hasPrefix("-")
            && parts[0].utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "._+-".utf8.contains($0)
            }
    }
    /// Letters of all languages; nothing that a shell reads.
    static let personName = TextForm("1 to 64 letters, spaces, dots and dashes") { text in
        (1...64).contains(text.count) && text.first?.isLetter == true && text.trimmed == text
            && text.allSatisfy { $0.isLetter || " .-".contains($0) }
    }
    static let timezone = TextForm("a timezone such as Europe/Berlin") { text in
        (1...64).contains(text.utf8.count) && text.first?.isLetter == true
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || "_/+-".utf8.contains($0)
            }
    }
}

extension SiteSpec {
    static let arguments: [Argument] = [
        .domain, .text("user", .siteUser, "its account on the node"),
        .choice("type", types, "what it is"),
        .text("php_version", .version(2), "needed for php").optional,
        .text("vhost_template", .templateName, "for php; Generic without it").optional,
        .text("nodejs_version", .version(1), "needed for nodejs").optional,
        .text("python_version", .version(2), "needed for python").optional,
        // A tenant's program cannot listen below 1024.
        .integer("app_port", 1024...65_535, "needed for nodejs and python").optional,
        .text("reverse_proxy_url", .proxyURL, "needed for reverse-proxy").optional,
    ]
}

extension UserSpec {
    static let arguments: [Argument] = [
        .user, .text("email", .email, "the address"), .text("first_name", .personName, "the first name"),
        .text("last_name", .personName, "the last name"),
        .choice("role", ["admin", "site-manager", "user"], "what it may do").or("user"),
        .list("sites", of: .text(TextForm(.domainName)), 0...1000, "which sites it sees, for the role user").optional,
        .text("timezone", .timezone, "its timezone").or("UTC"),
        .flag("active", "whether it may log in").or(true),
    ]
}
