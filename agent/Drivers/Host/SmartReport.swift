import Model
import WireProtocol

/// What `smartctl --json -a` says of one drive, for ATA, NVMe and SCSI alike. What the drive does not tell is absent.
struct SmartReport: Sendable {
    enum Verdict: String, Sendable {
        /// The drive says it is well, and nothing counts against it.
        case well
        /// It works, with signs of wear or errors.
        case worn
        /// It says that it fails, or has lost data.
        case failing
        /// Asleep and left so.
        case asleep
        case unknown
    }

    let verdict: Verdict
    let problems: [String]
    private let report: JSONObject
    private let selfTests: [SelfTest]

    /// - Parameter isMadeUp: the disk is one that a RAID controller makes up. It may say that it is well, but not of whom.
    init(_ report: JSONObject, isMadeUp: Bool = false) {
        self.report = report
        selfTests = SelfTest.all(in: report)
        let problems = Self.problems(report, selfTests)
        self.problems = problems.failing + problems.worn
        let passed = report["smart_status"]?["passed"]?.asBool
        if Self.messages(report).contains(where: { $0.contains("STANDBY mode") || $0.contains("SLEEP mode") }) {
            verdict = .asleep
        } else if passed == false || !problems.failing.isEmpty {
            verdict = .failing
        } else if !problems.worn.isEmpty {
            verdict = .worn
        } else {
            verdict = passed == nil || isMadeUp ? .unknown : .well
        }
    }

    /// What smartctl complains of.
    static func messages(_ report: JSONObject) -> [String] {
        (report["smartctl"]?["messages"]?.asArray ?? []).compactMap { $0["string"]?.asString }
    }

    /// The bits of the exit status that say something of the drive, not of the call.
    private static let bits: [(bit: Int64, isFailing: Bool, words: String)] = [
        (8, true, "SMART says that the drive is failing"),
        (16, false, "an attribute is below its threshold"),
        (32, false, "an attribute was below its threshold at some time"),
        (64, false, "the drive's error log has entries"),
        (128, false, "the drive's self-test log has errors"),
    ]

    private static func problems(
        _ report: JSONObject, _ selfTests: [SelfTest]
    ) -> (failing: [String], worn: [String]) {
        let tests = problems(selfTests)
        var status = report["smartctl"]?["exit_status"]?.asInteger ?? 0
        if !tests.failing.isEmpty || !tests.worn.isEmpty { status &= ~128 }
        let said = bits.filter { status & $0.bit != 0 }
        var failing = said.filter(\.isFailing).map(\.words)
        var worn = said.filter { !$0.isFailing }.map(\.words)
        for attribute in (report["ata_smart_attributes"]?["table"]?.asArray ?? []).prefix(100) {
            guard let id = attribute["id"]?.asInteger, let words = counted[id],
                let count = attribute["raw"]?["value"]?.asInteger, count > 0
            else { continue }
            worn.append("\(count) \(words)")
        }
        if let health = report["nvme_smart_health_information_log"] {
            if let warning = health["critical_warning"]?.asInteger, warning != 0 {
                failing.append("critical warning \(warning)\(words(ofWarning: warning))")
            }
            if let errors = health["media_errors"]?.asInteger, errors > 0 { worn.append("\(errors) media errors") }
            if let spare = health["available_spare"]?.asInteger,
                let least = health["available_spare_threshold"]?.asInteger, spare < least
            {
                failing.append("\(spare) % of spare blocks left")
            }
        }
        worn += scsiProblems(report)
        let shares = [
            report["nvme_smart_health_information_log"]?["percentage_used"],
            report["endurance_used"]?["current_percent"], report["scsi_percentage_used_endurance_indicator"],
        ]
        if let used = shares.compactMap({ $0?.asInteger }).first, used >= 90 {
            worn.append("\(used) % of its life are used")
        }
        return (failing + tests.failing, worn + tests.worn)
    }

