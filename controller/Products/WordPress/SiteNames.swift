import Model
import WireProtocol

/// Names of storages in Proxmox.
enum ProxmoxStorage {
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (2...100).contains(text.utf8.count), isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || "._-".utf8.contains($0) }
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
    }
}

/// Names of snapshots, as Proxmox takes them.
enum SnapshotName {
    static let expectation = "2 to 40 letters, digits, - and _, beginning with a letter, and not current or vzdump"

    static func accepts(_ text: String) -> Bool {
        guard let first = text.utf8.first, (2...40).contains(text.utf8.count), (0x61...0x7A).contains(first | 0x20)
        else { return false }
        return text.utf8.allSatisfy { ProxmoxStorage.isLetter($0) || "_-".utf8.contains($0) }
            && text != "current" && text != "vzdump"
    }

    static func read(_ json: JSONObject, _ key: String) throws(FieldError) -> String? {
        guard let text = try json.optionalString(key) else { return nil }
        guard accepts(text) else { throw FieldError(path: key, problem: .value(expected: expectation)) }
        return text
    }
}
