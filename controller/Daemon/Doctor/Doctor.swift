import ArgumentParser
import DaemonKit
import Glibc
import Model
import Transport

/// `doctor`: what the controller finds on its machine, what is wrong, and what to do. It only looks.
struct Doctor: AsyncParsableCommand {
    static let usualData = "/var/lib/innkeeper/controller"
    static let usualConfiguration = "/etc/innkeeper/controller.json"

    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what is found on this machine, what is wrong and what to do.",
        discussion: "Only looks. Run by root, it looks with the rights of the user whose the data folder is. "
            + "Exit code 1 when something is wrong.")

    @Option(name: .long, help: "The folder of the controller's state.")
    var data = Self.usualData
    @Option(name: .long, help: "The JSON file of settings (default \(Self.usualConfiguration), when it is there).")
    var config: String?

    func run() async throws {
        Daemon.closeToOthers()
        let user = Owner.become(of: data)
        var diagnosis = Diagnosis()
        if let user { diagnosis.add(user) }
        examine(&diagnosis)
        print(diagnosis)
        if !diagnosis.isWell { throw ArgumentParser.ExitCode(DaemonKit.ExitCode.failure) }
    }

    func examine(_ diagnosis: inout Diagnosis) {
        let configuration = examineConfiguration(&diagnosis)
        let folder = MachineRemarks.folder(data, make: "innkeeper-controller init --data \(data)")
        diagnosis.add(folder)
        if folder.verdict == .good { diagnosis.add(StateRemarks(folder: data).examine()) }
        diagnosis.add(MachineRemarks.clock())
        diagnosis.add(MachineRemarks.room(in: access(data, F_OK) == 0 ? data : "/", needed: StateRemarks.room(data)))
        let holder = DataDirectory.holder(of: data)
        diagnosis.add(PortRemark.examine(configuration.api, for: "API", holder: holder))
        for address in configuration.furtherAddresses {
            diagnosis.add(PortRemark.examine(address, for: "API", holder: holder))
        }
        if let pair = configuration.apiPair { diagnosis.add(Self.examine(pair)) }
        diagnosis.add(PortRemark.examine(configuration.agents, for: "agents", holder: holder))
        diagnosis.add(DescriptorRemark.examine(DescriptorLimit.raise()))
    }

    private static func examine(_ pair: OperatorPair) -> Remark {
        do {
            let end = Timestamp(milliseconds: try pair.identity().chain[0].notAfter)
            guard end > .now() else {
                return .wrong(
                    "certificate of the API", "\(pair.certificate) has ended at \(end.iso8601)", advice: "renew it")
            }
            return .good("certificate of the API", "\(pair.certificate) is good until \(end.iso8601)")
        } catch {
            return .wrong(
                "certificate of the API", "\(error)", advice: "put right what api_tls names in the configuration")
        }
    }

    /// A configuration that cannot be used is replaced by the standard one, so that the rest can be looked at.
    private func examineConfiguration(_ diagnosis: inout Diagnosis) -> ServeConfiguration {
        let path = config ?? Self.usualConfiguration
        guard config != nil || access(path, F_OK) == 0 else {
            diagnosis.add(.good("configuration", "there is no \(path): everything is as it comes"))
            return ServeConfiguration()
        }
        do throws(ConfigurationError) {
            let read = try ServeConfiguration.read(path)
            diagnosis.add(.good("configuration", "\(path) is valid"))
            return read
        } catch {
            let advice = "put it right; the controller does not start with it"
            diagnosis.add(.wrong("configuration", error.message, advice: advice))
            return ServeConfiguration()
        }
    }
}
