package import DriverKit

extension CloudPanelDriver {
    package func needs() async -> [Need] {
        sudo
            + [
                Need.readable(
                    places.database, for: "everything: it says what is there", vital: true,
                    advice: "run the agent as root, and see whether the panel itself works"),
                Need.folder(places.state, for: "remembering sites in the making, and for dumps"),
                Need.folder(places.locks, for: "one change at a time"),
                Need.folder(places.hosts, for: "suspending a site", vital: false),
                Need.program(places.program("nginx"), for: "suspending a site"),
                Need.program(places.program("chpasswd"), for: "setting a site user's password", package: "passwd"),
                Need.program(places.program("usermod"), for: "locking a site user", package: "passwd"),
                Need.program(places.program("userdel"), for: "clearing what a dead clpctl left", package: "passwd"),
                Need.program(
                    places.program("runuser"), for: "backups of sites, packed as their tenants", package: "util-linux"),
                Need.program("tar", for: "backups of sites"),
                Need.program("gzip", for: "checking dumps"),
                Need.program("cat", for: "checking dumps", package: "coreutils"),
            ]
    }

    /// The panel's tool is a script that calls it. Below another root stands something else in the tool's place.
    private var sudo: [Need] {
        places.root.isEmpty ? [Need.program("sudo", for: "everything that clpctl does as root", vital: true)] : []
    }
}
