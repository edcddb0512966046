package import DriverKit

extension HostDriver {
    package func needs() async -> [Need] {
        [
            Need.program("smartctl", for: "the health of drives", package: "smartmontools"),
            Need.program("journalctl", for: "the journal", package: "systemd"),
            Need.program("apt-get", for: "the list of updates", package: "apt"),
            Need.readable("/var/log", for: "files of syslog", advice: "run the agent as root"),
        ]
    }
}
