import DriverKit
import Model
import Processes
import WireProtocol

/// The machine's disks: what they are, what they do, and how they say they are.
extension HostDriver {
    func listDrives(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let drives = await drives()
        return ActionOutcome(changed: false, observed: ["drives": .array(drives.map { .object($0.json) })])
    }

    func tellDriveStatistics(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let drives = try await named(in: call, withMore: { _ throws(DriverError) in })
        let root = root
        let list = await aside {
            let files = SystemFiles(root: root)
            return drives.map { drive -> JSONValue in
                var object: JSONObject = ["name": .string(drive.name)]
                let counters = files.read("/sys/block/\(drive.name)/stat") { DriveCounters(&$0) }
                for member in counters?.json.members ?? [] { object[member.key] = member.value }
                return .object(object)
            }
        }
        return ActionOutcome(changed: false, observed: ["drives": .array(list)])
    }

    /// Asks each drive by smartctl. One that sleeps is left asleep, one that does not answer says so for itself alone.
    func tellDriveHealth(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var wakes = false
        var withAttributes = false
        var member: String?
        let drives = try await named(in: call) { reader throws(DriverError) in
            wakes = try reader.bool("wake")
            withAttributes = try reader.optionalBool("attributes") ?? (call.arguments["drive"] != nil)
            member = try reader.optionalString("member")
            if member != nil, call.arguments["drive"] == nil {
                throw .invalidArgument("member", "needs drive, the disk that the controller makes up")
            }
        }
        guard tools.path(of: "smartctl") != nil else {
            throw DriverError(
                .unavailable, "smartctl is not installed on this node", retryable: false,
                cause: "the package smartmontools has it")
        }
        var list: [JSONValue] = []
        var troubled = 0
        var scanned: [RaidMember]?
        for drive in drives {
            var object: JSONObject = ["name": .string(drive.name)]
            object["member"] = member.map { .string($0) }
            do throws(DriverError) {
                let report = try await smart(drive, member, wakes: wakes)
                if report.verdict == .failing || report.verdict == .worn { troubled += 1 }
                for member in report.json(withAttributes: withAttributes).members { object[member.key] = member.value }
                if report.verdict == .unknown, member == nil, let controller = drive.controller {
                    let problems = report.problems + [controller.advice(drive.name)]
                    object["problems"] = .array(problems.map { .string($0) })
                    object["members"] = await members(behind: drive, &scanned)
                }
            } catch {
                if error.code == .cancelled || drives.count == 1 { throw error }
                object["verdict"] = "unknown"
                object["problems"] = .array([.string(error.cause.map { "\(error.message): \($0)" } ?? error.message)])
            }
            list.append(.object(object))
        }
        return ActionOutcome(
            changed: false, observed: ["drives": .array(list), "troubled": .integer(Int64(troubled))])
    }

    /// The drives behind a controller as far as smartctl finds them by itself; nil where it finds none.
    private func members(behind drive: Drive, _ scanned: inout [RaidMember]?) async -> JSONValue? {
        let all = if let scanned { scanned } else { await raidMembers() }
        scanned = all
        let found = all.filter { $0.host == drive.host ?? $0.host }.map { JSONValue.string($0.place) }
        return found.isEmpty ? nil : .array(found)
    }

    private func raidMembers() async -> [RaidMember] {
        guard let outcome = try? await tools.run("smartctl", ["--scan", "--json"]),
            let report = try? JSONParser.parse(outcome.stdout, limits: .local)
        else { return [] }
        return (report["devices"]?.asArray ?? []).prefix(1000).compactMap(RaidMember.init)
    }

    /// Exit codes are bits of what was found: only a report that says nothing is a failure.
    private func smart(_ drive: Drive, _ member: String?, wakes: Bool) async throws(DriverError) -> SmartReport {
        let sleep = wakes ? [] : ["-n", "standby"]
        let place = member.map { ["-d", $0] } ?? []
        let outcome = try await tools.run("smartctl", ["--json", "-a"] + sleep + place + ["/dev/\(drive.name)"])
        let report: JSONObject
        do throws(JSONError) {
            guard let object = try JSONParser.parse(outcome.stdout, limits: .local).asObject else {
                throw JSONError(.empty, at: 0)
            }
            report = object
        } catch {
            throw DriverError(
                .failed, "smartctl gave no report of \(drive.name)",
                cause: HostTools.lastWords(outcome) ?? "it ended with \(outcome.exit)")
        }
        let smart = SmartReport(report, isMadeUp: member == nil && drive.controller?.isCertain == true)
        let messages = SmartReport.messages(report)
        // The lowest bits say that the call was wrong or that the drive could not be opened.
        if smart.verdict != .asleep, (report["smartctl"]?["exit_status"]?.asInteger ?? 0) & 3 != 0 {
            let isDenied = messages.contains { $0.contains("Permission denied") }
            let advice = member == nil && !isDenied ? drive.controller?.advice(drive.name) : nil
            throw DriverError(
                isDenied ? .permissionDenied : .unsupported, "\(drive.name) cannot be asked by SMART",
                cause: ([messages.first ?? "smartctl ended with \(outcome.exit)"] + (advice.map { [$0] } ?? []))
                    .joined(separator: "; "))
        }
        return smart
    }

    /// All drives, or the one that the call names.
    private func named(
        in call: ActionCall, withMore more: (inout ArgumentReader) throws(DriverError) -> Void
    ) async throws(DriverError) -> [Drive] {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.optionalString("drive")
        try more(&reader)
        try reader.finish()
        let all = await drives()
        guard let name else { return all }
        guard let drive = all.first(where: { $0.name == name }) else {
            throw DriverError(.notFound, "there is no drive \(name)")
        }
        return [drive]
    }

    private func drives() async -> [Drive] {
        let root = root
        return await aside { Drive.all(SystemFiles(root: root)) }
    }
}
