import WireProtocol

/// What stands behind a disk that a RAID controller makes up: SMART tells of its drives only, each asked by its place.
struct RaidController: Sendable, Hashable {
    /// What its disks say of themselves, by vendor and model, or by model alone.
    private static let marks: [(vendor: String, model: String, type: String)] = [
        ("DELL", "PERC", "megaraid"), ("", "PERC ", "megaraid"), ("MegaRAID", "", "megaraid"),
        ("LSI", "MR", "megaraid"), ("AVAGO", "MR", "megaraid"), ("BROADCOM", "MR", "megaraid"),
        ("LSI", "MegaRAID", "megaraid"), ("AVAGO", "MegaRAID", "megaraid"), ("INTEL", "RS", "megaraid"),
        ("Intel", "RS", "megaraid"), ("LENOVO", "RAID", "megaraid"), ("IBM", "ServeRAID", "megaraid"),
        ("HP", "LOGICAL VOLUME", "cciss"), ("HPE", "LOGICAL VOLUME", "cciss"), ("COMPAQ", "LOGICAL VOLUME", "cciss"),
        ("Adaptec", "", "aacraid"), ("ASR", "", "aacraid"), ("Areca", "", "areca"), ("AMCC", "", "3ware"),
        ("3ware", "", "3ware"), ("LSILOGIC", "Logical Volume", ""), ("LSI", "Logical Volume", ""),
        ("DELL", "Virtual Disk", ""), ("HPT", "", "hpt"), ("ATA", "DELLBOSS VD", ""),
    ]
    /// The same by the kernel's driver; its other disks may be drives that it passes through.
    private static let drivers = [
        "megaraid_sas": "megaraid", "hpsa": "cciss", "smartpqi": "cciss", "aacraid": "aacraid", "arcmsr": "areca",
        "3w-9xxx": "3ware", "3w-sas": "3ware", "3w-xxxx": "3ware", "sssraid": "sssraid",
    ]
    private static let places = [
        "megaraid": "megaraid,N", "cciss": "cciss,N", "aacraid": "aacraid,H,L,ID", "areca": "areca,N",
        "3ware": "3ware,N", "hpt": "hpt,L/M/N", "sssraid": "sssraid,E,S",
    ]

    /// The word for smartctl; empty where it has none.
    private let type: String
    /// Whether the disk is made up for certain.
    let isCertain: Bool

    init?(vendor: String?, model: String?, driver: String?) {
        let (vendor, model) = (vendor ?? "", model ?? "")
        let found = Self.marks.first { vendor.hasPrefix($0.vendor) && model.hasPrefix($0.model) }
        guard let type = found?.type ?? driver.flatMap({ Self.drivers[$0] }) else { return nil }
        self.type = type
        isCertain = found != nil
    }

    /// What to do about it, for a person.
    func advice(_ drive: String) -> String {
        let what = "a RAID controller makes this disk up, and SMART tells of its drives only"
        guard let place = Self.places[type] else {
            return "\(what): ask them as /dev/sgN, or by the controller's own tool"
        }
        return
            "\(what): ask each with member \(place) (smartctl -d \(place) /dev/\(drive)); smartctl --scan or the controller's tool tells their numbers"
    }

    /// `megaraid,4`, `sat+megaraid,4`, `aacraid,0,0,2`, `areca,3/1`, `hpt,1/2/3`.
    static func isMember(_ text: String) -> Bool {
        let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= 40 else { return false }
        let types = parts[0].split(separator: "+", omittingEmptySubsequences: false)
        guard let type = types.last, types.count <= 2, Self.places[String(type)] != nil,
            types.count == 1 || ["sat", "scsi"].contains(types[0])
        else { return false }
        let numbers = parts[1].split(omittingEmptySubsequences: false) { $0 == "," || $0 == "/" }
        return numbers.count <= 3 && numbers.allSatisfy { UInt8($0) != nil && $0.utf8.first != 0x2B }
    }
}

/// A drive behind a controller, as a scan of smartctl tells of it: `megaraid,8` at `/dev/bus/0`.
struct RaidMember: Sendable, Hashable {
    let host: Int
    let place: String

    init?(_ device: JSONValue) {
        guard let place = device["type"]?.asString, RaidController.isMember(place),
            let name = device["name"]?.asString, let host = name.split(separator: "/").last.flatMap({ Int($0) }),
            name.hasPrefix("/dev/bus/")
        else { return nil }
        (self.host, self.place) = (host, place)
    }
}