    /// The latest test that came to an end decides; an older failure is a sign all the same.
    private static func problems(_ tests: [SelfTest]) -> (failing: [String], worn: [String]) {
        let ended = tests.filter { $0.passed != nil }
        guard let failed = ended.first(where: { $0.passed == false }) else { return ([], []) }
        let words = failed.said.map { ": \($0)" } ?? ""
        return ended.first?.passed == false
            ? (["the last self-test failed\(words)"], []) : ([], ["an earlier self-test failed\(words)"])
    }

    private static func scsiProblems(_ report: JSONObject) -> [String] {
        var worn: [String] = []
        let log = report["scsi_error_counter_log"]
        for (key, words) in [("read", "reading"), ("write", "writing"), ("verify", "verifying")] {
            guard let count = log?[key]?["total_uncorrected_errors"]?.asInteger, count > 0 else { continue }
            worn.append("\(count) errors in \(words) that could not be corrected")
        }
        if let grown = report["scsi_grown_defect_list"]?.asInteger, grown > 0 { worn.append("\(grown) grown defects") }
        if let count = report["scsi_pending_defects"]?["count"]?.asInteger, count > 0 {
            worn.append("\(count) pending defects")
        }
        return worn
    }

    private static func words(ofWarning warning: Int64) -> String {
        let bits = [
            "few spare blocks are left", "too hot or too cold", "it is not reliable any more", "it can only be read",
            "its memory is not saved in a power cut", "its persistent memory is not reliable",
        ]
        let told = bits.indices.filter { warning & 1 << Int64($0) != 0 }.map { bits[$0] }
        return told.isEmpty ? "" : ": \(told.joined(separator: ", "))"
    }

    /// Attributes of ATA drives of which any count is a bad sign.
    private static let counted: [Int64: String] = [
        5: "reallocated sectors", 187: "uncorrectable errors reported", 197: "pending sectors",
        198: "sectors that cannot be read", 10: "retries to spin up",
    ]

    /// - Parameter withAttributes: also what the drive counts, one by one.
    func json(withAttributes: Bool) -> JSONObject {
        var object: JSONObject = [
            "verdict": .string(verdict.rawValue), "problems": .array(problems.map { .string($0) }),
        ]
        func take(_ key: String, _ value: JSONValue?) { if let value, value != .null { object[key] = value } }
        take("passed", report["smart_status"]?["passed"])
        take("model", report["model_name"] ?? report["scsi_model_name"])
        take("serial", report["serial_number"])
        take("firmware", report["firmware_version"])
        take("protocol", report["device"]?["protocol"])
        take("capacity_bytes", report["user_capacity"]?["bytes"])
        take("rotation_rpm", report["rotation_rate"])
        take("temperature_celsius", report["temperature"]?["current"])
        take("power_on_hours", report["power_on_time"]?["hours"])
        take("power_cycles", report["power_cycle_count"])
        if !selfTests.isEmpty { take("self_tests", .array(selfTests.prefix(5).map { .object($0.json) })) }
        if withAttributes {
            take("attributes", attributes)
            take("nvme", report["nvme_smart_health_information_log"])
            take("scsi_errors", report["scsi_error_counter_log"])
        }
        return object
    }

    private var attributes: JSONValue? {
        guard let table = report["ata_smart_attributes"]?["table"]?.asArray else { return nil }
        let plain = [
            ("id", "id"), ("name", "name"), ("value", "value"), ("worst", "worst"), ("threshold", "thresh"),
            ("failed", "when_failed"),
        ]
        return .array(
            table.prefix(100).map { row in
                var object = Self.picked(plain, from: row)
                object["raw"] = row["raw"]?["value"]
                return .object(object)
            })
    }

    private static func picked(_ names: [(String, String)], from row: JSONValue) -> JSONObject {
        var object: JSONObject = [:]
        for (key, name) in names { object[key] = row[name] }
        return object
    }
}
