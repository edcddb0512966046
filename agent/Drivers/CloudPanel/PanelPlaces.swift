/// Where the panel and what belongs to it stand, below a root that is empty on a node and a folder in a test.
package struct PanelPlaces: Sendable, Hashable {
    package let root: String

    package init(root: String = "") { self.root = root }

    var tool: String { "\(root)/usr/bin/clpctl" }
    var database: String { "\(root)/home/clp/htdocs/app/data/db.sq3" }
    var accounts: String { "\(root)/etc/passwd" }
    /// What another caller of the tool shows in the table of processes.
    var callers: Set<String> {
        [tool, "\(root)/usr/bin/clpctlWrapper", "\(root)/home/clp/htdocs/app/files/bin/clpctl"]
    }
    var locks: String { "\(root)/run/lock" }
    var lock: String { "\(locks)/innkeeper-clpctl.lock" }
    /// For files that the tool reads and that must not stay: memory, not a disk.
    var handover: String { "\(root)/run" }

    func program(_ name: String) -> String { "\(root)/usr/sbin/\(name)" }

    var hosts: String { "\(root)/etc/nginx/sites-enabled" }
    func host(_ domain: String) -> String { "\(hosts)/\(domain).conf" }
    func certificate(_ domain: String) -> String { "\(root)/etc/nginx/ssl-certificates/\(domain).crt" }
    func key(_ domain: String) -> String { "\(root)/etc/nginx/ssl-certificates/\(domain).key" }
    func home(_ user: String) -> String { "\(root)/home/\(user)" }

    static let suspensionPrefix = "+innkeeper-suspended-"
    /// nginx reads the folder in the order of the bytes and gives a name to the first that claims it: `+` comes before
    /// everything that a domain can begin with.
    func suspension(_ domain: String) -> String { "\(hosts)/\(Self.suspensionPrefix)\(domain).conf" }
    /// Copies of certificates, so that a suspension does not depend on files that the panel may remove.
    var suspended: String { "\(root)/etc/nginx/innkeeper-suspended" }

    static let aliasPrefix = "~innkeeper-aliases-"
    /// `~` comes after everything that a domain can begin with: a name that another site of the panel's has stays its.
    func aliases(_ domain: String) -> String { "\(hosts)/\(Self.aliasPrefix)\(domain).conf" }

    var state: String { "\(root)/var/lib/innkeeper/cloudpanel" }
    /// One file for each site that is being added or deleted, with its user inside.
    var begun: String { "\(state)/begun" }
    /// One file for each site that bears a mark.
    var marks: String { "\(state)/marks" }
    /// One file for each site that answers for further names, with the names inside.
    var aliased: String { "\(state)/aliases" }
    /// One folder for each backup of a site.
    var backups: String { "\(state)/backups" }
    var dumps: String { "\(state)/dumps" }

    /// What belongs to a site outside of its user's home.
    func belongings(_ domain: String, _ user: String) -> [String] {
        let pools = Files.names(in: "\(root)/etc/php").sorted().map {
            "\(root)/etc/php/\($0)/fpm/pool.d/\(domain).conf"
        }
        return [host(domain), certificate(domain), key(domain), "\(root)/etc/nginx/basic-auth/\(domain)"] + pools
            + ["\(root)/etc/logrotate.d/\(user)", "\(root)/etc/cron.d/\(user)"]
    }
}
