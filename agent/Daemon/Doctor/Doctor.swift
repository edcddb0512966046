import AgentCore
import DaemonKit
import Glibc
import Model

/// `doctor`: what the agent finds on its machine, what is wrong, and what to do. It only looks.
struct Doctor {
    static let usualData = "/var/lib/innkeeper/agent"
    static let usualConfiguration = "/etc/innkeeper/agent.json"
    /// Room for the journal and the audit log beside the spool.
    private static let journalBytes: UInt64 = 64 << 20

    let data: String
    /// Nil for the usual file, which may be absent.
    let file: String?

    func examine() async -> Diagnosis {
        var diagnosis = Diagnosis()
        diagnosis.add(geteuid() == 0 ? .good("user", "root") : notRoot)
        let configuration = examineConfiguration(&diagnosis)
        diagnosis.add(MachineRemarks.folder(data, make: "innkeeper-agent enrol --data \(data) makes it"))
        diagnosis.add(StateModes.remarks(in: data))
        diagnosis.add(MachineRemarks.clock())
        diagnosis.add(
            MachineRemarks.room(
                in: nearestFolder, needed: UInt64(configuration.settings.spoolBytes) + Self.journalBytes))
        let (remarks, identity) = IdentityRemarks.examine(data)
        diagnosis.add(remarks)
        if let identity { diagnosis.add(await ControllerRemark.reach(identity.controller)) }
        diagnosis.add(
            await DriverRemarks.examine(
                configuration, data: data, process: DataDirectory.holder(of: data)))
        return diagnosis
    }

    private var notRoot: Remark {
        .note("user", "not root: what only root may see is missing below", advice: "run it as root, as the agent runs")
    }

    /// A configuration that cannot be used is replaced by the standard one, so that the rest can be looked at.
    private func examineConfiguration(_ diagnosis: inout Diagnosis) -> AgentConfiguration {
        let path = file ?? Self.usualConfiguration
        guard file != nil || access(path, F_OK) == 0 else {
            diagnosis.add(.good("configuration", "there is no \(path): everything is as it comes"))
            return AgentConfiguration()
        }
        do throws(ConfigurationError) {
            let read = try AgentConfiguration(file: path)
            let policy = read.settings.policy == .standard ? "the standard policy" : "a policy of its own"
            diagnosis.add(.good("configuration", "\(path) is valid, with \(policy)"))
            return read
        } catch {
            diagnosis.add(
                .wrong("configuration", error.message, advice: "put it right; the agent does not start with it"))
            return AgentConfiguration()
        }
    }

    /// The file system of the data folder can be asked before the folder is there.
    private var nearestFolder: String {
        var path = data
        while access(path, F_OK) != 0, let slash = path.lastIndex(of: "/") {
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
        return path.isEmpty ? "/" : path
    }
}
