package import DriverKit

extension LibvirtDriver {
    package func needs() async -> [Need] {
        [
            Need(
                tools.virsh[0], for: "everything but logs", problem: await daemonProblem,
                advice: "systemctl status libvirtd, or remove libvirt-clients where there are no virtual machines"),
            Need.readable(tools.logs, for: "logs of virtual machines", advice: "run the agent as root"),
            Need.program(tools.journalctl[0], for: "logs that are in the journal", package: "systemd"),
        ]
    }

    private var daemonProblem: String? {
        get async {
            do throws(DriverError) {
                _ = try await tools.ask(.list)
                return nil
            } catch { return error.message }
        }
    }
}
