import WireProtocol

/// One self-test of a drive, as its log tells it.
struct SelfTest: Sendable {
    let kind: JSONValue?
    let hours: JSONValue?
    let said: String?
    /// Nil for one that was broken off or still runs: it says nothing of the drive.
    let passed: Bool?

    /// The tests of a report, whatever its drive is, the latest first.
    static func all(in report: JSONObject) -> [SelfTest] {
        let ata = report["ata_smart_self_test_log"]
        let rows = (ata?["standard"] ?? ata?["extended"])?["table"]?.asArray ?? []
        let scsi = (0..<20).compactMap { report["scsi_self_test_\($0)"] }
        let nvme = (report["nvme_self_test_log"]?["table"]?.asArray ?? []).filter { $0 != .null }
        return rows.prefix(20).map(SelfTest.init(ata:)) + scsi.map(SelfTest.init(scsi:))
            + nvme.prefix(20).map(SelfTest.init(nvme:))
    }

    /// The upper half of the status: 0 is well, 3 to 8 are failures. smartctl calls one that was broken off passed.
    private init(ata row: JSONValue) {
        kind = row["type"]?["string"]
        hours = row["lifetime_hours"]
        said = row["status"]?["string"]?.asString
        guard let value = row["status"]?["value"]?.asInteger else {
            passed = row["status"]?["passed"]?.asBool
            return
        }
        passed = Self.verdict(value >> 4, failures: 3...8)
    }

    private init(scsi row: JSONValue) {
        kind = row["code"]?["string"]
        hours = row["power_on_time"]?["hours"]
        said = row["result"]?["string"]?.asString
        passed = Self.verdict(row["result"]?["value"]?.asInteger, failures: 3...7)
    }

    private init(nvme row: JSONValue) {
        kind = row["self_test_code"]?["string"]
        hours = row["power_on_hours"]
        said = row["self_test_result"]?["string"]?.asString
        passed = Self.verdict(row["self_test_result"]?["value"]?.asInteger, failures: 5...7)
    }

    private static func verdict(_ value: Int64?, failures: ClosedRange<Int64>) -> Bool? {
        value == 0 ? true : value.map(failures.contains) == true ? false : nil
    }

    var json: JSONObject {
        var object: JSONObject = [:]
        object["kind"] = kind
        object["at_hours"] = hours
        object["passed"] = passed.map { .bool($0) }
        object["said"] = said.map { .string($0) }
        return object
    }
}
